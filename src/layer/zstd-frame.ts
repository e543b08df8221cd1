/** What the first bytes of a zstd frame say (RFC 8878, 3.1.1). Lengths are in bytes. */
export interface ZstdFrame {
  /** From the magic number to the end of the checksum. */
  readonly length: number;
  readonly contentSize: number;
}

const MAGIC = 0xfd2fb528;
const DICTIONARY_ID_LENGTHS = [0, 1, 2, 4];
const RUN_LENGTH_BLOCK = 1;
const RESERVED_BLOCK = 3;

/**
 * Measures the frame that begins a buffer, block by block, without decoding it: 'more' where its end is not there yet,
 * 'other' for anything but a frame that tells the size of its content and needs no dictionary.
 */
export function measureZstdFrame(bytes: Buffer): ZstdFrame | 'more' | 'other' {
  if (bytes.length < 5) return 'more';
  const descriptor = bytes[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeLength = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag;
  const dictionaryLength = DICTIONARY_ID_LENGTHS[descriptor & 3]!;
  if (bytes.readUInt32LE(0) !== MAGIC || (descriptor & 0x08) !== 0 || sizeLength === 0 || dictionaryLength > 0) {
    return 'other';
  }
  const sizeAt = isSingleSegment ? 5 : 6;
  let end = sizeAt + sizeLength;
  if (bytes.length < end) return 'more';
  for (let isLast = false; !isLast; ) {
    if (bytes.length < end + 3) return 'more';
    const header = bytes.readUIntLE(end, 3);
    const type = (header >> 1) & 3;
    if (type === RESERVED_BLOCK) return 'other';
    isLast = (header & 1) !== 0;
    end += 3 + (type === RUN_LENGTH_BLOCK ? 1 : header >> 3);
  }
  end += (descriptor & 0x04) === 0 ? 0 : 4;
  return bytes.length < end ? 'more' : { length: end, contentSize: contentSize(bytes, sizeAt, sizeLength) };
}

/** Memory that decoding a frame takes, by its header (RFC 8878, 3.1.1.1.2); 0 where it is told otherwise or not there. */
export function zstdWindowBytes(bytes: Buffer): number {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== MAGIC || (bytes[4]! & 0x20) !== 0) return 0;
  const base = 2 ** (10 + (bytes[5]! >> 3));
  return base + (base / 8) * (bytes[5]! & 7);
}

function contentSize(bytes: Buffer, offset: number, length: number): number {
  if (length === 8) return Number(bytes.readBigUInt64LE(offset));
  // Two bytes count from 256 on.
  return bytes.readUIntLE(offset, length) + (length === 2 ? 256 : 0);
}
