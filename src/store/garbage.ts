import type { Digest } from '../model/digest.ts';
import type { Hash } from '../model/package-hash.ts';
import type { PackageRecord } from '../model/record.ts';
import type { RootUse } from './remembered-roots.ts';
import type { StoreCategory, StoreItem } from './store-inventory.ts';

/** What a store holds, as far as deciding what may go needs it. */
export interface StoreInventory {
  readonly items: Readonly<Record<StoreCategory, readonly StoreItem[]>>;
  /** The whole records, by HASH. */
  readonly records: ReadonlyMap<Hash, PackageRecord>;
  /** The HASH each build key stands for. */
  readonly buildKeys: ReadonlyMap<Digest, Hash>;
  /** By the path of a note: every digest in its text. */
  readonly notes: ReadonlyMap<string, readonly Digest[]>;
  /** By the name of an encoding: the blob that holds it. */
  readonly encodings: ReadonlyMap<string, Digest>;
  /** Paths of the documents of remembered roots that are still there. */
  readonly livingUses: ReadonlySet<string>;
}

/**
 * The items nothing refers to. Kept are: what the roots name; notes about that; records, notes, encodings, failed builds
 * and build roots used at `usedSinceMs` or later; and what those name in turn. Names come before what they name, so that a collection which is
 * cut short never leaves a name without its object.
 */
export function chooseGarbage(
  inventory: StoreInventory,
  roots: readonly RootUse[],
  usedSinceMs: number,
): readonly StoreItem[] {
  const { items } = inventory;
  const digests = new Set(roots.flatMap((root) => root.digests));
  const isRecent = (item: StoreItem) => item.usedMs >= usedSinceMs;
  const isNamed = (item: StoreItem) => digests.has(item.name);
  const keepAll = (named: readonly Digest[]) => named.forEach((digest) => void digests.add(digest));

  const hashes = new Set(roots.flatMap((root) => root.hashes));
  const keptRecords = new Map<Hash, PackageRecord>();
  const records = items.records.filter((item) => {
    const record = inventory.records.get(item.name);
    if (record === undefined || !(hashes.has(item.name) || isRecent(item))) return true;
    keptRecords.set(item.name, record);
    keepAll(digestsOfRecord(record));
    return false;
  });
  const buildKeys = items['build-keys'].filter(({ name }) => !keptRecords.has(inventory.buildKeys.get(name) ?? ''));
  const notes = items.notes.filter((item) => {
    const named = inventory.notes.get(item.path) ?? [];
    const isKept = isRecent(item) || named.some((digest) => digests.has(digest));
    if (isKept) keepAll(named);
    return !isKept;
  });
  const encodings = items.encodings.filter((item) => {
    const blob = inventory.encodings.get(item.name);
    if (blob === undefined || !(digests.has(item.name.slice(0, 64)) || isRecent(item))) return true;
    digests.add(blob);
    return false;
  });
  const currentTrees = new Set(items.trees.filter(({ current }) => current).map(({ name }) => name));
  const trees = items.trees.filter((item) =>
    item.current ? !isNamed(item) && !isRecent(item) : !isNamed(item) || currentTrees.has(item.name),
  );
  return [
    ...items.uses.filter(({ path }) => !inventory.livingUses.has(path)),
    ...buildKeys,
    ...records,
    ...notes,
    ...encodings,
    ...items.roots.filter((item) => !item.current || !isRecent(item)),
    ...trees,
    ...items.blobs.filter((item) => !isNamed(item) && !isRecent(item)),
    ...items.failed.filter((item) => !isRecent(item)),
  ];
}

/** Everything a record needs to be of use: its layers, their listings, what it was made from, its log. */
function digestsOfRecord({ outputs, sources, patches, log }: PackageRecord): readonly Digest[] {
  const layers = Object.values(outputs).flatMap(({ diffId, listing }) => [diffId, listing]);
  return [...layers, ...sources, ...patches, ...(log === undefined ? [] : [log])];
}
