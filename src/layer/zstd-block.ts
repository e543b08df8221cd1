import {
  BackwardBits,
  DEFAULT_TABLES,
  type FseTable,
  fseTableOfOne,
  type HuffmanTable,
  readFseTable,
  readHuffmanTable,
  ZstdFault,
} from './zstd-tables.ts';

/** The largest content of a block, whatever the window (RFC 8878, 3.1.1.2.4). */
export const MOST_BLOCK_BYTES = 128 * 1024;

/** What the blocks of one frame have in common. */
export interface ZstdState {
  huffman: HuffmanTable | undefined;
  tables: SequenceTables | undefined;
  readonly offsets: [number, number, number];
}

interface SequenceTables {
  readonly literals: FseTable;
  readonly offsets: FseTable;
  readonly matches: FseTable;
}

export function newZstdState(): ZstdState {
  return { huffman: undefined, tables: undefined, offsets: [1, 4, 8] };
}

/** Where a block's content goes: behind what came before, of which `window` bytes at most may be referred to. */
export interface ZstdTarget {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly window: number;
}

/** Decodes a compressed block (RFC 8878, 3.1.1.3). Answers where its content ends. @throws ZstdFault */
export function decodeZstdBlock(block: Uint8Array, state: ZstdState, target: ZstdTarget): number {
  const { literals, end } = readLiterals(block, state);
  return executeSequences(block.subarray(end), literals, state, target);
}

const RAW = 0;
const RUN_LENGTH = 1;
const COMPRESSED = 2;

function readLiterals(block: Uint8Array, state: ZstdState): { literals: Uint8Array; end: number } {
  const type = at(block, 0) & 3;
  const format = (at(block, 0) >> 2) & 3;
  if (type === RAW || type === RUN_LENGTH) {
    const headerBytes = format === 1 ? 2 : format === 3 ? 3 : 1;
    const header = littleEndian(block, 0, headerBytes);
    const size = checkedSize(headerBytes === 1 ? header >> 3 : header >> 4);
    const end = headerBytes + (type === RAW ? size : 1);
    if (end > block.length) throw new ZstdFault('literals that are cut off');
    if (type === RAW) return { literals: block.subarray(headerBytes, end), end };
    return { literals: new Uint8Array(size).fill(block[headerBytes]!), end };
  }
  const headerBytes = format < 2 ? 3 : format + 2;
  const width = [10, 10, 14, 18][format]!;
  const header = littleEndian(block, 0, headerBytes);
  const size = checkedSize(Math.floor(header / 16) % 2 ** width);
  const packedBytes = Math.floor(header / 2 ** (4 + width)) % 2 ** width;
  const end = headerBytes + packedBytes;
  if (end > block.length) throw new ZstdFault('literals that are cut off');
  const packed = block.subarray(headerBytes, end);
  let start = 0;
  if (type === COMPRESSED) ({ table: state.huffman, end: start } = readHuffmanTable(packed, 0));
  if (state.huffman === undefined) throw new ZstdFault('literals without a tree');
  const literals = new Uint8Array(size);
  if (format === 0) decodeHuffman(packed.subarray(start), literals, state.huffman);
  else decodeFourStreams(packed.subarray(start), literals, state.huffman);
  return { literals, end };
}

function decodeFourStreams(packed: Uint8Array, literals: Uint8Array, table: HuffmanTable): void {
  const each = (literals.length + 3) >> 2;
  if (literals.length < 3 * each) throw new ZstdFault('too few literals for four streams');
  let start = 6;
  for (let stream = 0; stream < 4; stream += 1) {
    const end = stream === 3 ? packed.length : start + littleEndian(packed, 2 * stream, 2);
    if (end > packed.length || start > end) throw new ZstdFault('literals that are cut off');
    const part = literals.subarray(stream * each, stream === 3 ? literals.length : (stream + 1) * each);
    decodeHuffman(packed.subarray(start, end), part, table);
    start = end;
  }
}

/** The bits are read here and not by `BackwardBits`, which takes twice the time. */
function decodeHuffman(packed: Uint8Array, literals: Uint8Array, { log, symbols, bits }: HuffmanTable): void {
  let { left } = new BackwardBits(packed);
  const mask = (1 << log) - 1;
  for (let index = 0; index < literals.length; index += 1) {
    const position = left - log;
    const from = position < 0 ? 0 : position >> 3;
    const next = packed[from]! | (packed[from + 1]! << 8) | (packed[from + 2]! << 16);
    const value = (position < 0 ? next << -position : next >> (position & 7)) & mask;
    literals[index] = symbols[value]!;
    left -= bits[value]!;
    if (left < 0) throw new ZstdFault('literals that are cut off');
  }
  if (left !== 0) throw new ZstdFault('more literals than it says');
}

