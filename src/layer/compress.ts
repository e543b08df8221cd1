import { isMainThread } from 'node:worker_threads';
import type { LayerCompression } from '../model/container.ts';
import type { MediaType } from '../model/layer.ts';
import { type FrameCompression, loadFrameCompressor } from './compress-frame.ts';
import { compressInPool, isPoolRunning } from './compress-pool.ts';
import { FRAME_BYTES, giveFrameBack, takeFrame } from './frame-memory.ts';

/**
 * Names of the exact compressors. A blob's digest depends on them: whatever changes a byte of what they give, the library,
 * its version, the level, the size of frames, is a new name.
 *
 * `zstd`: @bokuweb/zstd-wasm 0.0.27 at level 3, a frame for each 4 MiB. `gzip`: deflate as zlib does it at level 6
 * (pako 3.0.3), a member for each 4 MiB. Concatenated frames and members are valid streams (RFC 8878 3.1, RFC 1952 2.2).
 */
const ENCODERS: Readonly<Record<LayerCompression, string>> = {
  zstd: 'zstd-3-4m-1',
  gzip: 'gzip-6-4m-1',
  none: 'none',
};

const MEDIA_TYPES: Readonly<Record<LayerCompression, MediaType>> = {
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  none: 'application/vnd.oci.image.layer.v1.tar',
};

export function encoderOf(compression: LayerCompression): string {
  return ENCODERS[compression];
}

export function mediaTypeOf(compression: LayerCompression): MediaType {
  return MEDIA_TYPES[compression];
}

/**
 * Compresses a stream: the same bytes in give the same bytes out, however they are cut into chunks, on every machine.
 * In the main thread, streams of more than one frame are compressed by worker threads, as many frames at once as there
 * are processors.
 */
export async function* compress(
  bytes: AsyncIterable<Uint8Array>,
  compression: LayerCompression,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (compression === 'none') yield* bytes;
  else yield* compressFrames(bytes, compression);
}

async function* compressFrames(
  bytes: AsyncIterable<Uint8Array>,
  compression: FrameCompression,
): AsyncGenerator<Uint8Array, void, undefined> {
  const frames = cutIntoFrames(bytes);
  const first = await frames.next();
  const only = first.value ?? new Uint8Array(0);
  const second = first.done === true ? first : await frames.next();
  const all = prepended([only, ...(second.done === true ? [] : [second.value])], frames);
  // A thread among others has its processor. Starting threads costs more than compressing one small frame here.
  if (!isMainThread || (second.done === true && !isPoolRunning())) {
    const compressFrame = await loadFrameCompressor(compression);
    for await (const frame of all) {
      const compressed = compressFrame(frame);
      giveFrameBack(frame);
      yield compressed;
    }
  } else {
    yield* compressInPool(all, compression);
  }
}

async function* prepended<T>(first: readonly T[], rest: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  yield* first;
  yield* rest;
}

/** Each frame in memory of its own, which can be handed to another thread. */
async function* cutIntoFrames(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let frame = takeFrame();
  let filled = 0;
  for await (const chunk of bytes) {
    for (let offset = 0; offset < chunk.length; ) {
      const part = chunk.subarray(offset, offset + FRAME_BYTES - filled);
      frame.set(part, filled);
      filled += part.length;
      offset += part.length;
      if (filled < FRAME_BYTES) continue;
      yield frame;
      frame = takeFrame();
      filled = 0;
    }
  }
  if (filled > 0) yield frame.subarray(0, filled);
}
