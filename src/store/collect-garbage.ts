import { rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { canonicalJson, type JsonValue } from '../model/canonical-json.ts';
import { type Digest, sha256 } from '../model/digest.ts';
import type { LayerBlob } from '../model/layer.ts';
import type { Hash } from '../model/package-hash.ts';
import type { LockOptions } from '../system/lock.ts';
import { writeFailure } from '../system/write-failure.ts';
import { withCollectionLock } from './collection-lock.ts';
import { readDocument } from './document.ts';
import { chooseGarbage, type StoreInventory } from './garbage.ts';
import { removeKeptDirectory } from './kept-directories.ts';
import { keptRecordFrom } from './records.ts';
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
  const bytes = await freedBytes(garbage);
  if (!dryRun) await removeItems(store, garbage, options.signal);
  return { dryRun, bytes, categories: countByCategory(garbage) };
}

function readInventory(store: Store, living: readonly RememberedRoot[]): StoreInventory {
  const items = Object.fromEntries(
    STORE_CATEGORIES.map((category) => [category, listItems(store, category)]),
  ) as unknown as Record<StoreCategory, readonly StoreItem[]>;
  return {
    items,
    records: readAll(store, items.records, ({ name }, value) => entry(name, keptRecordFrom(value, name)?.record)),
    buildKeys: readAll(store, items['build-keys'], ({ name }, value) => entry(name, (value as { hash: Hash }).hash)),
    notes: readAll(store, items.notes, ({ path }, value) => entry(path, digestsIn(value))),
    encodings: readAll(store, items.encodings, ({ name }, value) =>
      entry(name, (value as unknown as LayerBlob).digest),
    ),
    livingUses: new Set(living.map(({ path }) => usePath(store, sha256(path)))),
  };
}

/** Reading for a collection is no use of what is read. */
function readAll<Value>(
  store: Store,
  items: readonly StoreItem[],
  convert: (item: StoreItem, value: JsonValue) => readonly [string, Value] | undefined,
): ReadonlyMap<string, Value> {
  const read = items.flatMap((item) => {
    const value = readDocument(store, item.path, { countsAsUse: false });
    const converted = value === undefined ? undefined : convert(item, value);
    return converted === undefined ? [] : [converted];
  });
  return new Map(read);
}

function entry<Value>(key: string, value: Value | undefined): readonly [string, Value] | undefined {
  return value === undefined ? undefined : [key, value];
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

async function removeItems(
  store: Store,
  garbage: readonly StoreItem[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { category, path } of garbage) {
    signal?.throwIfAborted();
    if (category === 'trees' || category === 'roots') {
      await removeKeptDirectory(store, path);
      removeIfEmpty(dirname(path));
    } else removeFile(path);
  }
}

function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw writeFailure(error, { verb: 'remove', path });
  }
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
