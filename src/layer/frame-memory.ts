/** How much of a stream is compressed at once. Part of every encoder: see `encoderOf`. */
export const FRAME_BYTES = 4 * 1024 * 1024;

/** New memory of this size comes zeroed from the kernel, page by page, which takes longer than filling it. */
const spare: ArrayBuffer[] = [];
const MOST_SPARE = 16;

/** Memory for one frame; what was in it before is still there. */
export function takeFrame(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(spare.pop() ?? new ArrayBuffer(FRAME_BYTES));
}

/** Takes memory of `takeFrame` that nobody uses any more. Any other is left to the garbage collector. */
export function giveFrameBack({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === FRAME_BYTES && spare.length < MOST_SPARE)
    spare.push(buffer);
}
