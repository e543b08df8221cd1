import { type Digest, isDigest } from '../model/digest.ts';
import type { Hash } from '../model/package-hash.ts';
import { type ContainerEntry, containerEntry, containerKey } from './container-entry.ts';
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

/** What a part of the index says. */
export interface IndexContent {
  readonly packages: readonly IndexEntry[];
  readonly containers: readonly ContainerEntry[];
}

export const EMPTY_INDEX: IndexContent = { packages: [], containers: [] };

/*
 * A part of the index is one JSON document: keys and platforms that many packages share stand in tables, a package is a
 * list. Packages are sorted by HASH, then key, and each pair comes once; containers by what they are.
 */
const part = object({
  format: oneOf(INDEX_FORMAT),
  keys: listOf(digest, 10_000),
  platforms: listOf(platform, 100),
  packages: listOf(packageRow, 2_000_000),
  containers: listOf(containerEntry, 1_000_000),
});

type Row = readonly [Hash, Digest, number, string, string, number, number];

export function indexPartText({ packages, containers }: IndexContent): string {
  const sorted = [...packages].sort(compareEntries);
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
  const sortedContainers = [...containers].sort(compareContainers);
  return canonicalText({ format: INDEX_FORMAT, keys, platforms, packages: rows, containers: sortedContainers });
}

/** Throws `FieldFault` for what is not exactly a part of this format. */
export function parseIndexPart(document: string): IndexContent {
  const { keys, platforms, packages, containers } = readCanonical(document, part);
  requireTable(keys, new Set(packages.map((row) => row[2])));
  requireTable(platforms, new Set(packages.map((row) => row[5])));
  const entries = packages.map(([hash, buildKey, keyAt, name, shownVersion, platformAt, size]): IndexEntry => {
    const key = keys[keyAt];
    const entryPlatform = platforms[platformAt];
    if (key === undefined || entryPlatform === undefined) {
      throw new FieldFault('expected keys and platforms of the tables');
    }
    return { hash, buildKey, key, name, version: shownVersion, platform: entryPlatform, size };
  });
  requireSorted(entries, compareEntries);
  requireSorted(containers, compareContainers);
  return { packages: entries, containers };
}

/** Both, each package and container once: of two containers the later, of two packages that of the first. */
export function mergeIndex(first: IndexContent, second: IndexContent): IndexContent {
  const packages = new Map<string, IndexEntry>();
  for (const entry of [...second.packages, ...first.packages]) packages.set(`${entry.hash} ${entry.key}`, entry);
  const containers = new Map<string, ContainerEntry>();
  for (const entry of [...second.containers, ...first.containers]) {
    const known = containers.get(containerKey(entry));
    if (known === undefined || known.time <= entry.time) containers.set(containerKey(entry), entry);
  }
  return { packages: [...packages.values()], containers: [...containers.values()] };
}

export function compareEntries(a: IndexEntry, b: IndexEntry): number {
  if (a.hash !== b.hash) return a.hash < b.hash ? -1 : 1;
  return a.key === b.key ? 0 : a.key < b.key ? -1 : 1;
}

function compareContainers(a: ContainerEntry, b: ContainerEntry): number {
  const [left, right] = [containerKey(a), containerKey(b)];
  return left === right ? 0 : left < right ? -1 : 1;
}

/** A table is sorted, and each of its lines is used, so that a part has one form. */
function requireTable(lines: readonly string[], used: ReadonlySet<number>): void {
  requireSorted(lines, (a, b) => (a < b ? -1 : a > b ? 1 : 0));
  if (used.size !== lines.length) throw new FieldFault('expected tables without unused lines');
}

function requireSorted<Entry>(entries: readonly Entry[], compare: (a: Entry, b: Entry) => number): void {
  for (let index = 1; index < entries.length; index += 1) {
    if (compare(entries[index - 1]!, entries[index]!) >= 0) throw new FieldFault('expected sorted entries');
  }
}

function packageRow(value: unknown, path: string): Row {
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
