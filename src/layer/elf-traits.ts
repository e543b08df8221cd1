import { type ElfSource, looksLikeElf } from './elf.ts';
import { type ElfImage, machineName, openElfImage, wide } from './elf-image.ts';

/** How an ELF file was linked, as far as it matters for what may be shipped. Apart from `ElfFacts`, which records hold. */
export interface ElfTraits {
  /** As `uname -m` says it; undefined where the file is for no machine. */
  readonly machine: string | undefined;
  /** A symbol table or debug information: what `strip` takes away. */
  readonly hasSymbols: boolean;
  readonly hasTextRelocations: boolean;
  /** The program header asks for an executable stack, or a dynamic file lacks the header that says no to it. */
  readonly hasExecutableStack: boolean;
}

const STACK_SEGMENT = 0x6474e551;
const DYNAMIC_SEGMENT = 2;
const EXECUTABLE_FLAG = 1;
const TEXT_RELOCATIONS_TAG = 22;
const FLAGS_TAG = 30;
const TEXT_RELOCATIONS_FLAG = 4;
const MOST_DYNAMIC_BYTES = 64 * 1024;

const SYMBOL_TABLE_SECTION = 2;
/** More than any linker writes. */
const MOST_TABLE_BYTES = 8 * 2 ** 20;
const MOST_NAME_BYTES = 2 ** 20;

/**
 * Reads how an executable or shared object was linked (System V gABI; "Executable stack" of the GNU extensions). Undefined
 * for everything else, objects that are not linked yet among it. Never throws on what the bytes say.
 */
export function readElfTraits(source: ElfSource): ElfTraits | undefined {
  const image = openElfImage(source);
  if (image === undefined) return foreignTraits(source);
  const stack = segmentsOf(image).find(({ kind }) => kind === STACK_SEGMENT);
  const isDynamic = segmentsOf(image).some(({ kind }) => kind === DYNAMIC_SEGMENT);
  return {
    machine: image.machine === 'machine 0' ? undefined : image.machine,
    hasSymbols: hasSymbols(image),
    hasTextRelocations: hasTextRelocations(image),
    hasExecutableStack: stack === undefined ? isDynamic : (stack.flags & EXECUTABLE_FLAG) !== 0,
  };
}

/** A linked file in the other byte order: for another machine, whatever else it is. */
function foreignTraits(source: ElfSource): ElfTraits | undefined {
  const header = source.read(0, 20);
  if (header.length < 20 || !looksLikeElf(header) || header[5] !== 2) return undefined;
  const type = header.readUInt16BE(16);
  if (type !== 2 && type !== 3) return undefined;
  const machine = `${machineName(header.readUInt16BE(18))} (big-endian)`;
  return { machine, hasSymbols: false, hasTextRelocations: false, hasExecutableStack: false };
}

function segmentsOf({ source, is64 }: ElfImage): readonly { readonly kind: number; readonly flags: number }[] {
  const header = source.read(0, 64);
  const offset = is64 ? wide(header, 32) : header.readUInt32LE(28);
  const size = header.readUInt16LE(is64 ? 54 : 42);
  const count = header.readUInt16LE(is64 ? 56 : 44);
  if (size < (is64 ? 56 : 32) || size * count > MOST_TABLE_BYTES || !Number.isSafeInteger(offset)) return [];
  const table = source.read(offset, size * count);
  const segments = [];
  for (let start = 0; start + size <= table.length; start += size) {
    segments.push({ kind: table.readUInt32LE(start), flags: table.readUInt32LE(start + (is64 ? 4 : 24)) });
  }
  return segments;
}

function hasTextRelocations(image: ElfImage): boolean {
  const segment = image.segments.find(({ kind }) => kind === 'dynamic');
  if (segment === undefined || !Number.isFinite(segment.offset)) return false;
  const bytes = image.source.read(segment.offset, Math.min(segment.fileSize, MOST_DYNAMIC_BYTES));
  const step = image.is64 ? 16 : 8;
  for (let start = 0; start + step <= bytes.length; start += step) {
    const tag = image.is64 ? wide(bytes, start) : bytes.readUInt32LE(start);
    if (tag === 0) return false;
    if (tag === TEXT_RELOCATIONS_TAG) return true;
    const low = bytes.readUInt32LE(start + (image.is64 ? 8 : 4));
    if (tag === FLAGS_TAG && (low & TEXT_RELOCATIONS_FLAG) !== 0) return true;
  }
  return false;
}

function hasSymbols({ source, is64 }: ElfImage): boolean {
  const header = source.read(0, 64);
  const offset = is64 ? wide(header, 40) : header.readUInt32LE(32);
  const size = header.readUInt16LE(is64 ? 58 : 46);
  const count = header.readUInt16LE(is64 ? 60 : 48);
  const namesIndex = header.readUInt16LE(is64 ? 62 : 50);
  if (offset === 0 || size < (is64 ? 64 : 40) || !Number.isSafeInteger(offset)) return false;
  if (size * count > MOST_TABLE_BYTES) return false;
  const table = source.read(offset, size * count);
  const names = sectionNames(source, table.subarray(namesIndex * size), is64);
  for (let start = 0; start + size <= table.length; start += size) {
    if (table.readUInt32LE(start + 4) === SYMBOL_TABLE_SECTION) return true;
    const name = table.readUInt32LE(start);
    if (/^\.z?debug_info\0/.test(names.toString('latin1', name, name + 16))) return true;
  }
  return false;
}

function sectionNames(source: ElfSource, section: Buffer, is64: boolean): Buffer {
  if (section.length < (is64 ? 40 : 24)) return Buffer.alloc(0);
  const offset = is64 ? wide(section, 24) : section.readUInt32LE(16);
  const size = is64 ? wide(section, 32) : section.readUInt32LE(20);
  if (!Number.isSafeInteger(offset)) return Buffer.alloc(0);
  return source.read(offset, Math.min(size, MOST_NAME_BYTES));
}
