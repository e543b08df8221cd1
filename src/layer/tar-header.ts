import type { TarMemberType } from './tar-member.ts';

/** The fixed block before each member (POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar's manual, "Basic Tar Format"). */
export const BLOCK_SIZE = 512;

/** A header as its bytes say, names still bytes; `size` counts what follows, whatever the type. */
export interface TarHeader {
  readonly typeFlag: string;
  readonly name: Buffer;
  readonly linkName: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
}

/** What is wrong with a header, in the words of an error message. */
export class TarHeaderFault extends Error {
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super(`expected ${expected}, found ${found}`);
    this.expected = expected;
    this.found = found;
  }
}

const MEMBER_TYPES: Readonly<Record<string, TarMemberType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
};

/** The type a flag stands for; undefined for extensions that are not members, or not understood. */
export function memberTypeOf(typeFlag: string): TarMemberType | undefined {
  return MEMBER_TYPES[typeFlag];
}

/**
 * Reads a header block. Returns undefined for a block of zeros; throws `TarHeaderFault` where it contradicts itself.
 * `isLenient` takes what GNU tar takes: numbers that end before their field does, sums of signed bytes, any owner.
 */
export function parseTarHeader(block: Buffer, isLenient = false): TarHeader | undefined {
  const sum = byteSum(block);
  if (sum === 0) return undefined;
  const octal = isLenient ? leadingOctal : wholeOctal;
  const written = octal(block, 148, 8, 'checksum');
  // The checksum counts its own field as eight spaces.
  const computed = sum - byteSum(block.subarray(148, 156)) + 8 * 0x20;
  // Some programs of the past added signed bytes.
  const isSum = written === computed || (isLenient && written === computed - 256 * highBytes(block));
  if (!isSum) throw new TarHeaderFault(`a header with checksum ${computed}`, `${written}`);
  const number = (start: number, length: number, name: string) => numberAt(block, start, length, name, octal);
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
  const name = textField(block, 0, 100);
  // GNU's header ("ustar  ") has other fields where POSIX has the prefix.
  const prefix = isPosix ? textField(block, 345, 155) : name.subarray(0, 0);
  return {
    typeFlag: String.fromCharCode(block[156]!),
    name: prefix.length === 0 ? name : Buffer.concat([prefix, SLASH, name]),
    linkName: textField(block, 157, 100),
    mode: number(100, 8, 'mode') & 0o7777,
    // No source is unpacked with its owners.
    uid: isLenient ? 0 : notNegative(number(108, 8, 'uid'), 'uid'),
    gid: isLenient ? 0 : notNegative(number(116, 8, 'gid'), 'gid'),
    size: notNegative(number(124, 12, 'size'), 'size'),
    mtime: number(136, 12, 'mtime'),
  };
}

const SLASH = Buffer.from('/');

/** Bytes above 127, the checksum's own aside: it counts as spaces. */
function highBytes(block: Buffer): number {
  let count = 0;
  for (let i = 0; i < block.length; i += 1) if (block[i]! > 127 && (i < 148 || i >= 156)) count += 1;
  return count;
}

function byteSum(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 1) sum += bytes[i]!;
  return sum;
}

function textField(block: Buffer, start: number, length: number): Buffer {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** Octal digits, or GNU's base-256: the first bit says so, the second is the sign, the rest is big-endian. */
function numberAt(block: Buffer, start: number, length: number, name: string, octal: typeof wholeOctal): number {
  const first = block[start]!;
  if ((first & 0x80) === 0) return octal(block, start, length, name);
  const isNegative = (first & 0x40) !== 0;
  let value = isNegative ? (first & 0x3f) - 0x40 : first & 0x3f;
  for (let i = start + 1; i < start + length; i += 1) value = value * 256 + block[i]!;
  if (!Number.isSafeInteger(value)) throw new TarHeaderFault(`a ${name} below 2^53`, 'a larger one');
  return value;
}

/** Leading spaces, digits, then nothing but NUL and space. An empty field is 0. */
function wholeOctal(block: Buffer, start: number, length: number, name: string): number {
  let value = 0;
  let i = start;
  const end = start + length;
  while (i < end && block[i] === 0x20) i += 1;
  for (; i < end && block[i]! >= 0x30 && block[i]! <= 0x37; i += 1) value = value * 8 + block[i]! - 0x30;
  for (; i < end; i += 1) {
    if (block[i] !== 0 && block[i] !== 0x20) {
      throw new TarHeaderFault(`octal digits as ${name}`, JSON.stringify(block.toString('latin1', start, end)));
    }
  }
  return value;
}

/** Leading spaces, digits, then NUL, a space or the end of the field: what is behind them does not count. */
function leadingOctal(block: Buffer, start: number, length: number, name: string): number {
  const field = block.subarray(start, start + length);
  const first = field.findIndex((byte) => byte !== 0x20);
  const begin = first < 0 ? length : first;
  const end = field.findIndex((byte, index) => index >= begin && (byte === 0 || byte === 0x20));
  return wholeOctal(block, start, end < 0 ? length : end, name);
}

function notNegative(value: number, name: string): number {
  if (value < 0) throw new TarHeaderFault(`a ${name} that is not negative`, `${value}`);
  return value;
}
