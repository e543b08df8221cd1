import { join } from 'node:path';
import { type Digest, isDigest, sha256 } from '../model/digest.ts';
import { isCleanRelativePath } from '../model/names.ts';
import type { Store } from './store.ts';

/*
 * DIRECTORY/
 *   format                            "buildit store 1"
 *   blobs/sha256/ab/<digest>          bytes by what they hash to, 0444
 *   records/ab/<HASH>                 what a build of a HASH gave
 *   build-keys/ab/<build key>         the HASH whose record has that build key
 *   encodings/ab/<diffId>-<encoder>   which blob holds a layer as that encoder wrote it
 *   notes/<namespace>/ab/<key>        small documents, by the sha256 of their key
 *   trees/<boot id>/<diffId>          a layer, unpacked or verified since that start of the machine
 *   roots/<boot id>/<digest>          a composed build root
 *   uses/ab/<sha256 of a path>        what an out directory or a lock relies on, for garbage collection
 *   failed/<HASH>/                    what a failed build left, kept because it was asked for
 *   temporary/<slot>/                 files of a running process, which holds locks/temporary-<slot>
 *   locks/                            files to lock, never unlinked
 *   tools/                            Debian's `flock`, where the host has none; comes before all else
 *   receipts/                         what a run with nothing to do prints
 *   git/                              repositories of discovered locations, by their addresses
 *
 * records, build-keys, encodings, notes and uses are documents: see document.ts.
 */
export const STORE_DIRECTORIES: readonly string[] = [
  'blobs',
  'records',
  'build-keys',
  'encodings',
  'notes',
  'trees',
  'roots',
  'uses',
  'failed',
  'temporary',
  'locks',
  'tools',
  'receipts',
  'git',
];

/** Directories of the store whose content is a tree made from something else in it. */
export type KeptDirectoryKind = 'trees' | 'roots';

export function formatPath(store: Store): string {
  return join(store.directory, 'format');
}

export function blobPath(store: Store, digest: Digest): string {
  return sharded(join(store.directory, 'blobs', 'sha256'), digest);
}

export function recordPath(store: Store, hash: Digest): string {
  return sharded(join(store.directory, 'records'), hash);
}

export function buildKeyPath(store: Store, buildKey: Digest): string {
  return sharded(join(store.directory, 'build-keys'), buildKey);
}

export function encodingPath(store: Store, diffId: Digest, encoder: string): string {
  return `${sharded(join(store.directory, 'encodings'), diffId)}-${sha256(encoder)}`;
}

export function notePath(store: Store, namespace: string, key: string): string {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(namespace)) throw new TypeError(`"${namespace}" is not a namespace of notes`);
  return sharded(join(store.directory, 'notes', namespace), sha256(key));
}

/** `boot` is the boot id of the kernel, which is no text from elsewhere. */
export function keptDirectoryPath(store: Store, kind: KeptDirectoryKind, boot: string, digest: Digest): string {
  return join(store.directory, kind, boot, checked(digest));
}

export function usePath(store: Store, key: Digest): string {
  return sharded(join(store.directory, 'uses'), key);
}

/** What a failed build of a HASH left, where it was kept. */
export function failedBuildPath(store: Store, hash: Digest): string {
  return join(store.directory, 'failed', checked(hash));
}

export function temporaryDirectoryPath(store: Store, slot: string): string {
  return join(store.directory, 'temporary', slot);
}

export function lockPath(store: Store, name: string): string {
  if (!isCleanRelativePath(name) || name.includes('/')) throw new TypeError(`"${name}" is not the name of a lock`);
  return join(store.directory, 'locks', name);
}

function sharded(directory: string, digest: Digest): string {
  return join(directory, checked(digest).slice(0, 2), digest);
}

/** Nothing but a digest becomes part of a path. */
function checked(digest: Digest): Digest {
  if (!isDigest(digest)) throw new TypeError(`"${String(digest).slice(0, 80)}" is not a sha256 digest`);
  return digest;
}
