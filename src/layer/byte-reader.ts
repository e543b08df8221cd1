/**
 * Reads an unbroken run of bytes out of a stream of chunks. What lies inside one chunk is handed out as a view of it,
 * without a copy, and holds until something is asked for that lies beyond: a source may use a chunk's memory again for the
 * next one. Not for concurrent use.
 */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);
  #offset = 0;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#chunks = bytes[Symbol.asyncIterator]();
  }

  /** The next `length` bytes if they are all there without waiting, else undefined. */
  takeNow(length: number): Buffer | undefined {
    const end = this.#offset + length;
    if (end > this.#chunk.length) return undefined;
    const bytes = this.#chunk.subarray(this.#offset, end);
    this.#offset = end;
    return bytes;
  }

  /** The next `length` bytes; fewer only where the stream ends. */
  async take(length: number): Promise<Buffer> {
    const bytes = this.takeNow(length);
    if (bytes !== undefined) return bytes;
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0; ) {
      const part = await this.takeSome(missing);
      if (part === undefined) break;
      parts.push(part.length === missing ? part : Buffer.from(part));
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** At least one and at most `length` of the next bytes; undefined at the end of the stream. */
  async takeSome(length: number): Promise<Buffer | undefined> {
    while (this.#offset === this.#chunk.length) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
      this.#offset = 0;
    }
    return this.takeNow(Math.min(length, this.#chunk.length - this.#offset));
  }

  /** Tells the source that nothing more will be read. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
