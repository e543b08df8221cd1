import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/model/digest.ts';
import { isText } from '../../src/model/json-shape.ts';
import type { PackageRecord } from '../../src/model/record.ts';
import { adoptBuildRoot, findBuildRoot } from '../../src/store/build-roots.ts';
import { collectGarbage } from '../../src/store/collect-garbage.ts';
import { withCollectionLock } from '../../src/store/collection-lock.ts';
import { readEncoding, writeEncoding } from '../../src/store/encodings.ts';
import { linkBlob } from '../../src/store/link-blob.ts';
import { readNote, writeNote } from '../../src/store/notes.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { blobSize } from '../../src/store/read-blob.ts';
import { findByBuildKey, readRecord, writeRecord } from '../../src/store/records.ts';
import { listRoots, rememberRoot } from '../../src/store/remembered-roots.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { blobPath, failedBuildPath, recordPath } from '../../src/store/store-paths.ts';
import { storeUsage } from '../../src/store/store-usage.ts';
import { openTemporary } from '../../src/store/temporary.ts';
import { adoptTree, treePath } from '../../src/store/trees.ts';
import { recordOf } from '../support/records.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const DAY_MS = 24 * 3_600_000;

async function freshStore(): Promise<Store> {
  return openStore(join(temporaryDirectory(), 'store'));
}

async function put(store: Store, text: string): Promise<string> {
  return (await putBlob(store, Buffer.from(text))).digest;
}

/** A package as a build leaves it: record, tree, listing, one encoding, a source, a log. */
async function keepPackage(store: Store, name: string): Promise<PackageRecord> {
  const diffId = sha256(`diffId of ${name}`);
  const { path } = await openTemporary(store, name);
  writeFileSync(join(path, 'file'), name);
  await adoptTree(store, diffId, path);
  const listing = await put(store, `listing of ${name}`);
  const digest = await put(store, `encoded ${name}`);
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+zstd';
  await writeEncoding(store, diffId, { encoder: 'zstd', mediaType, digest, size: 1 });
  const sources = [await put(store, `source of ${name}`)];
  const log = await put(store, `log of ${name}`);
  const record = recordOf(name, { outputs: { main: { diffId, size: 1, listing, elf: [] } }, sources, log });
  await writeRecord(store, record);
  return record;
}

async function isWhole(store: Store, record: PackageRecord): Promise<boolean[]> {
  const { diffId, listing } = record.outputs.main!;
  const encoding = await readEncoding(store, diffId, 'zstd');
  const found = [
    await readRecord(store, record.hash),
    await findByBuildKey(store, record.buildKey!),
    await treePath(store, diffId),
    await blobSize(store, listing),
    encoding === undefined ? undefined : await blobSize(store, encoding.digest),
    await blobSize(store, record.sources[0]!),
    await blobSize(store, record.log!),
  ];
  return found.map((part) => part !== undefined);
}

