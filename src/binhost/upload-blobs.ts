import type { RemoteWriter } from '../remote/remote-place.ts';
import { openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { publishedBlobPath } from './binhost-paths.ts';
import type { BlobReference } from './published-record.ts';

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Sends the blobs that a place does not have; one that is there gets a new time, so that garbage collection leaves it.
 * Answers how many were sent, and their bytes.
 */
export async function uploadBlobs(
  store: Store,
  writer: RemoteWriter,
  blobs: readonly BlobReference[],
  { signal, onProgress }: UploadOptions = {},
): Promise<{ readonly count: number; readonly bytes: number }> {
  const unique = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  const total = unique.reduce((sum, { size }) => sum + size, 0);
  const sent = { count: 0, bytes: 0 };
  const progress = new Map<string, number>();
  const tell = (digest: string, done: number) => {
    progress.set(digest, done);
    onProgress?.(
      [...progress.values()].reduce((sum, part) => sum + part, 0),
      total,
    );
  };
  await inParallel(unique, MOST_AT_ONCE, async ({ digest, size }) => {
    const path = publishedBlobPath(digest);
    const there = await writer.stat(path);
    if (there?.kind === 'file' && there.size === size) {
      await writer.touch(path);
    } else {
      const from = (offset: number) => skipping(openBlob(store, digest), offset);
      await writer.put(path, { size, digest, from, signal, onProgress: (done) => tell(digest, done) });
      sent.count += 1;
      sent.bytes += size;
    }
    tell(digest, size);
  });
  return sent;
}

/** Round trips, not bytes, are what small files cost. */
export const MOST_AT_ONCE = 64;

/** Runs work on many values, some at a time. After a failure no further one is begun. */
export async function inParallel<Value>(
  values: readonly Value[],
  most: number,
  work: (value: Value) => Promise<void>,
): Promise<void> {
  const waiting = values[Symbol.iterator]();
  let failed = false;
  const worker = async () => {
    for (const value of { [Symbol.iterator]: () => waiting }) {
      if (failed) return;
      try {
        await work(value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(most, values.length) }, worker));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

/** The whole blob is read and so verified, also where its beginning is at the place already. */
async function* skipping(
  chunks: AsyncIterable<Uint8Array>,
  offset: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = 0;
  for await (const chunk of chunks) {
    const start = Math.max(0, offset - position);
    position += chunk.length;
    if (start < chunk.length) yield chunk.subarray(start);
  }
}
