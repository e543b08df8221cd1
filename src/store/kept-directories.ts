import { chmodSync, lstatSync, readFileSync, renameSync, rmSync, unlinkSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Digest, isDigest } from '../model/digest.ts';
import { makeTraversableDirectory, removeTree } from '../system/files.ts';
import { systemErrorCode, writeFailure } from '../system/write-failure.ts';
import { noteUse } from './last-use.ts';
import { namesIn } from './names-in.ts';
import type { Store } from './store.ts';
import { type KeptDirectoryKind, keptDirectoryPath } from './store-paths.ts';
import { temporaryPath } from './temporary.ts';

/*
 * A kept directory is made of other things in the store, and its files are not synced to the disk one by one. What a
 * crash of the machine left of it cannot be known: so the boot id is a part of its name, and it counts in no other boot
 * unless it was verified there. As names appear and vanish by rename alone, no lock is needed.
 */

/** The path of a kept directory that was made or verified since this machine started; undefined for any other. */
export function findKeptDirectory(
  store: Store,
  kind: KeptDirectoryKind,
  digest: Digest,
  { countsAsUse = true }: { readonly countsAsUse?: boolean } = {},
): string | undefined {
  const path = keptDirectoryPath(store, kind, bootId(), digest);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return undefined;
  if (countsAsUse) noteUse(path, stat.mtimeMs);
  return path;
}

/** One that an earlier boot left, to be verified or to be removed. */
export function findStaleDirectory(store: Store, kind: KeptDirectoryKind, digest: Digest): string | undefined {
  return bootsOf(store, kind)
    .filter((boot) => boot !== bootId())
    .map((boot) => keptDirectoryPath(store, kind, boot, digest))
    .find(isDirectory);
}

/**
 * Moves a finished directory to its place, where it appears whole. Where one is there already, that one stays and the
 * new one is removed.
 */
export async function adoptKeptDirectory(
  store: Store,
  kind: KeptDirectoryKind,
  digest: Digest,
  directory: string,
): Promise<string> {
  const path = keptDirectoryPath(store, kind, bootId(), digest);
  try {
    makeTraversableDirectory(dirname(path));
    // Renaming a directory needs the right to write to it, for its entry "..".
    chmodSync(directory, 0o755);
    utimesSync(directory, new Date(), new Date());
    removeUnlessDirectory(path);
    renameSync(directory, path);
  } catch (error) {
    if (!isTaken(error)) throw writeFailure(error, { verb: 'create', path });
    await removeTree(directory);
  }
  // The list of the place that it was moved from.
  rmSync(listPath(directory), { force: true });
  return path;
}

/**
 * Removes a kept directory, or whatever lies in its place, and its list. Moving it away first makes it vanish at once,
 * however long removing takes. With `inode` another directory that has taken its place meanwhile stays.
 */
export async function removeKeptDirectory(
  store: Store,
  path: string,
  { inode }: { readonly inode?: bigint | undefined } = {},
): Promise<void> {
  const aside = await temporaryPath(store, 'removed');
  try {
    const stat = lstatSync(path, { bigint: true });
    if (inode !== undefined && stat.ino !== inode) return;
    if (stat.isDirectory()) chmodSync(path, 0o755);
    renameSync(path, aside);
    rmSync(listPath(path), { force: true });
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw writeFailure(error, { verb: 'remove', path });
  }
  await removeTree(aside);
}

/** Where the list of the files of a kept directory lies. */
export function listPath(directory: string): string {
  return `${directory}.list`;
}

/** A file or a link in the place of a kept directory was put there by somebody else and is of no use. */
function removeUnlessDirectory(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isDirectory()) unlinkSync(path);
}

/** All kept directories of a kind, those of earlier boots included. */
export function listKeptDirectories(store: Store, kind: KeptDirectoryKind): readonly KeptDirectory[] {
  return bootsOf(store, kind).flatMap((boot) =>
    namesIn(join(store.directory, kind, boot))
      .filter(isDigest)
      .map((digest) => ({ digest, path: keptDirectoryPath(store, kind, boot, digest), current: boot === bootId() })),
  );
}

export interface KeptDirectory {
  readonly digest: Digest;
  readonly path: string;
  /** Made or verified since this machine started. */
  readonly current: boolean;
}

const BOOT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
let knownBootId: string | undefined;

export function bootId(): string {
  knownBootId ??= readBootId();
  return knownBootId;
}

function readBootId(): string {
  const text = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  if (!BOOT_ID.test(text)) throw new TypeError(`"${text}" is not a boot id`);
  return text;
}

function bootsOf(store: Store, kind: KeptDirectoryKind): readonly string[] {
  return namesIn(join(store.directory, kind)).filter((name) => BOOT_ID.test(name));
}

function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(error) ?? '');
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
