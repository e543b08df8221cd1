import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Digest } from '../model/digest.ts';
import { freeBytesIfKnown } from '../system/files.ts';
import { systemErrorCode, writeFailure } from '../system/write-failure.ts';
import { blobSize, openBlob, verifyBlob } from './read-blob.ts';
import type { Store } from './store.ts';
import { blobPath } from './store-paths.ts';

/** Where a hard link cannot be made: other file system, too many links, links not supported or not allowed. */
const NO_LINK = new Set(['EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EACCES']);

/**
 * Puts a verified blob at `path`, replacing what is there: as a hard link where that is possible, else as a copy. It
 * appears whole. The directory must be there; bringing it to the disk is up to the caller, who links many.
 */
export async function linkBlob(store: Store, digest: Digest, path: string): Promise<void> {
  await verifyBlob(store, digest);
  if (await isSameFile(blobPath(store, digest), path)) return;
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await linkOrCopy(store, digest, temporary);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    const neededBytes = await blobSize(store, digest);
    throw writeFailure(error, { path, neededBytes, freeBytes: freeBytesIfKnown(dirname(path)) });
  }
}

/** Renaming one of two links to the same file onto the other does nothing and leaves both: rename(2). */
async function isSameFile(blob: string, path: string): Promise<boolean> {
  try {
    const [a, b] = await Promise.all([lstat(blob), lstat(path)]);
    return a.dev === b.dev && a.ino === b.ino;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw writeFailure(error, { path });
  }
}

async function linkOrCopy(store: Store, digest: Digest, path: string): Promise<void> {
  try {
    await link(blobPath(store, digest), path);
  } catch (error) {
    if (!NO_LINK.has(systemErrorCode(error) ?? '')) throw error;
    await copyBlob(store, digest, path);
  }
}

async function copyBlob(store: Store, digest: Digest, path: string): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    for await (const chunk of openBlob(store, digest)) await file.appendFile(chunk);
    await file.chmod(0o444);
    await file.sync();
  } finally {
    await file.close();
  }
}
