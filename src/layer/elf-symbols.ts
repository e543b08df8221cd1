import type { ElfSource } from './elf.ts';
import { namedSymbols } from './elf-dynamic.ts';
import { openElfImage } from './elf-image.ts';

/** Which of these symbols an ELF file names in its dynamic string table; none for everything that is no ELF file. */
export function elfSymbols(source: ElfSource, symbols: readonly string[]): readonly string[] {
  const image = openElfImage(source);
  return image === undefined ? [] : namedSymbols(image, symbols);
}
