import type { ByteReader } from './byte-reader.ts';
import { BLOCK_SIZE } from './tar-header.ts';

/** Makes the error that refuses an archive. */
export type Refuse = (expected: string, found: string) => Error;

/** The content of one member, to be read once. */
export interface TarContent {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Reads on to the next header; from then on the content is gone. */
  skipRest(): Promise<void>;
}

/** Reads a whole content and what fills its last block. */
export async function readPadded(reader: ByteReader, size: number, refuse: Refuse): Promise<Buffer> {
  const padded = size + paddingOf(size);
  const bytes = reader.takeNow(padded) ?? (await reader.take(padded));
  if (bytes.length < padded) throw cutOff(size, refuse);
  return bytes.subarray(0, size);
}

/** Hands out a content as it comes, in views of the source's chunks. */
export function startContent(reader: ByteReader, size: number, refuse: Refuse): TarContent {
  let missing = size;
  let isOpen = true;
  async function next(): Promise<Buffer | undefined> {
    if (missing === 0) return undefined;
    const chunk = await reader.takeSome(missing);
    if (chunk === undefined) throw cutOff(size, refuse);
    missing -= chunk.length;
    return chunk;
  }
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (!isOpen) throw new Error('A content was asked for after the next member');
      const chunk = await next();
      if (chunk === undefined) return;
      yield chunk;
    }
  }
  return {
    bytes: { [Symbol.asyncIterator]: read },
    async skipRest() {
      isOpen = false;
      while ((await next()) !== undefined);
      const padding = paddingOf(size);
      if ((await reader.take(padding)).length < padding) throw cutOff(size, refuse);
    },
  };
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
