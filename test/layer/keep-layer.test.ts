import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  lutimesSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { findTreeDamage } from '../../src/layer/check-tree.ts';
import { encodeLayer, findEncoding } from '../../src/layer/encode-layer.ts';
import { ensureTree } from '../../src/layer/ensure-tree.ts';
import { type KeepRules, keepLayer } from '../../src/layer/keep-layer.ts';
import { listingBytes, parseListing, readListing } from '../../src/layer/listing.ts';
import { openLayerTar } from '../../src/layer/open-layer.ts';
import { readTar } from '../../src/layer/read-tar.ts';
import { directoryMember, fileMember, symlinkMember, type TarMember } from '../../src/layer/tar-member.ts';
import { workerModule } from '../../src/layer/worker-module.ts';
import { sha256 } from '../../src/model/digest.ts';
import type { KeptLayer } from '../../src/model/layer.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { treePath } from '../../src/store/trees.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { collect, collectMembers, inChunks, rawMember, rawTar } from './raw-tar.ts';
import { snapshotOf } from './snapshot.ts';

const rules: KeepRules = { mtime: { kind: 'archive' }, owner: 'root' };
const open = () => openStore(temporaryDirectory());

async function* these(...members: readonly TarMember[]): AsyncGenerator<TarMember> {
  yield* members;
}

async function keep(store: Store, members: readonly TarMember[], more: Partial<KeepRules> = {}) {
  const layer = await keepLayer(store, these(...members), { ...rules, ...more });
  return { layer, listing: await readListing(store, layer.listing) };
}

const large = Buffer.alloc(3_000_000, 'large ');

const members: readonly TarMember[] = [
  directoryMember('etc', { mtime: 10 }),
  fileMember('etc/motd', 'hello', { mtime: 20, mode: 0o600, uid: 7, gid: 8 }),
  fileMember('usr/bin/su', '#!', { mtime: 30, mode: 0o4755 }),
  symlinkMember('usr/bin/link', '/etc/motd', { mtime: 40 }),
  fileMember('usr/share/large', large, { mtime: 50 }),
];

/** As a large file of an archive comes: in chunks only. */
function inParts(member: TarMember): TarMember {
  const { whole = Buffer.alloc(0), ...rest } = member;
  return { ...rest, content: inChunks(whole, 100_000) };
}

