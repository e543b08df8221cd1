import { canonicalLayerPath } from '../layer/canonical-layer-path.ts';
import type { TarMember } from '../layer/tar-member.ts';
import { BuilditError, throwCollected } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { FileCapabilities } from '../model/package.ts';

export interface CapabilityRules {
  /** What the package is called in messages. */
  readonly name: string;
  readonly files: readonly FileCapabilities[];
  /** Where a path of the output lies in the package; undefined where it is left out. */
  place(path: string): string | undefined;
}

/**
 * Passes on what a build packed, with the capabilities that the recipe gives to files of it. Throws at the end, before
 * anything can be kept, where one of them is not there or is no regular file. One with several names is refused too: all
 * of them would have the capabilities, and the recipe speaks of one.
 */
export async function* giveCapabilities(
  members: AsyncIterable<TarMember>,
  { name, files, place }: CapabilityRules,
): AsyncGenerator<TarMember, void, undefined> {
  const wanted = new Map(files.map((file) => [file.path, file]));
  const found = new Map<string, string>();
  for await (const member of members) {
    const path = place(member.path);
    const file = path === undefined ? undefined : wanted.get(path);
    if (file !== undefined) found.set(file.path, WORDS[member.type]);
    if (member.type === 'hardlink') {
      const target = place(member.target);
      if (target !== undefined && wanted.has(target)) found.set(target, WORDS.hardlink);
    }
    yield file === undefined || member.type !== 'file' ? member : { ...member, capabilities: file.capabilities };
  }
  throwCollected(
    files
      .filter((file) => found.get(file.path) !== WORDS.file)
      .map((file) => refusal(name, file, found.get(file.path))),
  );
}

const WORDS: Readonly<Record<TarMember['type'], string>> = {
  file: 'a file',
  directory: 'a directory',
  symlink: 'a symbolic link',
  hardlink: 'a file with several names',
  'character-device': 'a device',
  'block-device': 'a device',
  fifo: 'a named pipe',
};

function refusal(name: string, { path, position }: FileCapabilities, found = 'nothing'): BuilditError {
  const canonical = canonicalLayerPath(path);
  const isBehindLink = found === 'nothing' && canonical !== undefined && canonical !== path;
  return new BuilditError(
    'build-failed',
    `Cannot give capabilities to "${printable(path)}" of "${name}": expected a regular file that the build installs, found ${found}`,
    { position, hint: isBehindLink ? `in a package it is ${printable(canonical)}` : undefined },
  );
}
