import { rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { canonicalJson, type JsonValue } from '../model/canonical-json.ts';
import { type Digest, sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { Hash } from '../model/package-hash.ts';
import type { PackageRecord } from '../model/record.ts';
import type { LockOptions } from '../system/lock.ts';
import { removeTree } from '../system/remove-tree.ts';
import { withCollectionLock } from './collection-lock.ts';
import { readDocument } from './document.ts';
import { parseLayerBlob } from './encodings.ts';
import { chooseGarbage, type StoreInventory } from './garbage.ts';
import { removeKeptDirectory } from './kept-directories.ts';
import { parseBuildKey, parseRecordDocument } from './records.ts';
import { listRoots, type RememberedRoot, type RootUse } from './remembered-roots.ts';
import type { Store } from './store.ts';
import { listItems, occupantsOf, STORE_CATEGORIES, type StoreCategory, type StoreItem } from './store-inventory.ts';
import { usePath } from './store-paths.ts';
import { removeAbandoned } from './temporary.ts';

export interface CollectGarbageOptions extends LockOptions {
  /** Besides those the store remembers (see `rememberRoot`). */
  readonly roots?: readonly RootUse[] | undefined;
  /** What was used within this time is kept even when nothing refers to it. */
  readonly maximumAgeMs: number;
  /** Removes nothing and says what would go. */
  readonly dryRun?: boolean | undefined;
}

/** What a collection removed, or would remove. */
export interface GarbageReport {
  readonly dryRun: boolean;
  /** Room on the disk that comes free. A file that has names elsewhere too, in an out directory, frees nothing. */
  readonly bytes: number;
  /** Only categories from which something goes. */
  readonly categories: readonly { readonly category: StoreCategory; readonly count: number }[];
  /** Items that could not be removed; each is one sentence. The others are gone. */
  readonly failures: readonly string[];
}

/**
 * Removes what no root refers to and nobody used lately; see `chooseGarbage` for what is kept. No run is in the store
 * meanwhile: it waits for those that are there, or is `busy` at once with `wait: false`. A dry run disturbs nobody.
 */
export async function collectGarbage(store: Store, options: CollectGarbageOptions): Promise<GarbageReport> {
  const dryRun = options.dryRun ?? false;
  return withCollectionLock(store, dryRun ? 'shared' : 'exclusive', () => collect(store, options, dryRun), options);
}

async function collect(store: Store, options: CollectGarbageOptions, dryRun: boolean): Promise<GarbageReport> {
  if (!dryRun) await removeAbandoned(store);
  const remembered = listRoots(store).filter(({ isThere }) => isThere);
  const inventory = readInventory(store, remembered);
  const garbage = chooseGarbage(
    inventory,
    [...remembered, ...(options.roots ?? [])],
    Date.now() - options.maximumAgeMs,
  );
  if (dryRun) return { dryRun, bytes: await freedBytes(garbage), categories: countByCategory(garbage), failures: [] };
  const bytes = await freedBytes(garbage);
  const failures = await removeItems(store, garbage, options.signal);
  const removed = garbage.filter((item) => !failures.has(item));
  const kept = failures.size === 0 ? 0 : await freedBytes(garbage.filter((item) => failures.has(item)));
  return { dryRun, bytes: bytes - kept, categories: countByCategory(removed), failures: [...failures.values()] };
}

function readInventory(store: Store, living: readonly RememberedRoot[]): StoreInventory {
  const items = Object.fromEntries(
    STORE_CATEGORIES.map((category) => [category, listItems(store, category)]),
  ) as unknown as Record<StoreCategory, readonly StoreItem[]>;
  return {
    items,
    records: readAll(store, items.records, nameOf, (value): PackageRecord | undefined => {
      const kept = parseRecordDocument(value);
      return kept === 'older' ? undefined : kept?.record;
    }),
    buildKeys: readAll(store, items['build-keys'], nameOf, (value): Hash | undefined => parseBuildKey(value)?.hash),
    notes: readAll(store, items.notes, ({ path }) => path, digestsIn),
    encodings: readAll(store, items.encodings, nameOf, (value): Digest | undefined => parseLayerBlob(value)?.digest),
    livingUses: new Set(living.map(({ path }) => usePath(store, sha256(path)))),
  };
}

/** Reading for a collection is no use of what is read. */
function readAll<Value>(
  store: Store,
  items: readonly StoreItem[],
  keyOf: (item: StoreItem) => string,
  convert: (value: JsonValue) => Value | undefined,
): ReadonlyMap<string, Value> {
  const read = new Map<string, Value>();
  for (const item of items) {
    const document = readDocument(store, item.path, { parse: (json) => ({ json }), countsAsUse: false });
    const converted = document === undefined ? undefined : convert(document.json);
    if (converted !== undefined) read.set(keyOf(item), converted);
  }
  return read;
}

function nameOf({ name }: StoreItem): string {
  return name;
}

function digestsIn(value: JsonValue): readonly Digest[] {
  return canonicalJson(value).match(/[0-9a-f]{64}/g) ?? [];
}

/** A file is freed when all of its names go. */
async function freedBytes(garbage: readonly StoreItem[]): Promise<number> {
  const names = new Map<string, number>();
  let bytes = 0;
  for (const { path } of garbage) {
    for await (const { identity, links, bytes: size } of occupantsOf(path)) {
      const going = (names.get(identity) ?? 0) + 1;
      names.set(identity, going);
      if (going === links) bytes += size;
    }
  }
  return bytes;
}

/** Removes each item, whatever it is, and answers those that stayed with the reason. */
async function removeItems(
  store: Store,
  garbage: readonly StoreItem[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<StoreItem, string>> {
  const failures = new Map<StoreItem, string>();
  for (const item of garbage) {
    signal?.throwIfAborted();
    try {
      await removeItem(store, item);
    } catch (error) {
      if (!(error instanceof BuilditError)) throw error;
      failures.set(item, error.message);
    }
  }
  return failures;
}

async function removeItem(store: Store, { category, path }: StoreItem): Promise<void> {
  if (category !== 'trees' && category !== 'roots') return removeTree(path);
  await removeKeptDirectory(store, path);
  removeIfEmpty(dirname(path));
}

/** The directory of a boot that is over. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Something is left in it.
  }
}

function countByCategory(garbage: readonly StoreItem[]): GarbageReport['categories'] {
  const counts = new Map<StoreCategory, number>();
  for (const { category } of garbage) counts.set(category, (counts.get(category) ?? 0) + 1);
  return [...counts].map(([category, count]) => ({ category, count }));
}
