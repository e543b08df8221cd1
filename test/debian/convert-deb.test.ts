import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type ConvertedDeb, convertDeb, findConverted } from '../../src/debian/convert-deb.ts';
import { convertDebs } from '../../src/debian/convert-debs.ts';
import { findTreeDamage } from '../../src/layer/check-tree.ts';
import { ensureTree } from '../../src/layer/ensure-tree.ts';
import { readListing } from '../../src/layer/listing.ts';
import { sha256 } from '../../src/model/digest.ts';
import type { LayerListing } from '../../src/model/layer.ts';
import type { DebianPin } from '../../src/model/lock.ts';
import { readEncoding } from '../../src/store/encodings.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { removeLayerTree, treePath } from '../../src/store/trees.ts';
import { rawMember, rawTar } from '../layer/raw-tar.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { controlTar, type DebOptions, debMembers, pinOf, type RawArMember, rawAr, rawDeb } from './raw-deb.ts';

async function converted(
  deb: Buffer,
  pin: Partial<DebianPin> = {},
): Promise<ConvertedDeb & { store: Store; listing: LayerListing }> {
  const store = await openStore(temporaryDirectory());
  await putBlob(store, deb);
  const result = await convertDeb(store, pinOf(deb, pin));
  return { ...result, store, listing: await readListing(store, result.layer.listing) };
}

async function refusal(deb: Buffer, pin: Partial<DebianPin> = {}): Promise<string> {
  const error = await converted(deb, pin).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toMatchObject({ code: 'archive-refused' });
  return error.message;
}

const status = `Package: tool
Status: install ok installed
Version: 1.0-1
Architecture: amd64
Description: a tool
 of many lines
`;

describe('convertDeb', () => {
  test('keeps files with owners, modes and times, at the paths of a merged tree, and adds the status entry', async () => {
    const { listing, layer, sourceDate, store } = await converted(rawDeb());
    const own = { uid: 0, gid: 0, mtime: 0o1000 };
    const implied = { type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0o1751 };
    expect(sourceDate).toBe(0o1751);
    expect(listing).toEqual([
      { path: 'usr', type: 'directory', mode: 0o755, ...own },
      { ...implied, path: 'usr/bin' },
      {
        path: 'usr/bin/tool',
        type: 'file',
        mode: 0o4755,
        uid: 0,
        gid: 0o52,
        mtime: 0o1751,
        size: 10,
        sha256: sha256('#!/bin/sh\n'),
      },
      { path: 'usr/share', type: 'directory', mode: 0o755, ...own },
      { path: 'usr/share/doc', type: 'directory', mode: 0o755, ...own },
      { path: 'usr/share/doc/tool', type: 'directory', mode: 0o755, ...own },
      { path: 'usr/share/doc/tool/copyright', type: 'file', mode: 0o644, ...own, size: 4, sha256: sha256('MIT\n') },
      { path: 'usr/share/tool', type: 'symlink', mode: 0o777, ...own, target: 'doc/tool' },
      { ...implied, path: 'var' },
      { ...implied, path: 'var/lib' },
      { ...implied, path: 'var/lib/dpkg' },
      { ...implied, path: 'var/lib/dpkg/status.d' },
      {
        path: 'var/lib/dpkg/status.d/tool',
        type: 'file',
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: 0o1751,
        size: status.length,
        sha256: sha256(status),
      },
    ]);
    const tree = await ensureTree(store, layer);
    expect(readFileSync(join(tree, 'var/lib/dpkg/status.d/tool'), 'utf8')).toBe(status);
  });

  test('gives the same layer in another store, and however the archive is compressed', async () => {
    const [version, control] = debMembers();
    const plain = { name: 'data.tar', content: Buffer.from(rawTar(rawMember({ name: './a' }, 'x'))) };
    const zipped = { name: 'data.tar.gz', content: gzipSync(plain.content) };
    const layers = await Promise.all(
      [plain, zipped].map(async (data) => (await converted(rawAr(version, control, data))).layer),
    );
    expect(layers[1]).toEqual(layers[0]);
  });

  test('is done once, and again where its layer is gone', async () => {
    const deb = rawDeb();
    const { store, layer } = await converted(deb);
    const pin = pinOf(deb);
    expect((await findConverted(store, pin))?.layer).toEqual(layer);
    await removeLayerTree(store, layer.diffId);
    expect(await findConverted(store, pin)).toBeUndefined();
    expect((await convertDeb(store, pin)).layer).toEqual(layer);
  });

  test('compresses the layer in the same pass where that is wanted', async () => {
    const deb = rawDeb();
    const store = await openStore(temporaryDirectory());
    await putBlob(store, deb);
    const { layer } = await convertDeb(store, pinOf(deb), { encode: 'gzip' });
    expect(await readEncoding(store, layer.diffId, 'gzip-6-4m-1')).toBeDefined();
  });

  test('a package that is there only compressed still counts as converted', async () => {
    const deb = rawDeb();
    const store = await openStore(temporaryDirectory());
    await putBlob(store, deb);
    const { layer } = await convertDeb(store, pinOf(deb), { encode: 'none' });
    await removeLayerTree(store, layer.diffId);
    expect(await findConverted(store, pinOf(deb))).toBeDefined();
  });

  test('a tree that is wanted later is unpacked when it is asked for, and the layer is the same', async () => {
    const deb = rawDeb();
    const { layer: unpacked, listing } = await converted(deb);
    const store = await openStore(temporaryDirectory());
    await putBlob(store, deb);
    const { layer } = await convertDeb(store, pinOf(deb), { encode: 'zstd', tree: 'later' });
    expect(layer).toEqual(unpacked);
    expect(await treePath(store, layer.diffId)).toBeUndefined();
    expect(await findConverted(store, pinOf(deb))).toBeDefined();
    expect(await findTreeDamage(await ensureTree(store, layer), listing)).toBeUndefined();
  });

  test('a damaged blob is told, removed, and leaves no layer', async () => {
    const deb = rawDeb();
    const store = await openStore(temporaryDirectory());
    const pin = pinOf(deb);
    await expect(convertDeb(store, pin)).rejects.toMatchObject({ code: 'file-missing' });
    expect(await findConverted(store, pin)).toBeUndefined();
  });
});

