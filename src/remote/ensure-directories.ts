import { creatingFault, isFault, PlaceFault, type PlaceFiles } from './place-files.ts';
import { parentDirectories } from './remote-path.ts';
import type { RemoteStat } from './remote-place.ts';

/** Makes the parent directories of a path. Each directory is looked at once; what is not a directory is refused. */
export type EnsureParents = (path: string) => Promise<void>;

export function createEnsureParents(files: PlaceFiles): EnsureParents {
  const known = new Map<string, Promise<void>>();

  return async (path) => {
    const parents = parentDirectories(path);
    const unknown = parents.filter((directory) => !known.has(directory));
    if (unknown.length > 0) {
      const others = parents.filter((directory) => known.has(directory)).map((directory) => known.get(directory));
      const made = makeMissing(files, unknown, others);
      for (const directory of unknown) known.set(directory, made);
      made.catch(() => {
        for (const directory of unknown) known.delete(directory);
      });
    }
    await Promise.all(parents.map((directory) => known.get(directory)));
  };
}

/** Two round trips however many directories there are: all looked at together, the missing ones asked for together. */
async function makeMissing(files: PlaceFiles, directories: readonly string[], others: readonly unknown[]) {
  const [found] = await Promise.all([Promise.all(directories.map((path) => files.lstat(path))), Promise.all(others)]);
  for (const entry of found) refuseUnlessDirectory(entry);
  const missing = directories.filter((_, index) => found[index] === undefined);
  const asked = await Promise.allSettled(missing.map((path) => files.makeDirectory(path)));
  for (const [index, answer] of asked.entries()) {
    if (answer.status === 'rejected') await settle(files, missing[index]!, answer.reason);
  }
}

/** Another writer was first, the requests overtook one another, or the place itself is missing. */
async function settle(files: PlaceFiles, path: string, reason: unknown): Promise<void> {
  if (isFault(reason, 'missing') && !path.includes('/')) await files.makeRoot();
  if (isFault(reason, 'missing')) {
    await files.makeDirectory(path).catch((error: unknown) => {
      if (!isFault(error, 'taken')) throw creatingFault(error, path);
    });
  } else if (!isFault(reason, 'taken')) {
    throw creatingFault(reason, path);
  }
  const entry = await files.lstat(path);
  if (entry === undefined) throw new PlaceFault('missing', 'a directory that vanished again');
  refuseUnlessDirectory(entry);
}

function refuseUnlessDirectory(entry: RemoteStat | undefined): void {
  if (entry === undefined || entry.kind === 'directory') return;
  throw new PlaceFault(
    'kind',
    entry.kind === 'file'
      ? 'a file where a directory belongs'
      : 'a symbolic link or the like where a directory belongs',
  );
}