/** Base value and extra bits of each code (RFC 8878, 3.1.1.3.2.1.1). */
const LITERAL_BASES = Uint32Array.from([
  ...Array.from({ length: 16 }, (_, code) => code),
  ...[16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536],
]);
const LITERAL_BITS = Uint8Array.from([
  ...Array.from({ length: 16 }, () => 0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
]);
const MATCH_BASES = Uint32Array.from([
  ...Array.from({ length: 32 }, (_, code) => code + 3),
  ...[35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539],
]);
const MATCH_BITS = Uint8Array.from([
  ...Array.from({ length: 32 }, () => 0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
]);

/** Below this a loop is faster than a call. */
const SHORT = 32;

function executeSequences(
  section: Uint8Array,
  literals: Uint8Array,
  state: ZstdState,
  { bytes, start, window }: ZstdTarget,
): number {
  const { count, tables, packed } = readSequenceHeader(section, state);
  const limit = start + MOST_BLOCK_BYTES;
  let position = start;
  let literalAt = 0;
  const copyLiterals = (length: number) => {
    if (literalAt + length > literals.length || position + length > limit) throw new ZstdFault('too many literals');
    if (length > SHORT) bytes.set(literals.subarray(literalAt, literalAt + length), position);
    else for (let i = 0; i < length; i += 1) bytes[position + i] = literals[literalAt + i]!;
    literalAt += length;
    position += length;
  };
  if (count > 0 && tables !== undefined) {
    const reader = new BackwardBits(packed);
    const states = {
      literals: reader.read(tables.literals.log),
      offsets: reader.read(tables.offsets.log),
      matches: reader.read(tables.matches.log),
    };
    for (let index = 0; index < count; index += 1) {
      const literalCode = tables.literals.symbols[states.literals]!;
      const matchCode = tables.matches.symbols[states.matches]!;
      const offsetCode = tables.offsets.symbols[states.offsets]!;
      const offsetValue = 2 ** offsetCode + reader.read(offsetCode);
      const matchLength = MATCH_BASES[matchCode]! + reader.read(MATCH_BITS[matchCode]!);
      const literalLength = LITERAL_BASES[literalCode]! + reader.read(LITERAL_BITS[literalCode]!);
      if (index < count - 1) {
        states.literals = nextState(tables.literals, states.literals, reader);
        states.matches = nextState(tables.matches, states.matches, reader);
        states.offsets = nextState(tables.offsets, states.offsets, reader);
      }
      if (reader.left < 0) throw new ZstdFault('sequences that are cut off');
      copyLiterals(literalLength);
      const offset = takeOffset(state.offsets, offsetValue, literalLength);
      if (offset > position || offset > window || offset === 0) throw new ZstdFault('a match before the beginning');
      if (position + matchLength > limit) throw new ZstdFault('a block that is too large');
      if (offset >= matchLength && matchLength > SHORT)
        bytes.copyWithin(position, position - offset, position - offset + matchLength);
      else for (let i = position; i < position + matchLength; i += 1) bytes[i] = bytes[i - offset]!;
      position += matchLength;
    }
    if (reader.left !== 0) throw new ZstdFault('more sequences than it says');
  }
  copyLiterals(literals.length - literalAt);
  return position;
}

function nextState({ bases, bits }: FseTable, state: number, reader: BackwardBits): number {
  return bases[state]! + reader.read(bits[state]!);
}

/** The last three offsets can be referred to (RFC 8878, 3.1.1.5). */
function takeOffset(last: [number, number, number], value: number, literalLength: number): number {
  if (value > 3) {
    last[2] = last[1];
    last[1] = last[0];
    last[0] = value - 3;
    return last[0];
  }
  const index = value - 1 + (literalLength === 0 ? 1 : 0);
  if (index === 0) return last[0];
  const offset = index === 3 ? last[0] - 1 : last[index]!;
  if (index > 1) last[2] = last[1];
  last[1] = last[0];
  last[0] = offset;
  return offset;
}

function readSequenceHeader(section: Uint8Array, state: ZstdState) {
  const first = at(section, 0);
  if (first === 0) {
    if (section.length > 1) throw new ZstdFault('bytes behind its literals');
    return { count: 0, tables: undefined, packed: section.subarray(1) };
  }
  const isLong = first === 255;
  const countBytes = isLong ? 3 : first > 127 ? 2 : 1;
  const count = isLong
    ? littleEndian(section, 1, 2) + 0x7f00
    : first > 127
      ? ((first - 128) << 8) + at(section, 1)
      : first;
  const modes = at(section, countBytes);
  if ((modes & 3) !== 0) throw new ZstdFault('modes that are reserved');
  let start = countBytes + 1;
  const read = (name: keyof SequenceTables, shift: number, maxLog: number, maxSymbol: number): FseTable => {
    switch ((modes >> shift) & 3) {
      case 0:
        return DEFAULT_TABLES[name];
      case 1: {
        const symbol = at(section, start);
        if (symbol > maxSymbol) throw new ZstdFault('a code that is reserved');
        start += 1;
        return fseTableOfOne(symbol);
      }
      case 2: {
        const { table, end } = readFseTable(section, start, { maxLog, maxSymbol });
        start = end;
        return table;
      }
      default:
        if (state.tables === undefined) throw new ZstdFault('a table of a block before the first');
        return state.tables[name];
    }
  };
  const literals = read('literals', 6, 9, 35);
  const offsets = read('offsets', 4, 8, 31);
  const matches = read('matches', 2, 9, 52);
  state.tables = { literals, offsets, matches };
  return { count, tables: state.tables, packed: section.subarray(start) };
}

function checkedSize(size: number): number {
  if (size > MOST_BLOCK_BYTES) throw new ZstdFault('literals of more than a block');
  return size;
}

function at(bytes: Uint8Array, index: number): number {
  const byte = bytes[index];
  if (byte === undefined) throw new ZstdFault('a block that is cut off');
  return byte;
}

function littleEndian(bytes: Uint8Array, start: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i -= 1) value = value * 256 + at(bytes, start + i);
  return value;
}