describe('a hostile package', () => {
  const [version, control, data] = debMembers();
  const change = (member: RawArMember, more: Partial<RawArMember>): RawArMember => ({ ...member, ...more });
  const stanza = (text: string) => rawAr(version, { name: 'control.tar.gz', content: controlTar(text) }, data);
  const withData = (...members: Buffer[]) => rawDeb({ data: rawTar(...members) });
  const good = 'Package: tool\nVersion: 1.0-1\nArchitecture: amd64\n';

  test.each<[string, Buffer]>([
    ['no ar archive', Buffer.from('PK\u0003\u0004')],
    ['nothing at all', Buffer.alloc(0)],
    ['no members', rawAr()],
    ['members out of order', rawAr(version, data, control)],
    ['control twice', rawAr(version, control, control, data)],
    ['data twice', rawAr(version, control, data, data)],
    ['a member of another name', rawAr(version, { name: '_gpgorigin', content: 'x' }, control, data)],
    ['a member after data', rawAr(version, control, data, { name: 'evil', content: 'x' })],
    ['bytes after data', Buffer.concat([rawDeb(), Buffer.from('evil')])],
    ['no data', rawAr(version, control)],
    ['another format', rawAr(change(version, { content: '3.0\n' }), control, data)],
    ['an unknown compression', rawAr(version, control, change(data, { name: 'data.tar.lz' }))],
    ['a compression that is not the named one', rawAr(version, control, change(data, { name: 'data.tar.xz' }))],
    ['a size in words', rawAr(version, change(control, { size: '0x10' }), data)],
    ['a negative size', rawAr(version, change(control, { size: '-1' }), data)],
    ['a size beyond the end', rawAr(version, control, change(data, { size: '99999' }))],
    ['a giant control', rawAr(version, change(control, { size: '999999999' }), data)],
    ['a header with another end', rawAr(version, change(control, { end: 'xx' }), data)],
    ['a truncated package', rawDeb().subarray(0, -20)],
    [
      'two compressed archives in data',
      rawAr(version, control, change(data, { content: Buffer.concat([data.content as Buffer, gzipSync('x')]) })),
    ],
    ['no control file', rawAr(version, { name: 'control.tar.gz', content: gzipSync(rawTar()) }, data)],
    [
      'a control file that is a link',
      rawAr(
        version,
        {
          name: 'control.tar.gz',
          content: gzipSync(rawTar(rawMember({ name: 'control', type: '2', link: '/etc/passwd' }))),
        },
        data,
      ),
    ],
    ['another name in control', stanza(good.replace('tool', 'evil'))],
    ['another version in control', stanza(good.replace('1.0-1', '2'))],
    ['another architecture in control', stanza(good.replace('amd64', 'arm64'))],
    ['a field twice in control', stanza(`${good}Package: evil\n`)],
    ['a second stanza in control', stanza(`${good}\nPackage: evil\n`)],
    ['a Status of its own', stanza(`${good}Status: deinstall ok config-files\n`)],
    ['a control file that begins with a continued line', stanza(` x\n${good}`)],
    [
      'an entry of its own where the status entry goes',
      withData(rawMember({ name: './var/lib/dpkg/status.d/tool' }, 'x')),
    ],
    ['a link where the status entry goes', withData(rawMember({ name: './var/lib/dpkg', type: '2', link: '/tmp' }))],
    ['a path upwards', withData(rawMember({ name: '../evil' }, 'x'))],
    ['an absolute path', withData(rawMember({ name: '/evil' }, 'x'))],
    ['a device', withData(rawMember({ name: './dev/null', type: '3' }))],
    ['a fifo', withData(rawMember({ name: './pipe', type: '6' }))],
    ['a file twice', withData(rawMember({ name: './a' }, 'x'), rawMember({ name: './a' }, 'y'))],
    [
      'a file twice by a merged path',
      withData(rawMember({ name: './bin/a' }, 'x'), rawMember({ name: './usr/bin/a' }, 'y')),
    ],
    [
      'a file through a link',
      withData(rawMember({ name: './a', type: '2', link: '/tmp' }), rawMember({ name: './a/evil' }, 'x')),
    ],
    ['a hard link outwards', withData(rawMember({ name: './a', type: '1', link: '/etc/passwd' }))],
  ])('with %s is refused', async (_, deb) => {
    await refusal(deb);
  });

  test('that is another one than the lock names is refused', async () => {
    expect(await refusal(rawDeb(), { name: 'other' })).toContain(
      'expected the package other 1.0-1 amd64, found tool 1.0-1 amd64',
    );
    expect(await refusal(rawDeb(), { version: '1.0-2' })).toContain('found tool 1.0-1 amd64');
  });

  test('that unpacks to very much more than its size is refused', async () => {
    const bomb = gzipSync(Buffer.concat([rawMember({ name: './zeros', size: 200 << 20 }), Buffer.alloc(70 << 20)]));
    await refusal(rawAr(version, control, { name: 'data.tar.gz', content: bomb }));
  });
});

