import { ZstdFault } from './zstd-tables.ts';

/** What the first bytes of a zstd frame say (RFC 8878, 3.1.1.1). Sizes are in bytes. */
export interface ZstdFrameHeader {
  /** What of the content must stay in memory. */
  readonly windowBytes: number;
  /** Undefined where the frame does not tell. */
  readonly contentBytes: number | undefined;
  readonly hasChecksum: boolean;
}

/** Above this a frame is refused: what the program zstd accepts, too, when it is not told otherwise. */
export const MOST_WINDOW_BYTES = 128 * 1024 * 1024;

const DICTIONARY_ID_LENGTHS = [0, 1, 2, 4];

/** How long the header is behind the magic number, by its first byte. */
export function zstdHeaderLength(descriptor: number): number {
  const { sizeLength, dictionaryLength, isSingleSegment } = readDescriptor(descriptor);
  return 1 + (isSingleSegment ? 0 : 1) + dictionaryLength + sizeLength;
}

/** Reads a whole header, without the magic number. @throws ZstdFault for what is not to be decoded */
export function readZstdHeader(bytes: Buffer): ZstdFrameHeader {
  const descriptor = bytes[0]!;
  const { sizeLength, dictionaryLength, isSingleSegment } = readDescriptor(descriptor);
  if ((descriptor & 0x08) !== 0) throw new ZstdFault('a frame with a bit that is reserved');
  const dictionaryAt = isSingleSegment ? 1 : 2;
  const dictionary = dictionaryLength === 0 ? 0 : bytes.readUIntLE(dictionaryAt, dictionaryLength);
  if (dictionary !== 0) throw new ZstdFault('a frame that needs a dictionary');
  const contentBytes = readContentSize(bytes, dictionaryAt + dictionaryLength, sizeLength);
  const windowBytes = isSingleSegment ? (contentBytes ?? 0) : windowOf(bytes[1]!);
  if (windowBytes > MOST_WINDOW_BYTES) throw new ZstdFault('a window of more than 128 MiB');
  return { windowBytes, contentBytes, hasChecksum: (descriptor & 0x04) !== 0 };
}

function readDescriptor(descriptor: number) {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeLength = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag;
  return { isSingleSegment, sizeLength, dictionaryLength: DICTIONARY_ID_LENGTHS[descriptor & 3]! };
}

function windowOf(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}

function readContentSize(bytes: Buffer, offset: number, length: number): number | undefined {
  if (length === 0) return undefined;
  if (length === 8) return Number(bytes.readBigUInt64LE(offset));
  // Two bytes count from 256 on.
  return bytes.readUIntLE(offset, length) + (length === 2 ? 256 : 0);
}
