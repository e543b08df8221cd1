import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, read, readFileSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Digest, sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { removeTree } from '../system/remove-tree.ts';
import { sizeText, systemErrorCode } from '../system/write-failure.ts';
import { noteUse } from './last-use.ts';
import type { Store } from './store.ts';
import { blobPath } from './store-paths.ts';

const STREAM_CHUNK_BYTES = 1024 * 1024;
const VERIFY_CHUNK_BYTES = 256 * 1024;
/** Small blobs are read synchronously, which takes half the time; this much at once does not keep others waiting. */
const BYTES_BETWEEN_PAUSES = 8 * 1024 * 1024;
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** How many bytes a blob has, by its name alone: they are verified when they are read. Undefined: not there. */
export async function blobSize(store: Store, digest: Digest): Promise<number | undefined> {
  const stat = lstatSync(blobPath(store, digest), { throwIfNoEntry: false });
  return stat?.isFile() === true ? stat.size : undefined;
}

/**
 * The bytes of a blob, verified. One that is damaged is removed, so that it is fetched or made again, and the error is
 * `store-damaged`; one that is not there is `file-missing`; one above `maxBytes` is `input-invalid`.
 */
export async function readBlob(
  store: Store,
  digest: Digest,
  { maxBytes }: { readonly maxBytes?: number | undefined } = {},
): Promise<Buffer> {
  const file = openBlobFile(store, digest);
  let bytes: Buffer;
  try {
    const { size } = fstatSync(file);
    if (maxBytes !== undefined && size > maxBytes) throw tooLarge(digest, size, maxBytes);
    bytes = Buffer.allocUnsafeSlow(size);
    for (let length = 0; length < size; ) {
      const count = readSync(file, bytes, length, Math.min(size - length, BYTES_BETWEEN_PAUSES), length);
      if (count === 0) break;
      length += count;
      if (length < size) await pause();
    }
  } catch (error) {
    throw await readFailure(store, digest, error);
  } finally {
    closeSync(file);
  }
  if (sha256(bytes) !== digest) throw await damaged(store, digest);
  return bytes;
}

/**
 * The bytes of a blob as a stream, at most 1 MiB at a time, each chunk a buffer of its own. They are verified while they
 * pass: when they are not what the name says, the stream throws after the last of them, so nothing that was made from it
 * may count before its end.
 */
export async function* openBlob(store: Store, digest: Digest): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(blobPath(store, digest), OPEN_FLAGS).catch((error) => {
    throw openFailure(digest, error);
  });
  try {
    if (!(await file.stat()).isFile()) throw await damaged(store, digest);
    const hash = createHash('sha256');
    for await (const chunk of chunksOf(file)) {
      hash.update(chunk);
      yield chunk;
    }
    if (hash.digest('hex') !== digest) throw await damaged(store, digest);
  } finally {
    await file.close();
  }
}

/** Reads a blob through and throws as `readBlob` does, keeping nothing. Answers its size. */
export async function verifyBlob(store: Store, digest: Digest): Promise<number> {
  const file = openBlobFile(store, digest);
  let found: { readonly digest: Digest; readonly size: number };
  try {
    found = fstatSync(file).size <= VERIFY_CHUNK_BYTES ? digestOfSmall(file) : await digestOfLarge(file);
  } catch (error) {
    throw await readFailure(store, digest, error);
  } finally {
    closeSync(file);
  }
  if (found.digest !== digest) throw await damaged(store, digest);
  return found.size;
}

function digestOfSmall(file: number): { readonly digest: Digest; readonly size: number } {
  const bytes = readFileSync(file);
  return { digest: sha256(bytes), size: bytes.length };
}

/** The next chunk is read by another thread while one is hashed here. */
async function digestOfLarge(file: number): Promise<{ readonly digest: Digest; readonly size: number }> {
  const hash = createHash('sha256');
  const buffers = [Buffer.allocUnsafeSlow(VERIFY_CHUNK_BYTES), Buffer.allocUnsafeSlow(VERIFY_CHUNK_BYTES)] as const;
  const readInto = (buffer: Buffer, position: number) => readAt(file, buffer, 0, buffer.length, position);
  let [current, other] = buffers;
  let size = 0;
  for (let next = readInto(current, 0); ; ) {
    const { bytesRead } = await next;
    if (bytesRead === 0) return { digest: hash.digest('hex'), size };
    size += bytesRead;
    next = readInto(other, size);
    hash.update(current.subarray(0, bytesRead));
    [current, other] = [other, current];
  }
}

const readAt = promisify(read);

/** Whether a whole and undamaged blob of this size is there; its age for garbage collection then starts again. */
export async function holdsBlob(store: Store, digest: Digest, size: number): Promise<boolean> {
  const stat = lstatSync(blobPath(store, digest), { throwIfNoEntry: false });
  if (stat?.isFile() !== true || stat.size !== size) return false;
  try {
    await verifyBlob(store, digest);
  } catch (error) {
    if (error instanceof BuilditError && ['store-damaged', 'file-missing'].includes(error.code)) return false;
    throw error;
  }
  noteUse(blobPath(store, digest), stat.mtimeMs);
  return true;
}

function openBlobFile(store: Store, digest: Digest): number {
  try {
    return openSync(blobPath(store, digest), OPEN_FLAGS);
  } catch (error) {
    throw openFailure(digest, error);
  }
}

/** A symbolic link in the place of a blob is none. */
function openFailure(digest: Digest, error: unknown): unknown {
  return ['ENOENT', 'ELOOP'].includes(systemErrorCode(error) ?? '') ? missing(digest) : error;
}

/** Reads ahead by one chunk, so that the disk and the reader work at the same time. */
async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer> {
  const readNext = async () => {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(STREAM_CHUNK_BYTES), 0, STREAM_CHUNK_BYTES, null);
    return buffer.subarray(0, bytesRead);
  };
  let next = readNext();
  try {
    while (true) {
      const chunk = await next;
      if (chunk.length === 0) return;
      next = readNext();
      yield chunk;
    }
  } finally {
    await next.catch(() => undefined);
  }
}

/** A disk that cannot read a file back has lost it; a directory in its place was never a blob. */
async function readFailure(store: Store, digest: Digest, error: unknown): Promise<unknown> {
  return ['EIO', 'EISDIR'].includes(systemErrorCode(error) ?? '') ? damaged(store, digest, error) : error;
}

/** Removes a blob that is not what its name says. The error tells that running again mends it. */
async function damaged(store: Store, digest: Digest, cause?: unknown): Promise<BuilditError> {
  await removeTree(blobPath(store, digest)).catch(() => undefined);
  store.onWarning?.(`the blob ${digest} in the store was damaged and has been removed`);
  return new BuilditError(
    'store-damaged',
    `Cannot read "sha256:${digest}" from the store: expected the bytes of that digest, found others`,
    {
      hint: 'the damaged file was removed; run again and it is fetched or made anew. Check the disk if this happens twice',
      cause,
    },
  );
}

function missing(digest: Digest): BuilditError {
  return new BuilditError('file-missing', `Cannot read "sha256:${digest}" from the store: expected a blob, found none`);
}

function tooLarge(digest: Digest, size: number, most: number): BuilditError {
  return new BuilditError(
    'input-invalid',
    `Cannot read "sha256:${digest}" from the store: expected at most ${sizeText(most)}, found ${sizeText(size)}`,
  );
}

function pause(): Promise<void> {
  return new Promise((resume) => setImmediate(resume));
}
