import type { Platform } from '../model/platform.ts';

/** A library the loader may look up: the name others need it by, and its absolute path. */
export interface CachedLibrary {
  readonly name: string;
  readonly path: string;
}

const MAGIC = 'glibc-ld.so.cache1.1';
const HEADER_BYTES = 48;
const ENTRY_BYTES = 24;
/** cache_file_new_flags_endian_little of glibc's dl-cache.h. */
const LITTLE_ENDIAN = 2;
/** FLAG_ELF_LIBC6 with FLAG_X86_64_LIB64, FLAG_AARCH64_LIB64: sysdeps/generic/ldconfig.h. */
const ENTRY_FLAGS = { amd64: 0x0303, arm64: 0x0a03 } as const;

/**
 * Writes /etc/ld.so.cache in the format glibc reads since 2.2 and writes alone since 2.32 (`struct cache_file_new` of
 * sysdeps/generic/dl-cache.h). The first of several libraries with one name wins.
 */
export function ldSoCache(libraries: readonly CachedLibrary[], { architecture }: Platform): Buffer {
  const sorted = libraries
    .map((library, order) => ({ ...library, order }))
    .sort((a, b) => compareLibraryNames(b.name, a.name) || a.order - b.order);
  const strings: Buffer[] = [];
  const start = HEADER_BYTES + sorted.length * ENTRY_BYTES;
  let position = start;
  const addString = (text: string): number => {
    const bytes = Buffer.from(`${text}\0`);
    strings.push(bytes);
    position += bytes.length;
    return position - bytes.length;
  };
  const entries = Buffer.alloc(sorted.length * ENTRY_BYTES);
  sorted.forEach(({ name, path }, index) => {
    const value = addString(path);
    const key = path.endsWith(`/${name}`) ? value + Buffer.byteLength(path) - Buffer.byteLength(name) : addString(name);
    const at = index * ENTRY_BYTES;
    entries.writeInt32LE(ENTRY_FLAGS[architecture], at);
    entries.writeUInt32LE(key, at + 4);
    entries.writeUInt32LE(value, at + 8);
  });
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 'latin1');
  header.writeUInt32LE(sorted.length, 20);
  header.writeUInt32LE(position - start, 24);
  header.writeUInt8(LITTLE_ENDIAN, 28);
  return Buffer.concat([header, entries, ...strings]);
}

/** The order of the loader's binary search, `_dl_cache_libcmp`: runs of digits compare as numbers, above all else. */
export function compareLibraryNames(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length) {
    const left = digitsAt(a, i);
    const right = digitsAt(b, j);
    if (left !== '' && right !== '') {
      if (Number(left) !== Number(right)) return Number(left) - Number(right);
      i += left.length;
      j += right.length;
    } else if (left !== '') return 1;
    else if (right !== '') return -1;
    else if (a[i] !== b[j]) return a.charCodeAt(i) - (j < b.length ? b.charCodeAt(j) : 0);
    else {
      i += 1;
      j += 1;
    }
  }
  return j < b.length ? -1 : 0;
}

function digitsAt(text: string, start: number): string {
  let end = start;
  while (end < text.length && text[end]! >= '0' && text[end]! <= '9') end += 1;
  return text.slice(start, end);
}
