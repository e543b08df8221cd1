import { chmodSync, constants, copyFileSync, lchownSync, mkdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxOwner } from './run-sandbox.ts';
import type { TestTree, TestTreeEntry } from './test-root.ts';

/** As whom a copy is to be used. */
export interface CopyUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Copies what is below some directories at the top of a tree into a fresh directory, for one test to change. All of it
 * belongs to the one user that a sandbox has; its modes give that user what the tree gives to the user it stands for, so
 * that a key that only root may read is as unreadable as it will be.
 */
export function copyPrivately(
  { path, entries }: TestTree,
  names: readonly string[],
  target: string,
  user: CopyUser,
  owner: SandboxOwner | undefined,
): void {
  const wanted = new Set(names);
  const copied = entries.filter(({ path: entry }) => wanted.has(entry.split('/', 1)[0]!));
  for (const entry of copied) copyEntry(entry, join(path, entry.path), join(target, entry.path));
  // A directory that may not be written to is filled before it says so.
  for (const entry of copied.toReversed()) {
    const place = join(target, entry.path);
    if (entry.kind !== 'symlink') chmodSync(place, modeFor(entry, user));
    if (owner !== undefined) lchownSync(place, owner.uid, owner.gid);
  }
}

function copyEntry({ kind }: TestTreeEntry, source: string, target: string): void {
  if (kind === 'directory') mkdirSync(target, { mode: 0o700 });
  else if (kind === 'symlink') symlinkSync(readlinkSync(source), target);
  else copyFileSync(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}

/** The owner's bits alone, as the user that the owner stands for would have them. Root is stopped by none but x. */
export function modeFor({ kind, mode, uid, gid }: TestTreeEntry, user: CopyUser): number {
  if (user.uid === 0) return kind === 'directory' || (mode & 0o111) !== 0 ? 0o700 : 0o600;
  if (user.uid === uid) return mode & 0o700;
  return user.gid === gid ? (mode & 0o070) << 3 : (mode & 0o007) << 6;
}
