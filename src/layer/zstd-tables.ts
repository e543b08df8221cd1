/** What the bits of a zstd block say that is damaged. */
export class ZstdFault extends Error {}

/** A finite state entropy table: for each state its symbol, and how to get to the next state (RFC 8878, 4.1). */
export interface FseTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly bases: Uint16Array;
}

/** The literal lengths, match lengths and offsets that are used where a block brings no table (RFC 8878, appendix A). */
export const DEFAULT_TABLES = {
  literals: fseTable(
    6,
    [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
  ),
  offsets: fseTable(5, [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1]),
  matches: fseTable(
    6,
    [
      1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
      1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
    ],
  ),
};

/** The table of one symbol, which takes no bits. */
export function fseTableOfOne(symbol: number): FseTable {
  return { log: 0, symbols: Uint8Array.of(symbol), bits: Uint8Array.of(0), bases: Uint16Array.of(0) };
}

/** Spreads symbols over states by their counts; -1 is a probability below one. */
function fseTable(log: number, counts: readonly number[]): FseTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(counts.length);
  let high = size;
  for (const [symbol, count] of counts.entries()) {
    next[symbol] = Math.abs(count);
    if (count === -1) symbols[--high] = symbol;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let position = 0;
  for (const [symbol, count] of counts.entries()) {
    for (let i = 0; i < count; i += 1) {
      symbols[position] = symbol;
      do position = (position + step) & (size - 1);
      while (position >= high);
    }
  }
  const bits = new Uint8Array(size);
  const bases = new Uint16Array(size);
  for (let state = 0; state < size; state += 1) {
    const symbol = symbols[state]!;
    const count = next[symbol]!;
    next[symbol] = count + 1;
    bits[state] = log - highestBit(count);
    bases[state] = (count << bits[state]!) - size;
  }
  return { log, symbols, bits, bases };
}

/** Reads a table's description. Answers the table, and where what follows begins. */
export function readFseTable(
  bytes: Uint8Array,
  start: number,
  { maxLog, maxSymbol }: { readonly maxLog: number; readonly maxSymbol: number },
): { readonly table: FseTable; readonly end: number } {
  let position = start * 8;
  const limit = bytes.length * 8;
  const read = (count: number) => {
    let value = 0;
    for (let i = 0; i < count; i += 1, position += 1) {
      if (position >= limit) throw new ZstdFault('a table that is cut off');
      value |= ((bytes[position >> 3]! >> (position & 7)) & 1) << i;
    }
    return value;
  };
  const log = 5 + read(4);
  if (log > maxLog) throw new ZstdFault('a table that is too large');
  const counts: number[] = [];
  let left = 1 << log;
  while (left > 0) {
    if (counts.length > maxSymbol) throw new ZstdFault('a table of too many symbols');
    const width = highestBit(left + 1) + 1;
    const lowMask = (1 << (width - 1)) - 1;
    const threshold = (1 << width) - 1 - (left + 1);
    let value = read(width - 1);
    // Small values take one bit less.
    if (value >= threshold) {
      value |= read(1) << (width - 1);
      if (value > lowMask) value -= threshold;
    }
    const count = value - 1;
    left -= Math.abs(count);
    counts.push(count);
    if (count !== 0) continue;
    for (let repeat = 3; repeat === 3; ) {
      repeat = read(2);
      for (let i = 0; i < repeat; i += 1) counts.push(0);
      if (counts.length > maxSymbol + 1) throw new ZstdFault('a table of too many symbols');
    }
  }
  if (left < 0 || counts.length > maxSymbol + 1) throw new ZstdFault('a table with wrong counts');
  return { table: fseTable(log, counts), end: (position + 7) >> 3 };
}

/** For each value of the next `log` bits the symbol that they begin with, and how many of them it takes. */
export interface HuffmanTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
}

const MOST_HUFFMAN_BITS = 11;

