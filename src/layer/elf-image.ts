import type { ElfSource } from './elf.ts';

/** A segment that matters here: where it lies in the file, and where in memory. */
export interface ElfSegment {
  readonly kind: 'load' | 'dynamic' | 'interpreter';
  readonly offset: number;
  readonly fileSize: number;
  readonly address: number;
}

export interface ElfImage {
  readonly source: ElfSource;
  readonly is64: boolean;
  readonly machine: string;
  readonly segments: readonly ElfSegment[];
}

const EXECUTABLE = 2;
const SHARED_OBJECT = 3;
/** Linkers write a dozen; more than this is no program. */
const MOST_SEGMENTS = 1024;
const SEGMENT_KINDS: Readonly<Record<number, ElfSegment['kind']>> = { 1: 'load', 2: 'dynamic', 3: 'interpreter' };

/** e_machine values of the gABI, named as `uname -m` does. */
const MACHINES: Readonly<Record<number, string>> = {
  3: 'i386',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x86_64',
  183: 'aarch64',
  243: 'riscv64',
  258: 'loongarch64',
};

/** Reads the file header and the program headers; undefined for anything but a linked little-endian ELF file. */
export function openElfImage(source: ElfSource): ElfImage | undefined {
  const header = source.read(0, 64);
  if (header.length < 52 || header.readUInt32BE(0) !== 0x7f454c46 || header[5] !== 1) return undefined;
  const is64 = header[4] === 2;
  if ((!is64 && header[4] !== 1) || (is64 && header.length < 64)) return undefined;
  const type = header.readUInt16LE(16);
  if (type !== EXECUTABLE && type !== SHARED_OBJECT) return undefined;
  const machine = header.readUInt16LE(18);
  const tableOffset = is64 ? wide(header, 32) : header.readUInt32LE(28);
  const entrySize = header.readUInt16LE(is64 ? 54 : 42);
  const count = header.readUInt16LE(is64 ? 56 : 44);
  const isTable = entrySize >= (is64 ? 56 : 32) && count <= MOST_SEGMENTS && Number.isSafeInteger(tableOffset);
  const table = isTable ? source.read(tableOffset, count * entrySize) : Buffer.alloc(0);
  const segments: ElfSegment[] = [];
  for (let start = 0; isTable && start + entrySize <= table.length; start += entrySize) {
    const segment = segmentAt(table.subarray(start, start + entrySize), is64);
    if (segment !== undefined) segments.push(segment);
  }
  return { source, is64, machine: machineName(machine), segments };
}

export function machineName(machine: number): string {
  return MACHINES[machine] ?? `machine ${machine}`;
}

function segmentAt(entry: Buffer, is64: boolean): ElfSegment | undefined {
  const kind = SEGMENT_KINDS[entry.readUInt32LE(0)];
  if (kind === undefined) return undefined;
  return is64
    ? { kind, offset: wide(entry, 8), address: wide(entry, 16), fileSize: wide(entry, 32) }
    : { kind, offset: entry.readUInt32LE(4), address: entry.readUInt32LE(8), fileSize: entry.readUInt32LE(16) };
}

/** A 64-bit number; what a file cannot be as large as comes back as Infinity, which no bound check lets through. */
export function wide(bytes: Buffer, offset: number): number {
  const high = bytes.readUInt32LE(offset + 4);
  return high >= 0x20_0000 ? Number.POSITIVE_INFINITY : high * 2 ** 32 + bytes.readUInt32LE(offset);
}

/** Where in the file the byte lies that will be at this address; undefined when no segment brings it from the file. */
export function fileOffsetOf(image: ElfImage, address: number): number | undefined {
  for (const { kind, offset, fileSize, address: start } of image.segments) {
    if (kind === 'load' && address >= start && address < start + fileSize) return offset + (address - start);
  }
  return undefined;
}
