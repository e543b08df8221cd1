import type { ElfFacts } from '../model/layer.ts';
import { type ElfImage, fileOffsetOf, wide } from './elf-image.ts';

export type DynamicFacts = Pick<ElfFacts, 'soname' | 'needed' | 'defines' | 'runPaths'>;

const MOST_DYNAMIC_BYTES = 64 * 1024;
const MOST_STRING_BYTES = 64 * 1024 * 1024;
const LONGEST_STRING = 4096;
/** libstdc++ defines about sixty versions; a list that goes on for longer is a loop or a lie. */
const MOST_VERSIONS = 10_000;

/** gABI, "Dynamic Array Tags"; the version tags are those of LSB, "Symbol Versioning". */
const TAG = {
  needed: 1,
  stringTable: 5,
  stringTableSize: 10,
  soname: 14,
  runPathOld: 15,
  runPath: 29,
  definitions: 0x6ffffffc,
  definitionCount: 0x6ffffffd,
  needs: 0x6ffffffe,
  needCount: 0x6fffffff,
} as const;

type ReadString = (offset: number) => string | undefined;

/** What the dynamic section says; nothing of anything for a static program. */
export function readDynamicFacts(image: ElfImage): DynamicFacts {
  const tags = readTags(image);
  const readString = stringTable(image, tags);
  const strings = (tag: number) =>
    (tags.get(tag) ?? []).flatMap((offset) => {
      const text = readString(offset);
      return text === undefined || text === '' ? [] : [text];
    });
  const versions = readNeededVersions(image, tags, readString);
  const sonames = [...new Set(strings(TAG.needed))];
  return {
    soname: strings(TAG.soname)[0],
    needed: sonames.map((soname) => ({ soname, versions: [...new Set(versions.get(soname) ?? [])].sort() })),
    defines: readDefinedVersions(image, tags, readString),
    runPaths: [...strings(TAG.runPathOld), ...strings(TAG.runPath)].flatMap((paths) => paths.split(':')),
  };
}

/** More names than the largest browser has. */
const MOST_NAME_BYTES = 16 * 1024 * 1024;

/** Which of these symbols a file names in its dynamic string table: it imports or defines them. */
export function namedSymbols(image: ElfImage, symbols: readonly string[]): readonly string[] {
  const tags = readTags(image);
  const address = tags.get(TAG.stringTable)?.[0];
  const start = address === undefined ? undefined : fileOffsetOf(image, address);
  if (start === undefined) return [];
  const names = image.source.read(start, Math.min(tags.get(TAG.stringTableSize)?.[0] ?? 0, MOST_NAME_BYTES));
  return symbols.filter((symbol) => names.includes(`\0${symbol}\0`, 0, 'latin1'));
}

function readTags(image: ElfImage): ReadonlyMap<number, readonly number[]> {
  const tags = new Map<number, number[]>();
  const segment = image.segments.find(({ kind }) => kind === 'dynamic');
  if (segment === undefined || !Number.isFinite(segment.offset)) return tags;
  const bytes = image.source.read(segment.offset, Math.min(segment.fileSize, MOST_DYNAMIC_BYTES));
  const step = image.is64 ? 16 : 8;
  for (let start = 0; start + step <= bytes.length; start += step) {
    const tag = image.is64 ? wide(bytes, start) : bytes.readUInt32LE(start);
    if (tag === 0) break;
    const value = image.is64 ? wide(bytes, start + 8) : bytes.readUInt32LE(start + 4);
    const values = tags.get(tag);
    if (values === undefined) tags.set(tag, [value]);
    else values.push(value);
  }
  return tags;
}

function stringTable(image: ElfImage, tags: ReadonlyMap<number, readonly number[]>): ReadString {
  const address = tags.get(TAG.stringTable)?.[0];
  const size = Math.min(tags.get(TAG.stringTableSize)?.[0] ?? 0, MOST_STRING_BYTES);
  const start = address === undefined ? undefined : fileOffsetOf(image, address);
  if (start === undefined) return () => undefined;
  return (offset) => {
    if (offset >= size) return undefined;
    const bytes = image.source.read(start + offset, Math.min(LONGEST_STRING, size - offset));
    const end = bytes.indexOf(0);
    return end < 0 ? undefined : bytes.toString('utf8', 0, end);
  };
}

/** .gnu.version_r: a list of libraries, each with a list of version names. */
function readNeededVersions(
  image: ElfImage,
  tags: ReadonlyMap<number, readonly number[]>,
  readString: ReadString,
): ReadonlyMap<string, string[]> {
  const versions = new Map<string, string[]>();
  const count = Math.min(tags.get(TAG.needCount)?.[0] ?? 0, MOST_VERSIONS);
  let remaining = MOST_VERSIONS;
  for (const need of chained(image, tags.get(TAG.needs)?.[0], count, 16, (entry) => entry.readUInt32LE(12))) {
    const soname = readString(need.entry.readUInt32LE(4));
    const names: string[] = [];
    const firstOffset = need.offset + need.entry.readUInt32LE(8);
    const nameCount = Math.min(need.entry.readUInt16LE(2), remaining);
    remaining -= nameCount;
    for (const { entry } of chainedAt(image, firstOffset, nameCount, 16, (bytes) => bytes.readUInt32LE(12))) {
      const name = readString(entry.readUInt32LE(8));
      if (name !== undefined) names.push(name);
    }
    if (soname !== undefined) versions.set(soname, [...(versions.get(soname) ?? []), ...names]);
  }
  return versions;
}

const BASE_DEFINITION = 1;

/** .gnu.version_d: version names this file defines; its own name as the base version is not one of them. */
function readDefinedVersions(
  image: ElfImage,
  tags: ReadonlyMap<number, readonly number[]>,
  readString: ReadString,
): readonly string[] {
  const names = new Set<string>();
  const count = Math.min(tags.get(TAG.definitionCount)?.[0] ?? 0, MOST_VERSIONS);
  for (const { entry, offset } of chained(image, tags.get(TAG.definitions)?.[0], count, 20, (bytes) =>
    bytes.readUInt32LE(16),
  )) {
    if ((entry.readUInt16LE(2) & BASE_DEFINITION) !== 0) continue;
    const auxiliary = image.source.read(offset + entry.readUInt32LE(12), 8);
    const name = auxiliary.length < 8 ? undefined : readString(auxiliary.readUInt32LE(0));
    if (name !== undefined) names.add(name);
  }
  return [...names].sort();
}

interface ChainEntry {
  readonly entry: Buffer;
  readonly offset: number;
}

function chained(
  image: ElfImage,
  address: number | undefined,
  count: number,
  size: number,
  next: (entry: Buffer) => number,
): Iterable<ChainEntry> {
  const offset = address === undefined ? undefined : fileOffsetOf(image, address);
  return offset === undefined ? [] : chainedAt(image, offset, count, size, next);
}

/** Entries that each tell how far on the next one lies; ends at 0, at the end of the file, or after `count`. */
function* chainedAt(
  image: ElfImage,
  start: number,
  count: number,
  size: number,
  next: (entry: Buffer) => number,
): Iterable<ChainEntry> {
  let offset = start;
  for (let i = 0; i < count; i += 1) {
    const entry = image.source.read(offset, size);
    if (entry.length < size) return;
    yield { entry, offset };
    const step = next(entry);
    if (step === 0) return;
    offset += step;
  }
}
