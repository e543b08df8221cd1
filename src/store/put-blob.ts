import { createHash } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Digest, sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { freeBytesIfKnown, makeTraversableDirectory, syncDirectory } from '../system/files.ts';
import { sizeText, writeFailure } from '../system/write-failure.ts';
import { moveIntoPlace as replaceFile } from './move-into-place.ts';
import { holdsBlob } from './read-blob.ts';
import type { Store } from './store.ts';
import { blobPath } from './store-paths.ts';
import { temporaryPath } from './temporary.ts';

const BLOCK_BYTES = 256 * 1024;

export interface PutBlobOptions {
  /** Other bytes are refused with `checksum-mismatch`, and nothing is kept. */
  readonly expected?: Digest | undefined;
  /** More bytes are refused with `input-invalid`, as soon as they come. */
  readonly maxBytes?: number | undefined;
  /** Exactly this many bytes are demanded, and told when the disk is full. */
  readonly size?: number | undefined;
  /** What messages call the bytes: a URL, a file name. */
  readonly what?: string | undefined;
}

export interface StoredBlob {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * Keeps bytes under what they hash to. Readers see all of them or nothing, also after a crash; two processes may put the
 * same bytes at once, and putting them again is harmless.
 */
export async function putBlob(
  store: Store,
  bytes: AsyncIterable<Uint8Array> | Uint8Array,
  options: PutBlobOptions = {},
): Promise<StoredBlob> {
  if (bytes instanceof Uint8Array) return putWholeBlob(store, bytes, options);
  const temporary = await temporaryPath(store, 'blob');
  try {
    const written = await writeTemporary(store, temporary, bytes, options);
    requireExpected(written, options);
    await moveIntoPlace(store, temporary, written);
    return written;
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

/** Bytes in memory are hashed first: most are there already, and then nothing is written. */
async function putWholeBlob(store: Store, bytes: Uint8Array, options: PutBlobOptions): Promise<StoredBlob> {
  const blob = { digest: sha256(bytes), size: bytes.length };
  requireWithinLimit(bytes.length, options);
  requireExpected(blob, options);
  if (await holdsBlob(store, blob.digest, blob.size)) return blob;
  const temporary = await temporaryPath(store, 'blob');
  try {
    await writeTemporary(store, temporary, once(bytes), { ...options, size: bytes.length });
    await moveIntoPlace(store, temporary, blob);
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
  return blob;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

async function writeTemporary(
  store: Store,
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  options: PutBlobOptions,
): Promise<StoredBlob> {
  let written = 0;
  const attempt = async <Result>(action: () => Promise<Result>): Promise<Result> => {
    try {
      return await action();
    } catch (error) {
      throw putFailure(store, error, options, written);
    }
  };
  const file = await attempt(() => open(path, 'wx', 0o600));
  try {
    const hash = createHash('sha256');
    for await (const block of inBlocks(withinLimit(bytes, options))) {
      hash.update(block);
      await attempt(() => file.writeFile(block));
      written += block.length;
    }
    await attempt(() => file.chmod(0o444));
    await attempt(() => file.sync());
    return { digest: hash.digest('hex'), size: written };
  } finally {
    await file.close();
  }
}

async function* withinLimit(
  bytes: AsyncIterable<Uint8Array>,
  options: PutBlobOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    requireWithinLimit(size, options);
    yield chunk;
  }
}

/** Gathers small chunks, since each write costs more than copying them does. */
async function* inBlocks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let length = 0;
  for await (const chunk of chunks) {
    if (length + chunk.length > BLOCK_BYTES) {
      yield block.subarray(0, length);
      length = 0;
    }
    if (chunk.length > BLOCK_BYTES) yield chunk;
    else {
      block.set(chunk, length);
      length += chunk.length;
    }
  }
  yield block.subarray(0, length);
}

async function moveIntoPlace(store: Store, temporary: string, blob: StoredBlob): Promise<void> {
  if (await holdsBlob(store, blob.digest, blob.size)) return;
  const path = blobPath(store, blob.digest);
  try {
    makeTraversableDirectory(dirname(path));
    await replaceFile(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    throw putFailure(store, error, { size: blob.size }, blob.size);
  }
}

/** What was written is removed again, so it counts as free. */
function putFailure(store: Store, error: unknown, options: PutBlobOptions, written: number): unknown {
  const free = freeBytesIfKnown(store.directory);
  return writeFailure(error, {
    verb: `${storing(options)} in`,
    path: store.directory,
    neededBytes: options.size ?? written,
    freeBytes: free === undefined ? undefined : free + written,
  });
}

function requireWithinLimit(size: number, options: PutBlobOptions): void {
  const most = Math.min(options.maxBytes ?? Number.POSITIVE_INFINITY, options.size ?? Number.POSITIVE_INFINITY);
  if (size <= most) return;
  throw new BuilditError(
    'input-invalid',
    `Cannot ${storing(options)}: expected at most ${sizeText(most)} (${most} bytes), found more`,
  );
}

function requireExpected({ digest, size }: StoredBlob, options: PutBlobOptions): void {
  if (options.expected !== undefined && digest !== options.expected) {
    throw new BuilditError(
      'checksum-mismatch',
      `Cannot ${storing(options)}: expected sha256 ${options.expected}, found ${digest}`,
      { details: [`${size} bytes were read`] },
    );
  }
  if (options.size !== undefined && size !== options.size) {
    throw new BuilditError(
      'checksum-mismatch',
      `Cannot ${storing(options)}: expected ${options.size} bytes, found ${size}`,
    );
  }
}

function storing({ what }: PutBlobOptions): string {
  return what === undefined ? 'store a blob' : `store "${printable(what)}"`;
}
