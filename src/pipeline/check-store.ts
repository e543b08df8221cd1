import { lstatSync } from 'node:fs';
import { checkRoot } from '../build/check-root.ts';
import { checkTree } from '../layer/check-tree.ts';
import type { JsonValue } from '../model/canonical-json.ts';
import { type Digest, isDigest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { objectOf } from '../model/json-shape.ts';
import type { DiffId, KeptLayer } from '../model/layer.ts';
import { printable } from '../model/names.ts';
import { isKeptLayer } from '../model/record-shape.ts';
import { removeBuildRootAt } from '../store/build-roots.ts';
import { withCollectionLock } from '../store/collection-lock.ts';
import { readDocument } from '../store/document.ts';
import { parseLayerBlob } from '../store/encodings.ts';
import { readKeptList } from '../store/kept-list.ts';
import { verifyBlob } from '../store/read-blob.ts';
import { parseBuildKey, parseRecordDocument } from '../store/records.ts';
import { parseRoot } from '../store/remembered-roots.ts';
import type { Store } from '../store/store.ts';
import { listItems, type StoreCategory, type StoreItem } from '../store/store-inventory.ts';
import { removeTreeAt } from '../store/trees.ts';
import { removeTree } from '../system/remove-tree.ts';
import { systemErrorCode } from '../system/write-failure.ts';

export interface DamagedItem {
  readonly category: StoreCategory;
  readonly path: string;
  /** What is wrong and what became of it: one clause. */
  readonly text: string;
}

export interface StoreReport {
  readonly checked: number;
  readonly damaged: readonly DamagedItem[];
  /** Trees and roots that nothing in the store describes any more: `gc` removes them. */
  readonly unknown: readonly string[];
}

export interface CheckStoreOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

const CATEGORIES = ['blobs', 'records', 'build-keys', 'encodings', 'notes', 'uses', 'trees', 'roots'] as const;
type CheckedCategory = (typeof CATEGORIES)[number];

/**
 * Compares everything in a store with its digest or its list, by content. What is damaged is removed, since all of it can
 * be fetched or made again. Other runs go on meanwhile; garbage collection waits.
 */
export async function checkStore(opened: Store, { signal, onProgress }: CheckStoreOptions): Promise<StoreReport> {
  const store: Store = { ...opened, verifiesContents: true, onWarning: undefined };
  return withCollectionLock(
    store,
    'shared',
    async () => {
      const items = CATEGORIES.flatMap((category) => listItems(store, category).map((item) => ({ item, category })));
      const listings = new Map<DiffId, Digest>();
      const damaged: DamagedItem[] = [];
      const unknown: string[] = [];
      for (const [index, { item, category }] of items.entries()) {
        signal.throwIfAborted();
        onProgress(index, items.length);
        const found = await checkItem(store, category, item, listings);
        if (found === 'unknown') unknown.push(item.path);
        else if (found !== undefined) damaged.push({ category, path: item.path, text: found });
        if (index % 64 === 0) await new Promise((resume) => setImmediate(resume));
      }
      return { checked: items.length - unknown.length, damaged, unknown };
    },
    { signal },
  );
}

/** Undefined for what is right; what is wrong; or that nothing can tell. */
async function checkItem(
  store: Store,
  category: CheckedCategory,
  item: StoreItem,
  listings: Map<DiffId, Digest>,
): Promise<string | undefined> {
  switch (category) {
    case 'blobs':
      return checkBlob(store, item);
    case 'trees':
      return checkTreeItem(store, item, listings.get(item.name) ?? readKeptList(store, item.path)?.parts[0]);
    case 'roots':
      return checkRootItem(store, item);
    default:
      return checkDocument(store, item, (value) => {
        for (const { diffId, listing } of layersIn(value)) listings.set(diffId, listing);
        return PARSERS[category](value) === undefined ? undefined : true;
      });
  }
}

const PARSERS: Readonly<Record<Exclude<CheckedCategory, 'blobs' | 'trees' | 'roots'>, (value: JsonValue) => unknown>> =
  {
    records: parseRecordDocument,
    'build-keys': parseBuildKey,
    encodings: parseLayerBlob,
    uses: parseRoot,
    // Whoever reads a note knows its shape.
    notes: () => true,
  };

const holdsLayer = objectOf({ layer: isKeptLayer });

function layersIn(value: JsonValue): readonly KeptLayer[] {
  if (isKeptLayer(value)) return [value];
  if (holdsLayer(value)) return [value.layer];
  const record = parseRecordDocument(value);
  return record === undefined || record === 'older' ? [] : Object.values(record.record.outputs);
}

async function checkBlob(store: Store, { name, path }: StoreItem): Promise<string | undefined> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isFile() || !isDigest(name)) {
    await removeTree(path);
    return 'no blob: removed';
  }
  try {
    await verifyBlob(store, name);
    return undefined;
  } catch (error) {
    if (error instanceof BuilditError)
      return error.code === 'store-damaged' ? 'other bytes than its digest: removed' : undefined;
    if (systemErrorCode(error) === undefined) throw error;
    return `cannot be read (${systemErrorCode(error)})`;
  }
}

async function checkDocument(
  store: Store,
  { path }: StoreItem,
  parse: (value: JsonValue) => true | undefined,
): Promise<string | undefined> {
  if (readDocument(store, path, { parse, countsAsUse: false }) === true) return undefined;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'damaged: removed';
  if (stat.isFile()) return 'cannot be read';
  await removeTree(path);
  return 'no document: removed';
}

async function checkTreeItem(
  store: Store,
  { path }: StoreItem,
  listing: Digest | undefined,
): Promise<string | undefined> {
  if (listing === undefined) return 'unknown';
  const inode = lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
  try {
    const check = await checkTree(store, path, listing);
    if (check.kind === 'whole') return undefined;
    await removeTreeAt(store, path, inode);
    return `"${printable(check.path)}" is damaged: removed`;
  } catch (error) {
    // Its listing is gone or damaged.
    if (error instanceof BuilditError && ['store-damaged', 'file-missing'].includes(error.code)) return 'unknown';
    throw error;
  }
}

async function checkRootItem(store: Store, { path, current }: StoreItem): Promise<string | undefined> {
  const parts = current ? readKeptList(store, path)?.parts : undefined;
  if (parts === undefined) return 'unknown';
  const inode = lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
  const check = await checkRoot(store, path, parts).catch((error) => {
    if (error instanceof BuilditError) return { kind: 'unlisted' } as const;
    throw error;
  });
  if (check.kind === 'whole') return undefined;
  if (check.kind === 'unlisted') return 'unknown';
  await removeBuildRootAt(store, path, inode);
  return `"/${printable(check.path)}" is damaged: removed`;
}
