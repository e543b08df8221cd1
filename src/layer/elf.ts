import type { ElfFacts } from '../model/layer.ts';
import { readDynamicFacts } from './elf-dynamic.ts';
import { type ElfImage, openElfImage } from './elf-image.ts';

/** Bytes of a file at any place; fewer than asked for where the file ends. */
export interface ElfSource {
  readonly size: number;
  read(offset: number, length: number): Buffer;
}

/**
 * Reads what an ELF executable or shared object (32 or 64 bits, little-endian) says of itself, through its program headers,
 * since section headers may be stripped (System V gABI, "Dynamic Section"; LSB, "Symbol Versioning"). Undefined for
 * everything else, objects that are not linked yet among it. Never throws on what the bytes say: what cannot be followed
 * is left out.
 */
export function readElf(path: string, source: ElfSource | Uint8Array): ElfFacts | undefined {
  const image = openElfImage(source instanceof Uint8Array ? sourceOfBytes(source) : source);
  if (image === undefined) return undefined;
  return {
    path,
    machine: image.machine,
    interpreter: interpreterOf(image),
    ...readDynamicFacts(image),
  };
}

/** Tells from the first bytes whether a file may be ELF. */
export function looksLikeElf(start: Uint8Array): boolean {
  return start.length >= 4 && start[0] === 0x7f && start[1] === 0x45 && start[2] === 0x4c && start[3] === 0x46;
}

const LONGEST_TEXT = 4096;

function interpreterOf(image: ElfImage): string | undefined {
  const segment = image.segments.find(({ kind }) => kind === 'interpreter');
  if (segment === undefined || segment.fileSize > LONGEST_TEXT) return undefined;
  const bytes = image.source.read(segment.offset, segment.fileSize);
  const end = bytes.indexOf(0);
  return end <= 0 ? undefined : bytes.toString('utf8', 0, end);
}

function sourceOfBytes(bytes: Uint8Array): ElfSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { size: buffer.length, read: (offset, length) => buffer.subarray(offset, offset + length) };
}