describe('collecting garbage', () => {
  test('keeps what an out directory relies on and removes the rest', async () => {
    const store = await freshStore();
    const [used, unused] = [await keepPackage(store, 'used'), await keepPackage(store, 'unused')];
    const config = await put(store, 'image config');
    const out = join(store.directory, '..', 'out');
    mkdirSync(out);
    await rememberRoot(store, out, { hashes: [used.hash], digests: [config] });
    const report = await collectGarbage(store, { maximumAgeMs: -1 });
    expect(await isWhole(store, used)).toEqual(Array(7).fill(true));
    expect(await blobSize(store, config)).toBeDefined();
    expect(await isWhole(store, unused)).toEqual(Array(7).fill(false));
    expect(report.categories).toEqual([
      { category: 'build-keys', count: 1 },
      { category: 'records', count: 1 },
      { category: 'encodings', count: 1 },
      { category: 'trees', count: 1 },
      { category: 'blobs', count: 4 },
    ]);
    rmSync(out, { recursive: true });
    expect(listRoots(store)).toMatchObject([{ path: out, isThere: false }]);
    await collectGarbage(store, { maximumAgeMs: -1 });
    expect(await isWhole(store, used)).toEqual(Array(7).fill(false));
    expect((await storeUsage(store)).bytes).toBe(0);
  });

  test('removes kept failed builds, closed directories and what is in them included', async () => {
    const store = await freshStore();
    const kept = failedBuildPath(store, sha256('failed'));
    mkdirSync(join(kept, 'work/closed/deep'), { recursive: true });
    writeFileSync(join(kept, 'work/closed/file'), 'x');
    chmodSync(join(kept, 'work/closed'), 0);
    const blob = await put(store, 'nobody wants this');
    expect(await collectGarbage(store, { maximumAgeMs: DAY_MS })).toMatchObject({ categories: [], failures: [] });
    const { categories, failures } = await collectGarbage(store, { maximumAgeMs: -1 });
    expect(failures).toEqual([]);
    expect(categories).toEqual([
      { category: 'blobs', count: 1 },
      { category: 'failed', count: 1 },
    ]);
    expect([existsSync(kept), await blobSize(store, blob)]).toEqual([false, undefined]);
  });

  test('removes whatever lies in the place of a blob, a record or a tree', async () => {
    const store = await freshStore();
    const record = await keepPackage(store, 'a');
    const tree = (await treePath(store, record.outputs.main!.diffId))!;
    const paths = [tree, blobPath(store, record.sources[0]!), recordPath(store, record.hash)];
    for (const [index, path] of paths.entries()) {
      rmSync(path, { recursive: true });
      if (index === 0) symlinkSync(store.directory, path);
      else mkdirSync(join(path, 'in it'), { recursive: true });
    }
    expect((await collectGarbage(store, { maximumAgeMs: -1 })).failures).toEqual([]);
    expect(paths.filter((path) => existsSync(path))).toEqual([]);
    expect(existsSync(join(store.directory, 'format'))).toBe(true);
  });

  test.skipIf(process.getuid?.() === 0)('reports an item that cannot be removed and removes the rest', async () => {
    const store = await freshStore();
    const [stuck, other] = [await put(store, 'stuck'), await put(store, 'other')];
    const shard = join(blobPath(store, stuck), '..');
    chmodSync(shard, 0o555);
    const { failures, categories } = await collectGarbage(store, { maximumAgeMs: -1 });
    chmodSync(shard, 0o755);
    expect(failures).toEqual([expect.stringContaining(`Cannot remove "${blobPath(store, stuck)}"`)]);
    expect(categories).toEqual([{ category: 'blobs', count: 1 }]);
    expect(await blobSize(store, other)).toBeUndefined();
  });

  test('only says what would go in a dry run', async () => {
    const store = await freshStore();
    const record = await keepPackage(store, 'a');
    const before = await storeUsage(store);
    const dry = await collectGarbage(store, { maximumAgeMs: -1, dryRun: true });
    expect(await storeUsage(store)).toEqual(before);
    expect(dry.bytes).toBe(before.bytes);
    const { dryRun, ...wet } = await collectGarbage(store, { maximumAgeMs: -1 });
    expect(dry).toEqual({ dryRun: true, ...wet });
    expect(dryRun).toBe(false);
    expect(await isWhole(store, record)).toEqual(Array(7).fill(false));
  });

  test('keeps what was used lately, and reading is use', async () => {
    const store = await freshStore();
    const old = Date.now() / 1000 - 40 * 24 * 3600;
    const records = [await keepPackage(store, 'read'), await keepPackage(store, 'forgotten')];
    await writeNote(store, 'try', 'read', 'x');
    await writeNote(store, 'try', 'forgotten', 'x');
    for (const name of readdirSync(store.directory, { recursive: true, encoding: 'utf8' })) {
      if (!name.startsWith('locks')) utimesSync(join(store.directory, name), old, old);
    }
    await readRecord(store, records[0]!.hash);
    await readNote(store, 'try', 'read', isText);
    await collectGarbage(store, { maximumAgeMs: 30 * DAY_MS });
    expect(await isWhole(store, records[0]!)).toEqual(Array(7).fill(true));
    expect(await isWhole(store, records[1]!)).toEqual(Array(7).fill(false));
    expect(await readNote(store, 'try', 'read', isText)).toBe('x');
    expect(await readNote(store, 'try', 'forgotten', isText)).toBeUndefined();
  });

  test('is no use of what it reads itself', async () => {
    const store = await freshStore();
    const { hash } = await keepPackage(store, 'a');
    const old = Date.now() / 1000 - 40 * 24 * 3600;
    utimesSync(recordPath(store, hash), old, old);
    await collectGarbage(store, { maximumAgeMs: 50 * DAY_MS });
    expect(statSync(recordPath(store, hash)).mtimeMs / 1000).toBeCloseTo(old, 0);
  });

  test('counts as freed only what has no name elsewhere', async () => {
    const store = await freshStore();
    const [mine, shared] = [await put(store, 'm'.repeat(100_000)), await put(store, 's'.repeat(100_000))];
    await linkBlob(store, shared, join(store.directory, '..', 'shared'));
    const { bytes } = await collectGarbage(store, { maximumAgeMs: -1 });
    expect(bytes).toBeGreaterThanOrEqual(100_000);
    expect(bytes).toBeLessThan(200_000);
    expect(await blobSize(store, mine)).toBeUndefined();
    expect(await blobSize(store, shared)).toBeUndefined();
  });

  test('waits for no run but is busy when told so, and a dry run disturbs nobody', async () => {
    const store = await freshStore();
    await withCollectionLock(store, 'shared', async () => {
      await expect(collectGarbage(store, { maximumAgeMs: -1, wait: false })).rejects.toMatchObject({ code: 'busy' });
      expect((await collectGarbage(store, { maximumAgeMs: -1, dryRun: true })).categories).toEqual([]);
      await withCollectionLock(store, 'shared', async () => undefined, { wait: false });
    });
    expect((await collectGarbage(store, { maximumAgeMs: -1, wait: false })).categories).toEqual([]);
  });

  test('lets runs in again when it failed', async () => {
    const store = await freshStore();
    await expect(withCollectionLock(store, 'exclusive', () => Promise.reject(new RangeError()))).rejects.toThrow(
      RangeError,
    );
    await withCollectionLock(store, 'exclusive', async () => undefined, { wait: false });
  });
});