describe('convertDebs', () => {
  const options = (name: string): DebOptions => ({
    name,
    data: rawTar(rawMember({ name: `./${name}` }, `${name}\n`), rawMember({ name: './large' }, largeContent(name))),
  });
  /** Does not compress, so that starting threads pays. */
  function largeContent(seed: string): Buffer {
    let digest = sha256(seed);
    const parts = Array.from({ length: 40_000 }, () => {
      digest = sha256(digest);
      return Buffer.from(digest, 'hex');
    });
    return Buffer.concat(parts);
  }

  async function storeOf(names: readonly string[]) {
    const store = await openStore(temporaryDirectory());
    const debs = names.map((name) => rawDeb(options(name)));
    for (const deb of debs) await putBlob(store, deb);
    return { store, pins: debs.map((deb, index) => pinOf(deb, { name: names[index]! })) };
  }

  async function collect(store: Store, pins: readonly DebianPin[], jobs: number, encode?: 'zstd') {
    const done: number[] = [];
    const results = new Map<string, ConvertedDeb>();
    const { signal } = new AbortController();
    for await (const { pin, converted } of convertDebs(store, pins, {
      signal,
      jobs,
      encode,
      onProgress: (progress) => done.push(progress.done),
    })) {
      results.set(pin.name, converted);
    }
    expect(done).toEqual(pins.map((_, index) => index + 1));
    return results;
  }

  const names = ['aaa', 'bbb', 'ccc', 'ddd'];

  test('gives the same layers in threads as without, and what is done is not done again', async () => {
    const { store, pins } = await storeOf(names);
    const inThreads = await collect(store, pins, 2, 'zstd');
    const other = await storeOf(names);
    const inOne = await collect(other.store, other.pins, 1);
    expect([...inThreads.keys()].sort()).toEqual(names);
    for (const name of names) expect(inThreads.get(name)).toEqual(inOne.get(name));
    expect([...(await collect(store, pins, 2)).keys()]).toEqual(names);
  });

  test('a refusal in a thread is the same error as without threads, and ends the others', async () => {
    const { store, pins } = await storeOf(names);
    const wrong = pins.map((pin) => (pin.name === 'ccc' ? { ...pin, name: 'evil' } : pin));
    const run = async () => {
      for await (const _ of convertDebs(store, wrong, { signal: new AbortController().signal, jobs: 2 }));
    };
    const error = await run().catch((reason) => reason);
    expect(error).toMatchObject({ name: 'BuilditError', code: 'archive-refused' });
    expect(error.message).toContain('expected the package evil');
  });

  test('stops when it is told to', async () => {
    const { store, pins } = await storeOf(names);
    const stop = new AbortController();
    const run = async () => {
      for await (const _ of convertDebs(store, pins, { signal: stop.signal, jobs: 2 })) stop.abort();
    };
    await expect(run()).rejects.toMatchObject({ code: 'interrupted' });
    await expect(run()).rejects.toMatchObject({ code: 'interrupted' });
  });
});
