import { loadZstd } from './load-zstd.ts';
import { measureZstdFrame, zstdWindowBytes } from './zstd-frame.ts';

/** Frames of our own have 4 MiB; larger ones are streamed. */
const MOST_FRAME_BYTES = 8 * 1024 * 1024;

/** What the program zstd accepts, too, when it is not told otherwise. */
const MOST_WINDOW_BYTES = 128 * 1024 * 1024;

/**
 * Decompresses zstd frames, one after the other. Small frames are decoded at once by the wasm codec, four times as fast;
 * from the first one on that it cannot take, fzstd streams what is left. `onBlock` is told of each piece before there are
 * more, and may throw. Damaged data throw an `Error` of the codec.
 */
export async function* unzstd(
  input: AsyncIterable<Uint8Array>,
  onBlock: (length: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = input[Symbol.asyncIterator]();
  try {
    yield* decodeFrames(chunks, onBlock);
  } finally {
    await chunks.return?.();
  }
}

async function* decodeFrames(
  chunks: AsyncIterator<Uint8Array>,
  onBlock: (length: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const zstd = await loadZstd();
  let pending: Buffer = Buffer.alloc(0);
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    pending = pending.length === 0 ? Buffer.from(next.value) : Buffer.concat([pending, next.value]);
    for (let frame = measureZstdFrame(pending); frame !== 'more'; frame = measureZstdFrame(pending)) {
      if (frame === 'other' || frame.contentSize > MOST_FRAME_BYTES) {
        yield* streamed(pending, chunks, onBlock);
        return;
      }
      const content = zstd.decompress(pending.subarray(0, frame.length));
      if (content.length !== frame.contentSize) throw new Error('a frame of another size than it says');
      onBlock(content.length);
      if (content.length > 0) yield content;
      pending = pending.subarray(frame.length);
    }
    if (pending.length > MOST_FRAME_BYTES) {
      yield* streamed(pending, chunks, onBlock);
      return;
    }
  }
  if (pending.length > 0) yield* streamed(pending, chunks, onBlock);
}

async function* streamed(
  start: Buffer,
  rest: AsyncIterator<Uint8Array>,
  onBlock: (length: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (zstdWindowBytes(start) > MOST_WINDOW_BYTES) throw new Error('a window of more than 128 MiB');
  const { Decompress } = await import('fzstd');
  let output: Uint8Array[] = [];
  const decoder = new Decompress((block) => {
    onBlock(block.length);
    output.push(block);
  });
  decoder.push(start);
  yield* output;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    output = [];
    decoder.push(next.value);
    yield* output;
  }
  output = [];
  decoder.push(new Uint8Array(0), true);
  yield* output;
}
