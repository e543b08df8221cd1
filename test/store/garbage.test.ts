import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/model/digest.ts';
import { chooseGarbage, type StoreInventory } from '../../src/store/garbage.ts';
import { STORE_CATEGORIES, type StoreCategory, type StoreItem } from '../../src/store/store-inventory.ts';
import { recordOf } from '../support/records.ts';

const NOW = 1_000_000;

function itemsOf(category: StoreCategory, names: readonly string[], usedMs = 0): readonly StoreItem[] {
  return names.map((name) => ({ category, path: `/${category}/${name}`, name, usedMs, current: true }));
}

function inventoryOf({
  items,
  ...rest
}: Partial<Omit<StoreInventory, 'items'>> & { items: Partial<StoreInventory['items']> }): StoreInventory {
  const all = Object.fromEntries(STORE_CATEGORIES.map((category) => [category, items[category] ?? []]));
  return {
    items: all as unknown as StoreInventory['items'],
    records: new Map(),
    buildKeys: new Map(),
    notes: new Map(),
    encodings: new Map(),
    livingUses: new Set(),
    ...rest,
  };
}

describe('chooseGarbage', () => {
  const zlib = recordOf('zlib', { sources: [sha256('source')], patches: [sha256('patch')], log: sha256('log') });
  const { diffId, listing } = zlib.outputs.main!;
  const encoding = `${diffId}-${sha256('zstd')}`;
  const inventory = inventoryOf({
    items: {
      records: itemsOf('records', [zlib.hash]),
      'build-keys': itemsOf('build-keys', [zlib.buildKey!]),
      encodings: itemsOf('encodings', [encoding]),
      trees: itemsOf('trees', [diffId, sha256('stray')]),
      blobs: itemsOf('blobs', ['source', 'patch', 'log', 'encoded', 'stray'].map(sha256).concat(listing)),
    },
    records: new Map([[zlib.hash, zlib]]),
    buildKeys: new Map([[zlib.buildKey!, zlib.hash]]),
    encodings: new Map([[encoding, sha256('encoded')]]),
  });

  test('keeps everything that a named record needs', () => {
    const garbage = chooseGarbage(inventory, [{ hashes: [zlib.hash], digests: [] }], NOW);
    expect(garbage.map(({ path }) => path)).toEqual([`/trees/${sha256('stray')}`, `/blobs/${sha256('stray')}`]);
  });

  test('takes everything when nothing is named, names before what they name', () => {
    const categories = chooseGarbage(inventory, [], NOW).map(({ category }) => category);
    expect([...new Set(categories)]).toEqual(['build-keys', 'records', 'encodings', 'trees', 'blobs']);
    expect(categories).toHaveLength(11);
  });

  test('keeps notes about what is named, and what they name too', () => {
    const about = itemsOf('notes', ['about', 'stray']);
    const all = {
      ...inventory,
      items: { ...inventory.items, notes: about },
      notes: new Map([
        [about[0]!.path, [diffId, sha256('log')]],
        [about[1]!.path, [sha256('stray')]],
      ]),
    };
    const garbage = chooseGarbage(all, [{ hashes: [], digests: [diffId] }], NOW).map(({ path }) => path);
    expect(garbage).toContain('/notes/stray');
    expect(garbage).not.toContain('/notes/about');
    for (const kept of [`/trees/${diffId}`, `/blobs/${sha256('log')}`, `/encodings/${encoding}`]) {
      expect(garbage).not.toContain(kept);
    }
  });

  test('keeps what was used since, and whatever it names', () => {
    const recent = { ...inventory, items: { ...inventory.items, records: itemsOf('records', [zlib.hash], NOW) } };
    expect(chooseGarbage(recent, [], NOW).map(({ name }) => name)).toEqual([sha256('stray'), sha256('stray')]);
    expect(chooseGarbage(recent, [], NOW + 1)).toHaveLength(11);
  });

  test('keeps the blobs and layers that a note names, for as long as the note is kept', () => {
    const withNote = {
      ...inventory,
      items: { ...inventory.items, notes: itemsOf('notes', ['note'], NOW) },
      notes: new Map([['/notes/note', [sha256('stray'), diffId]]]),
    };
    const kept = chooseGarbage(withNote, [], NOW).map(({ path }) => path);
    expect(kept).not.toContain(`/blobs/${sha256('stray')}`);
    expect(kept).not.toContain(`/encodings/${encoding}`);
    expect(kept).not.toContain(`/blobs/${sha256('encoded')}`);
    expect(chooseGarbage(withNote, [], NOW + 1).map(({ path }) => path)).toContain('/notes/note');
  });

  test('keeps a tree of an earlier start until there is one of this start', () => {
    const [tree] = itemsOf('trees', [diffId]);
    const stale = { ...tree!, path: '/trees/stale', current: false };
    const roots = [{ hashes: [], digests: [diffId] }];
    const withTrees = (...trees: StoreItem[]) => inventoryOf({ items: { trees } });
    expect(chooseGarbage(withTrees(stale), roots, NOW)).toEqual([]);
    expect(chooseGarbage(withTrees(stale, tree!), roots, NOW)).toEqual([stale]);
    expect(chooseGarbage(withTrees({ ...stale, usedMs: NOW }), [], NOW)).toHaveLength(1);
  });

  test('takes what is damaged, old build roots, old failed builds, and roots whose place is gone', () => {
    const items = {
      records: itemsOf('records', ['damaged'], NOW),
      'build-keys': itemsOf('build-keys', ['damaged'], NOW),
      encodings: itemsOf('encodings', ['damaged'], NOW),
      roots: [...itemsOf('roots', ['old']), ...itemsOf('roots', ['young'], NOW)],
      failed: [...itemsOf('failed', ['old']), ...itemsOf('failed', ['young'], NOW)],
      uses: [...itemsOf('uses', ['gone', 'there'])],
    };
    const garbage = chooseGarbage(inventoryOf({ items, livingUses: new Set(['/uses/there']) }), [], NOW);
    expect(garbage.map(({ path }) => path).sort()).toEqual([
      '/build-keys/damaged',
      '/encodings/damaged',
      '/failed/old',
      '/records/damaged',
      '/roots/old',
      '/uses/gone',
    ]);
  });

  test('never takes what a root names itself, and takes nothing twice', () => {
    const names = ['a', 'b', 'c', 'd'].map(sha256);
    fc.assert(
      fc.property(fc.subarray(names), fc.subarray(names), fc.subarray(names), (blobs, trees, named) => {
        const items = { blobs: itemsOf('blobs', blobs), trees: itemsOf('trees', trees) };
        const garbage = chooseGarbage(inventoryOf({ items }), [{ hashes: [], digests: named }], NOW);
        expect(garbage.filter(({ name }) => named.includes(name))).toEqual([]);
        expect(new Set(garbage).size).toBe(garbage.length);
        expect(garbage).toHaveLength([...blobs, ...trees].filter((name) => !named.includes(name)).length);
      }),
    );
  });
});