describe('keepLayer', () => {
  test('keeps a tar, a listing and a tree that agree', async () => {
    const store = await open();
    const { layer, listing } = await keep(store, members);
    const tar = await collect(openLayerTar(store, layer));
    expect(sha256(tar)).toBe(layer.diffId);
    expect(tar.length).toBe(layer.size);
    expect((await collectMembers(readTar(inChunks(tar)))).map(({ path }) => path)).toEqual(
      listing.map(({ path }) => path),
    );
    expect(listing).toEqual([
      { path: 'etc', type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 10 },
      { path: 'etc/motd', type: 'file', mode: 0o600, uid: 0, gid: 0, mtime: 20, size: 5, sha256: sha256('hello') },
      { path: 'usr', type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 50 },
      { path: 'usr/bin', type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 50 },
      { path: 'usr/bin/link', type: 'symlink', mode: 0o777, uid: 0, gid: 0, mtime: 40, target: '/etc/motd' },
      { path: 'usr/bin/su', type: 'file', mode: 0o4755, uid: 0, gid: 0, mtime: 30, size: 2, sha256: sha256('#!') },
      { path: 'usr/share', type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 50 },
      {
        path: 'usr/share/large',
        type: 'file',
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: 50,
        size: large.length,
        sha256: sha256(large),
      },
    ]);
    const tree = await ensureTree(store, layer);
    expect(snapshotOf(tree).map(({ path, mode, mtime }) => [path, mode, mtime])).toEqual([
      ['etc', 0o755, 10],
      ['etc/motd', 0o644, 20],
      ['usr', 0o755, 50],
      ['usr/bin', 0o755, 50],
      ['usr/bin/link', undefined, 40],
      ['usr/bin/su', 0o755, 30],
      ['usr/share', 0o755, 50],
      ['usr/share/large', 0o644, 50],
    ]);
  });

  test('gives the same layer whatever the order of members, the chunks, the umask and the store', async () => {
    const { layer } = await keep(await open(), members);
    const old = process.umask(0o077);
    try {
      const again = await keep(await open(), [...members].reverse().map(inParts));
      expect(again.layer).toEqual(layer);
    } finally {
      process.umask(old);
    }
  });

  test('gives every entry the fixed time, and keeps owners where asked to', async () => {
    const { listing } = await keep(await open(), members, { mtime: { kind: 'fixed', seconds: 99 }, owner: 'archive' });
    expect(new Set(listing.map(({ mtime }) => mtime))).toEqual(new Set([99]));
    expect(listing.find(({ path }) => path === 'etc/motd')).toMatchObject({ uid: 7, gid: 8 });
  });

  test('lets no time be later than the newest allowed', async () => {
    const { listing } = await keep(await open(), members, { mtime: { kind: 'archive', newest: 25 } });
    expect(listing.map(({ mtime }) => mtime)).toEqual([10, 20, 25, 25, 25, 25, 25, 25]);
  });

  test('puts files where the base layer links to, and merges what comes together there', async () => {
    const { listing } = await keep(await open(), [
      directoryMember('lib', { mode: 0o700 }),
      directoryMember('lib/x', { mode: 0o700 }),
      fileMember('lib/x/a', 'a'),
      directoryMember('usr/lib/x', { mode: 0o755 }),
      fileMember('usr/lib/x/b', 'b'),
      symlinkMember('bin', 'usr/bin'),
      directoryMember('var/run'),
      fileMember('var/run/c', 'c'),
      directoryMember('var/lock'),
    ]);
    expect(listing.map(({ path }) => path)).toEqual([
      'run',
      'run/c',
      'usr',
      'usr/lib',
      'usr/lib/x',
      'usr/lib/x/a',
      'usr/lib/x/b',
    ]);
    expect(listing.find(({ path }) => path === 'usr/lib/x')?.mode).toBe(0o700);
  });

  test('refuses two files that come together there, and a file in the place of a link of the base layer', async () => {
    const store = await open();
    const two = keep(store, [fileMember('lib/a', '1'), fileMember('usr/lib/a', '2')]);
    await expect(two).rejects.toMatchObject({ code: 'archive-refused' });
    await expect(keep(store, [fileMember('bin', '1')])).rejects.toMatchObject({ code: 'archive-refused' });
  });

  test('keeps those links where the caller owns them', async () => {
    const { listing } = await keep(await open(), [symlinkMember('bin', 'usr/bin')], { mapPath: (path) => path });
    expect(listing).toMatchObject([{ path: 'bin', target: 'usr/bin' }]);
  });

  test('keeps hard links, the first path in order being the file', async () => {
    const store = await open();
    const tar = rawTar(
      rawMember({ name: 'usr/z', mode: '0000755\0', mtime: '00000000144\0' }, 'same'),
      rawMember({ name: 'lib/a', type: '1', link: 'usr/z' }),
      rawMember({ name: 'usr/m', type: '1', link: 'lib/a' }),
    );
    const layer = await keepLayer(store, readTar(inChunks(tar)), rules);
    const facts = { mode: 0o755, uid: 0, gid: 0, mtime: 100 };
    expect((await readListing(store, layer.listing)).filter(({ type }) => type !== 'directory')).toEqual([
      { path: 'usr/lib/a', type: 'file', size: 4, sha256: sha256('same'), ...facts },
      { path: 'usr/m', type: 'hardlink', target: 'usr/lib/a', ...facts },
      { path: 'usr/z', type: 'hardlink', target: 'usr/lib/a', ...facts },
    ]);
    expect(lstatSync(join(await ensureTree(store, layer), 'usr/lib/a')).nlink).toBe(3);
    expect(sha256(await collect(openLayerTar(store, layer)))).toBe(layer.diffId);
  });

  test('reads what ELF files say, small and large', async () => {
    const program = readFileSync('/usr/bin/env');
    const { layer } = await keep(await open(), [
      inParts(fileMember('usr/bin/z', Buffer.concat([program, Buffer.alloc(200_000)]))),
      fileMember('bin/env', program, { mode: 0o755 }),
      fileMember('usr/share/no', '\x7fEL'),
    ]);
    expect(layer.elf.map(({ path }) => path)).toEqual(['usr/bin/env', 'usr/bin/z']);
    expect(layer.elf[0]?.needed.map(({ soname }) => soname)).toContain('libc.so.6');
    expect({ ...layer.elf[1], path: '' }).toEqual({ ...layer.elf[0], path: '' });
  });

  test('keeps nothing and leaves nothing behind when the archive is refused', async () => {
    const store = await open();
    const before = snapshotOf(store.directory).filter(({ type }) => type !== 'directory').length;
    const bad = keep(store, [...members, fileMember('etc/motd/x', 'x')]);
    await expect(bad).rejects.toMatchObject({ code: 'archive-refused' });
    const cut = keepLayer(store, readTar(inChunks(rawTar(rawMember({}, 'x')).subarray(0, 1024))), rules);
    await expect(cut).rejects.toMatchObject({ code: 'archive-refused' });
    const left = snapshotOf(store.directory).filter(({ path, type }) => type !== 'directory' && !/lock/.test(path));
    expect(left.length).toBeLessThanOrEqual(before);
  });

  test('encodes in the same pass as it would later', async () => {
    const store = await open();
    const { layer } = await keep(store, members, { encode: 'zstd' });
    const inPass = await findEncoding(store, layer, 'zstd');
    const other = await open();
    const later = await encodeLayer(other, (await keep(other, members)).layer, 'zstd');
    expect(inPass).toEqual(later);
    expect(inPass).toMatchObject({ encoder: 'zstd-3-4m-1', mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd' });
  });

  test('without its tree gives the same layer, and the same tree when that is asked for', async () => {
    const all = [...members, fileMember('usr/lib/z', readFileSync('/usr/bin/env')), fileMember('usr/lib/y', 'y')];
    const withTree = await open();
    const now = await keep(withTree, all, { encode: 'zstd' });
    const without = await open();
    const later = await keep(without, all.map(inParts), { encode: 'zstd', tree: 'later' });
    expect(later).toEqual(now);
    expect(await treePath(without, later.layer.diffId)).toBeUndefined();
    expect(snapshotOf(await ensureTree(without, later.layer))).toEqual(
      snapshotOf(await ensureTree(withTree, now.layer)),
    );
  });

  test('keeps the capabilities of a file in tar and listing, and out of the tree on disk', async () => {
    const plain = fileMember('usr/bin/ping', 'ping', { mode: 0o755 });
    const able: TarMember = { ...plain, capabilities: ['cap_net_raw'] };
    const ableAndLarge: TarMember = { ...inParts(fileMember('usr/bin/z', large)), capabilities: ['cap_chown'] };
    const all = [able, { ...plain, type: 'hardlink', path: 'usr/bin/a', target: plain.path } as const, ableAndLarge];
    const store = await open();
    const { layer, listing } = await keep(store, all, { encode: 'zstd', tree: 'later' });
    expect(listing.map((entry) => [entry.path, entry.type, 'capabilities' in entry && entry.capabilities])).toEqual([
      ['usr', 'directory', false],
      ['usr/bin', 'directory', false],
      ['usr/bin/a', 'file', ['cap_net_raw']],
      ['usr/bin/ping', 'hardlink', false],
      ['usr/bin/z', 'file', ['cap_chown']],
    ]);
    const tree = await ensureTree(store, layer);
    expect(await findTreeDamage(tree, listing)).toBeUndefined();
    const tar = await collect(openLayerTar(store, layer));
    expect(sha256(tar)).toBe(layer.diffId);
    const copy = await keepLayer(await open(), readTar(inChunks(tar), { isOwnLayer: true }), rules);
    expect(copy).toEqual(layer);
  });

  test('writes the tree where nothing else would hold the files', async () => {
    const store = await open();
    const { layer } = await keep(store, members, { tree: 'later' });
    expect(await treePath(store, layer.diffId)).toBeDefined();
  });

  test('works in a worker thread', async () => {
    const store = await open();
    const { layer } = await keep(store, [fileMember('a', 'x'.repeat(9_000_000))], { encode: 'gzip' });
    const blob = await findEncoding(store, layer, 'gzip');
    const { url, options } = workerModule(import.meta.url, 'keep-layer-worker');
    const worker = new Worker(url, { ...options, workerData: temporaryDirectory() });
    const [answer] = await once(worker, 'message');
    await worker.terminate();
    expect(answer).toEqual({ layer, blob });
  });

  test('an empty archive is an empty layer', async () => {
    const { layer, listing } = await keep(await open(), []);
    expect(listing).toEqual([]);
    expect(layer.size).toBe(1024);
  });
});

describe('a kept layer', () => {
  async function keptIn(store: Store): Promise<KeptLayer> {
    return (await keep(store, [...members, inParts(fileMember('usr/b', large))])).layer;
  }

  async function forgetTree(store: Store, layer: KeptLayer) {
    const path = (await treePath(store, layer.diffId))!;
    rmSync(path, { recursive: true });
  }

  test.each(['zstd', 'gzip', 'none'] as const)(
    'is restored from its %s blob, the same entry by entry',
    async (compression) => {
      const store = await open();
      const layer = await keptIn(store);
      const before = snapshotOf(await ensureTree(store, layer));
      await encodeLayer(store, layer, compression);
      await forgetTree(store, layer);
      expect(sha256(await collect(openLayerTar(store, layer)))).toBe(layer.diffId);
      expect(snapshotOf(await ensureTree(store, layer))).toEqual(before);
    },
  );

  test('says so when neither tree nor blob is there', async () => {
    const store = await open();
    const layer = await keptIn(store);
    await forgetTree(store, layer);
    await expect(ensureTree(store, layer)).rejects.toMatchObject({ code: 'store-damaged' });
    await expect(collect(openLayerTar(store, layer))).rejects.toMatchObject({ code: 'store-damaged' });
  });

  const damages: Readonly<Record<string, (tree: string) => void>> = {
    'a changed byte': (tree) => writeFileSync(join(tree, 'etc/motd'), 'hullo'),
    'a file that has grown': (tree) => writeFileSync(join(tree, 'etc/motd'), 'hello!'),
    'a file cut short': (tree) => writeFileSync(join(tree, 'etc/motd'), 'hell'),
    'a large file cut short': (tree) => writeFileSync(join(tree, 'usr/b'), large.subarray(1)),
    'a missing file': (tree) => rmSync(join(tree, 'etc/motd')),
    'a file that became a link to the right content': (tree) => {
      renameSync(join(tree, 'etc/motd'), join(tree, 'etc/other'));
      symlinkSync('other', join(tree, 'etc/motd'));
    },
  };

  test.each(Object.keys(damages))('is not read with %s, and is healed', async (name) => {
    const store = await open();
    const layer = await keptIn(store);
    await encodeLayer(store, layer, 'zstd');
    const before = snapshotOf(await ensureTree(store, layer));
    damages[name]!(await ensureTree(store, layer));
    expect(sha256(await collect(openLayerTar(store, layer)))).toBe(layer.diffId);
    expect(snapshotOf(await ensureTree(store, layer))).toEqual(before);
    expect(sha256(await collect(openLayerTar(store, layer)))).toBe(layer.diffId);
  });

  test.each(Object.keys(damages))('of an earlier boot does not agree with its listing with %s', async (name) => {
    const store = await open();
    const layer = await keptIn(store);
    const tree = await ensureTree(store, layer);
    const listing = await readListing(store, layer.listing);
    expect(await findTreeDamage(tree, listing)).toBeUndefined();
    damages[name]!(tree);
    expect(await findTreeDamage(tree, listing)).toBeDefined();
  });

  test.each<[string, (tree: string) => void]>([
    ['another file', (tree) => writeFileSync(join(tree, 'etc/other'), '')],
    ['another mode', (tree) => chmodSync(join(tree, 'usr/bin/su'), 0o4755)],
    ['a directory others may write to', (tree) => chmodSync(join(tree, 'etc'), 0o777)],
    ['another time', (tree) => utimesSync(join(tree, 'etc/motd'), 1, 1)],
    [
      'another target',
      (tree) => {
        rmSync(join(tree, 'usr/bin/link'));
        symlinkSync('/etc/passwd', join(tree, 'usr/bin/link'));
        lutimesSync(join(tree, 'usr/bin/link'), 40, 40);
        utimesSync(join(tree, 'usr/bin'), 50, 50);
      },
    ],
  ])('of an earlier boot does not agree with its listing with %s', async (_, damage) => {
    const store = await open();
    const layer = await keptIn(store);
    const tree = await ensureTree(store, layer);
    damage(tree);
    expect(await findTreeDamage(tree, await readListing(store, layer.listing))).toBeDefined();
  });

  test('is encoded once and found again', async () => {
    const store = await open();
    const layer = await keptIn(store);
    expect(await findEncoding(store, layer, 'gzip')).toBeUndefined();
    const blob = await encodeLayer(store, layer, 'gzip');
    await forgetTree(store, layer);
    expect(await encodeLayer(store, layer, 'gzip')).toEqual(blob);
    expect(await encodeLayer(store, layer, 'none')).toMatchObject({ digest: layer.diffId, size: layer.size });
  });
});

describe('a listing', () => {
  test('is the same text for the same entries, one a line', async () => {
    const { listing } = await keep(await open(), members);
    expect(parseListing(listingBytes(listing), 'x')).toEqual(listing);
    expect(listingBytes(listing).toString().split('\n')).toHaveLength(listing.length + 1);
  });

  const entry = { path: 'a', type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0 };
  const file = { ...entry, type: 'file', size: 0, sha256: sha256('') };
  test.each<[string, unknown]>([
    ['no list', {}],
    ['a path that leads out', [{ ...entry, path: '../a' }]],
    ['an absolute path', [{ ...entry, path: '/a' }]],
    ['paths out of order', [{ ...entry, path: 'b' }, entry]],
    ['a path twice', [entry, entry]],
    ['a path without its directory', [{ ...entry, path: 'a/b' }]],
    ['an unknown type', [{ ...entry, type: 'fifo' }]],
    ['a file without digest', [{ ...entry, type: 'file', size: 1 }]],
    ['a negative size', [{ ...entry, type: 'file', size: -1, sha256: sha256('') }]],
    ['a mode beyond its bits', [{ ...entry, mode: 0o100644 }]],
    ['a hard link to nothing', [{ ...entry, type: 'hardlink', target: 'x' }]],
    ['a link with NUL', [{ ...entry, type: 'symlink', target: 'x\0' }]],
    ['capabilities of a directory', [{ ...entry, capabilities: ['cap_chown'] }]],
    ['capabilities out of order', [{ ...file, capabilities: ['cap_net_raw', 'cap_chown'] }]],
    ['an unknown capability', [{ ...file, capabilities: ['cap_everything'] }]],
    ['no capabilities', [{ ...file, capabilities: [] }]],
    ['a time that is no number', [{ ...entry, mtime: null }]],
  ])('with %s is refused', (_, value) => {
    expect(() => parseListing(Buffer.from(JSON.stringify(value)), 'x')).toThrow(/as a layer's listing/);
  });
});
