import { parentPort } from 'node:worker_threads';
import { type FrameCompression, loadFrameCompressor } from './compress-frame.ts';

export interface CompressTask {
  readonly id: number;
  readonly compression: FrameCompression;
  readonly bytes: Uint8Array;
}

/** `frame` is the memory of the task's bytes, given back to be used again. */
export type CompressAnswer =
  | { readonly id: number; readonly bytes: Uint8Array; readonly frame: Uint8Array }
  | { readonly id: number; readonly error: string };

/** The whole of a worker thread: frames in, compressed frames out, one at a time. */
parentPort?.on('message', async ({ id, compression, bytes }: CompressTask) => {
  try {
    const compressed = (await loadFrameCompressor(compression))(bytes);
    // A Buffer may be a view into memory that this thread goes on using; then a copy of its own is sent.
    const isWhole = compressed.byteLength === compressed.buffer.byteLength;
    const own = isWhole ? compressed : new Uint8Array(compressed);
    const answer: CompressAnswer = { id, bytes: own, frame: bytes };
    parentPort?.postMessage(answer, [own.buffer as ArrayBuffer, bytes.buffer as ArrayBuffer]);
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) } satisfies CompressAnswer);
  }
});
