import { type Digest, isDigest } from '../model/digest.ts';
import type { Hash } from '../model/package-hash.ts';
import { packageName, platform, version } from './published-record.ts';
import { canonicalText, count, digest, FieldFault, listOf, object, oneOf, readCanonical } from './strict-fields.ts';

export const INDEX_FORMAT = 1;

/** One record at a place: that it is there, who made it, and what it is of. */
export interface IndexEntry {
  readonly hash: Hash;
  readonly buildKey: Digest;
  /** Id of the builder's public key. */
  readonly key: Digest;
  readonly name: string;
  readonly version: string;
  readonly platform: string;
  /** Bytes that fetching the package moves: its smallest blobs. */
  readonly size: number;
}

/*
 * A part of the index is one JSON document: names and platforms that many entries share stand in tables, an entry is a
 * list. Entries are sorted by HASH, then key, and each pair comes once.
 */
const part = object({
  format: oneOf(INDEX_FORMAT),
  keys: listOf(digest, 10_000),
  platforms: listOf(platform, 100),
  entries: listOf(entryRow, 2_000_000),
});

type Row = readonly [Hash, Digest, number, string, string, number, number];

export function indexPartText(entries: readonly IndexEntry[]): string {
  const sorted = [...entries].sort(compareEntries);
  const keys = [...new Set(sorted.map(({ key }) => key))].sort();
  const platforms = [...new Set(sorted.map((entry) => entry.platform))].sort();
  const keyAt = new Map(keys.map((key, index) => [key, index]));
  const platformAt = new Map(platforms.map((name, index) => [name, index]));
  const rows = sorted.map(
    (entry): Row => [
      entry.hash,
      entry.buildKey,
      keyAt.get(entry.key)!,
      entry.name,
      entry.version,
      platformAt.get(entry.platform)!,
      entry.size,
    ],
  );
  return canonicalText({ format: INDEX_FORMAT, keys, platforms, entries: rows });
}

/** Throws `FieldFault` for what is not exactly a part of this format. */
export function parseIndexPart(document: string): readonly IndexEntry[] {
  const { keys, platforms, entries } = readCanonical(document, part);
  let previous: IndexEntry | undefined;
  return entries.map(([hash, buildKey, keyAt, name, shownVersion, platformAt, size]) => {
    const key = keys[keyAt];
    const entryPlatform = platforms[platformAt];
    if (key === undefined || entryPlatform === undefined)
      throw new FieldFault('expected keys and platforms of the tables');
    const entry = { hash, buildKey, key, name, version: shownVersion, platform: entryPlatform, size };
    if (previous !== undefined && compareEntries(previous, entry) >= 0) throw new FieldFault('expected sorted entries');
    previous = entry;
    return entry;
  });
}

export function compareEntries(a: IndexEntry, b: IndexEntry): number {
  if (a.hash !== b.hash) return a.hash < b.hash ? -1 : 1;
  return a.key === b.key ? 0 : a.key < b.key ? -1 : 1;
}

function entryRow(value: unknown, path: string): Row {
  if (!Array.isArray(value) || value.length !== 7) throw new FieldFault(`expected an entry at ${path}`);
  const [hash, buildKey, keyAt, name, shownVersion, platformAt, size] = value as readonly unknown[];
  if (typeof hash !== 'string' || !isDigest(hash) || typeof buildKey !== 'string' || !isDigest(buildKey)) {
    throw new FieldFault(`expected two digests at ${path}`);
  }
  return [
    hash,
    buildKey,
    count(keyAt, path),
    packageName(name, path),
    version(shownVersion, path),
    count(platformAt, path),
    count(size, path),
  ];
}