describe('roots', () => {
  test('are replaced as a whole, and written only when they changed', async () => {
    const store = await freshStore();
    const out = join(store.directory, '..', 'out');
    await rememberRoot(store, out, { hashes: [sha256('b'), sha256('a'), sha256('a')], digests: [] });
    const hashes = [sha256('a'), sha256('b')].sort();
    expect(listRoots(store)).toEqual([{ path: out, hashes, digests: [], isThere: false }]);
    const [shard] = readdirSync(join(store.directory, 'uses'));
    const file = join(store.directory, 'uses', shard!, readdirSync(join(store.directory, 'uses', shard!))[0]!);
    const before = lstatSync(file).ino;
    await rememberRoot(store, out, { hashes, digests: [] });
    expect(lstatSync(file).ino).toBe(before);
    await rememberRoot(store, out, { hashes: [], digests: [sha256('c')] });
    expect(listRoots(store)).toMatchObject([{ hashes: [], digests: [sha256('c')] }]);
  });
});

describe('storeUsage', () => {
  test('counts things by category, and a file with many names once', async () => {
    const store = await freshStore();
    await keepPackage(store, 'a');
    const { path } = await openTemporary(store, 'root');
    linkSync(join((await treePath(store, sha256('diffId of a')))!, 'file'), join(path, 'file'));
    await adoptBuildRoot(store, sha256('root'), path);
    expect(await findBuildRoot(store, sha256('root'))).toBeDefined();
    const usage = await storeUsage(store);
    const counts = Object.fromEntries(usage.categories.map(({ category, count }) => [category, count]));
    expect(counts).toMatchObject({
      blobs: 4,
      trees: 1,
      roots: 1,
      records: 1,
      'build-keys': 1,
      encodings: 1,
      temporary: 0,
    });
    const bytes = Object.fromEntries(usage.categories.map(({ category, bytes }) => [category, bytes]));
    const root = statSync((await findBuildRoot(store, sha256('root')))!);
    expect(bytes.roots).toBe(root.blocks * 512);
    const blobs = ['listing of a', 'encoded a', 'source of a', 'log of a'].map((text) =>
      statSync(blobPath(store, sha256(text))),
    );
    expect(bytes.blobs).toBe(blobs.reduce((sum, { blocks }) => sum + blocks * 512, 0));
    expect(usage.bytes).toBe(usage.categories.reduce((sum, category) => sum + category.bytes, 0));
  });
});
