import type { RunContext } from '../model/config.ts';
import { BuilditError } from '../model/errors.ts';
import { artefactPurl, type Ecosystem } from '../model/registry.ts';
import type { VendoredFile } from '../model/vendor-lock.ts';
import { putBlob } from '../store/put-blob.ts';
import type { Store } from '../store/store.ts';
import { openDownload, shownUrl } from '../system/http.ts';
import { choosePythonFile } from './choose-python-file.ts';
import type { Registries } from './find-registry-file.ts';
import type { LockedArtefact, LockText } from './locked-artefact.ts';
import { readCargoLock } from './read-cargo-lock.ts';
import { readGoSum } from './read-go-sum.ts';
import { readPackageLock } from './read-package-lock.ts';
import { readRequirements } from './read-requirements.ts';
import { verifyArtefact } from './verify-artefact.ts';

export interface PinOptions {
  readonly store: Store;
  readonly context: RunContext;
  readonly registries: Registries;
}

const AT_ONCE = 6;
const MAXIMUM_BYTES = 512 * 1024 * 1024;

/** Everything that a lock file names, fetched, verified by the lock file's own checksums, and kept in the store. */
export async function pinArtefacts(
  ecosystem: Ecosystem,
  lock: LockText,
  options: PinOptions,
): Promise<readonly VendoredFile[]> {
  const wanted = await lockedArtefacts(ecosystem, lock, options.registries);
  const waiting = [...wanted];
  const files: VendoredFile[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      files.push(await pinArtefact(next, options));
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, work));
  return files.sort((a, b) => (artefactPurl(a.artefact) < artefactPurl(b.artefact) ? -1 : 1));
}

async function lockedArtefacts(
  ecosystem: Ecosystem,
  lock: LockText,
  registries: Registries,
): Promise<readonly LockedArtefact[]> {
  switch (ecosystem) {
    case 'cargo':
      return readCargoLock(lock);
    case 'go':
      return readGoSum(lock);
    case 'npm':
      return readPackageLock(lock);
    case 'python': {
      const chosen: LockedArtefact[] = [];
      for (const requirement of readRequirements(lock)) {
        chosen.push(choosePythonFile(requirement, await registries.pythonFiles(requirement.name)));
      }
      return chosen;
    }
  }
}

/** Bytes are kept before they are verified, under what they hash to: nothing refers to them unless they are the right ones. */
async function pinArtefact(locked: LockedArtefact, options: PinOptions): Promise<VendoredFile> {
  const { store, context, registries } = options;
  const purl = artefactPurl(locked.artefact);
  const task = `pin:${purl}`;
  context.emit({ kind: 'task-started', task, label: `fetching ${purl}` });
  let outcome: 'done' | 'failed' = 'failed';
  try {
    const blob = await fetchArtefact(locked, options, await registries.addressesOf(locked.artefact));
    await verifyArtefact(locked, store, blob.digest);
    outcome = 'done';
    return { artefact: locked.artefact, sha256: blob.digest, size: blob.size };
  } finally {
    context.emit({ kind: 'task-finished', task, outcome });
  }
}

async function fetchArtefact(
  { artefact, checksum }: LockedArtefact,
  { store, context: { signal } }: PinOptions,
  addresses: Awaited<ReturnType<Registries['addressesOf']>>,
) {
  const expected = checksum.kind === 'sha256' ? checksum.hex : undefined;
  let failure: unknown;
  for (const { url, allowHttp } of addresses) {
    try {
      const { body } = await openDownload(url, { signal, allowHttp, maximumBytes: MAXIMUM_BYTES });
      return await putBlob(store, body, { maxBytes: MAXIMUM_BYTES, what: shownUrl(url), expected });
    } catch (error) {
      if (!(error instanceof BuilditError) || error.code !== 'unreachable') throw error;
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  throw new BuilditError(
    'unreachable',
    `Cannot fetch "${artefactPurl(artefact)}": expected it in the registry, found none`,
  );
}