/** Reads the description of a Huffman tree (RFC 8878, 4.2.1). */
export function readHuffmanTable(
  bytes: Uint8Array,
  start: number,
): { readonly table: HuffmanTable; readonly end: number } {
  const header = bytes[start];
  if (header === undefined) throw new ZstdFault('a tree that is cut off');
  const end = start + 1 + (header < 128 ? header : (header - 126) >> 1);
  if (end > bytes.length) throw new ZstdFault('a tree that is cut off');
  const weights =
    header < 128 ? fseWeights(bytes.subarray(start + 1, end)) : plainWeights(bytes, start + 1, header - 127);
  return { table: huffmanTable(weights), end };
}

function plainWeights(bytes: Uint8Array, start: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const byte = bytes[start + (index >> 1)]!;
    return index % 2 === 0 ? byte >> 4 : byte & 15;
  });
}

/** Two states take turns until the bits are used up. */
function fseWeights(bytes: Uint8Array): number[] {
  const { table, end } = readFseTable(bytes, 0, { maxLog: 6, maxSymbol: 255 });
  const reader = new BackwardBits(bytes.subarray(end));
  const weights: number[] = [];
  const states = [reader.read(table.log), reader.read(table.log)];
  if (reader.left < 0) throw new ZstdFault('weights that are cut off');
  for (let turn = 0; weights.length < 255; turn ^= 1) {
    const state = states[turn]!;
    weights.push(table.symbols[state]!);
    const count = table.bits[state]!;
    if (reader.left < count) {
      weights.push(table.symbols[states[turn ^ 1]!]!);
      return weights;
    }
    states[turn] = table.bases[state]! + reader.read(count);
  }
  throw new ZstdFault('too many weights');
}

/** The weight of the last symbol is what is missing to a power of two. */
function huffmanTable(weights: number[]): HuffmanTable {
  let sum = 0;
  for (const weight of weights) {
    if (weight > MOST_HUFFMAN_BITS + 1) throw new ZstdFault('a weight that is too large');
    sum += weight === 0 ? 0 : 1 << (weight - 1);
  }
  if (sum === 0 || weights.length > 255) throw new ZstdFault('a tree without symbols');
  const log = highestBit(sum) + 1;
  const rest = (1 << log) - sum;
  if (log > MOST_HUFFMAN_BITS || (rest & (rest - 1)) !== 0) throw new ZstdFault('weights that make no tree');
  const all = [...weights, highestBit(rest) + 1];
  const symbols = new Uint8Array(1 << log);
  const bits = new Uint8Array(1 << log);
  let position = 0;
  for (let weight = 1; weight <= log; weight += 1) {
    for (const [symbol, own] of all.entries()) {
      if (own !== weight) continue;
      const end = position + (1 << (weight - 1));
      symbols.fill(symbol, position, end);
      bits.fill(log + 1 - weight, position, end);
      position = end;
    }
  }
  return { log, symbols, bits };
}

/** Reads bits from the end of some bytes to their beginning; the highest bit that is set marks the end (4.1). */
export class BackwardBits {
  readonly #bytes: Uint8Array;
  /** How many are left; below 0 where more were read than there are. */
  left: number;

  constructor(bytes: Uint8Array) {
    const last = bytes.at(-1);
    if (last === undefined || last === 0) throw new ZstdFault('bits without an end');
    this.#bytes = bytes;
    this.left = (bytes.length - 1) * 8 + highestBit(last);
  }

  /** At most 31 bits; zeros for those that are not there. */
  read(count: number): number {
    if (count > 24) return this.read(count - 16) * 65536 + this.read(16);
    this.left -= count;
    const position = this.left;
    if (position < 0) return position + count <= 0 ? 0 : this.#peek(0, position + count) << -position;
    return this.#peek(position, count);
  }

  #peek(position: number, count: number): number {
    const bytes = this.#bytes;
    const at = position >> 3;
    // Bytes beyond the end are undefined, which counts as 0 here.
    const value = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
    return (value >>> (position & 7)) & ((1 << count) - 1);
  }
}

export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}
