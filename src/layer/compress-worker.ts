import { parentPort } from 'node:worker_threads';
import { type FrameCompression, loadFrameCompressor } from './compress-frame.ts';

export interface CompressTask {
  readonly id: number;
  readonly compression: FrameCompression;
  readonly bytes: Uint8Array;
}

export type CompressAnswer =
  | { readonly id: number; readonly bytes: Uint8Array }
  | { readonly id: number; readonly error: string };

/** The whole of a worker thread: frames in, compressed frames out, one at a time. */
parentPort?.on('message', async ({ id, compression, bytes }: CompressTask) => {
  try {
    const compressed = (await loadFrameCompressor(compression))(bytes);
    // A copy of its own: a Buffer may be a view into memory that this thread goes on using.
    const own = new Uint8Array(compressed);
    parentPort?.postMessage({ id, bytes: own } satisfies CompressAnswer, [own.buffer]);
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) } satisfies CompressAnswer);
  }
});
