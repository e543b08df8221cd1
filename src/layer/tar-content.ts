import type { ByteReader } from './byte-reader.ts';
import { BLOCK_SIZE } from './tar-header.ts';

/** Makes the error that refuses an archive. */
export type Refuse = (expected: string, found: string) => Error;

/** Reads a whole content and what fills its last block. */
export async function readPadded(reader: ByteReader, size: number, refuse: Refuse): Promise<Buffer> {
  const padded = size + paddingOf(size);
  const bytes = reader.takeNow(padded) ?? (await reader.take(padded));
  if (bytes.length < padded) throw cutOff(size, refuse);
  return bytes.subarray(0, size);
}

/** The content of one member, to be read once: handed out as it comes, in views of the source's chunks. */
export class TarContent {
  readonly #reader: ByteReader;
  readonly #size: number;
  readonly #refuse: Refuse;
  #missing: number;
  #isOpen = true;

  constructor(reader: ByteReader, size: number, refuse: Refuse) {
    this.#reader = reader;
    this.#size = size;
    this.#refuse = refuse;
    this.#missing = size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (!this.#isOpen) throw new Error('A content was asked for after the next member');
      const chunk = await this.#next();
      if (chunk === undefined) return;
      yield chunk;
    }
  }

  /** Reads on to the next header; from then on the content is gone. */
  async skipRest(): Promise<void> {
    this.#isOpen = false;
    while ((await this.#next()) !== undefined);
    const padding = paddingOf(this.#size);
    if ((await this.#reader.take(padding)).length < padding) throw cutOff(this.#size, this.#refuse);
  }

  async #next(): Promise<Buffer | undefined> {
    if (this.#missing === 0) return undefined;
    const chunk = await this.#reader.takeSome(this.#missing);
    if (chunk === undefined) throw cutOff(this.#size, this.#refuse);
    this.#missing -= chunk.length;
    return chunk;
  }
}

function cutOff(size: number, refuse: Refuse): Error {
  return refuse(`${size} bytes of content`, 'an archive that is cut off');
}

function paddingOf(size: number): number {
  return (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE;
}

const ZEROS = Buffer.alloc(64 * 1024);

export function isAllZero(bytes: Buffer): boolean {
  for (let start = 0; start < bytes.length; start += ZEROS.length) {
    const part = bytes.subarray(start, start + ZEROS.length);
    if (part.compare(ZEROS, 0, part.length) !== 0) return false;
  }
  return true;
}
