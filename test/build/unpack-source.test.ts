import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { clampSourceDate } from '../../src/build/prepare-workspace.ts';
import { unpackSource } from '../../src/build/unpack-source.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { readBlob } from '../../src/store/read-blob.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { putSource } from './run-request.ts';

async function place() {
  const directory = temporaryDirectory();
  const store = await openStore(join(directory, 'store'));
  const tree = join(directory, 'src');
  mkdirSync(tree);
  let count = 0;
  const fresh = () => join(directory, `fresh-${count++}`);
  return { store, tree, fresh, directory };
}

async function archive(store: Store, files: Record<string, string>) {
  const entries = Object.entries(files).map(([path, text]) => [path, { text, mtime: 1_500_000_000 }]);
  const digest = await putSource(store, Object.fromEntries(entries));
  return { digest, fileName: 'x.tar', action: 'unpack', strip: 0, directory: '.' } as const;
}

describe('unpackSource', () => {
  test('tells the compression from the bytes, whatever the name says', async () => {
    const { store, tree, fresh } = await place();
    const plain = await archive(store, { a: 'text' });
    const { digest } = await putBlob(store, gzipSync(await readBlob(store, plain.digest)));
    await unpackSource(store, { ...plain, digest, fileName: 'x.tar.xz' }, tree, fresh());
    expect(readFileSync(join(tree, 'a'), 'utf8')).toBe('text');
  });

  test('asks for a decision about an archive that neither recipe nor name tells of', async () => {
    const { store, tree, fresh } = await place();
    const tar = await archive(store, { a: 'text' });
    const { digest } = await putBlob(store, gzipSync(await readBlob(store, tar.digest)));
    const kept = { ...tar, digest, action: 'keep', fileName: 'download' } as const;
    const context = { recipe: 'app/x' };
    await expect(unpackSource(store, { ...kept, isUndecided: true }, tree, fresh(), context)).rejects.toMatchObject({
      code: 'definition-invalid',
      message:
        'Cannot use the source "download" of app/x: expected a name that tells whether it is unpacked, found a tar archive compressed by gzip',
      hint: 'unpack: true in the source unpacks it, and so does filename: download.tar; unpack: false keeps it as a file',
    });
    expect(readdirSync(tree)).toEqual([]);
    await unpackSource(store, kept, tree, fresh(), context);
    const text = await putBlob(store, Buffer.from('text'));
    await unpackSource(store, { ...kept, ...text, fileName: 'v1.0', isUndecided: true }, tree, fresh(), context);
    expect(readdirSync(tree)).toEqual(['download', 'v1.0']);
  });

  test('removes the top directory of a Debian source where everything is in it, as dpkg-source does', async () => {
    const { store, tree, fresh } = await place();
    const one = { ...(await archive(store, { 'x-1/a': 'a', 'x-1/d/b': 'b' })), strip: 1, isDebian: true } as const;
    await unpackSource(store, one, tree, fresh());
    expect(readdirSync(tree).sort()).toEqual(['a', 'd']);
    const many = { ...(await archive(store, { top: 'a', 'e/b': 'b' })), strip: 1, isDebian: true } as const;
    await unpackSource(store, many, tree, fresh());
    expect(readdirSync(tree).sort()).toEqual(['a', 'd', 'e', 'top']);
  });

  test('refuses what is no archive', async () => {
    const { store, tree, fresh } = await place();
    for (const bytes of [Buffer.from('no archive at all\n'.repeat(100)), Buffer.from('PK\u0003\u0004zip')]) {
      const { digest } = await putBlob(store, bytes);
      const source = { digest, fileName: 'x.zip', action: 'unpack', strip: 0, directory: '.' } as const;
      await expect(unpackSource(store, source, tree, fresh())).rejects.toMatchObject({ code: 'archive-refused' });
    }
    expect(readdirSync(tree)).toEqual([]);
  });

  test('refuses to strip an archive down to nothing', async () => {
    const { store, tree, fresh } = await place();
    const source = { ...(await archive(store, { a: 'text' })), strip: 1 };
    await expect(unpackSource(store, source, tree, fresh())).rejects.toMatchObject({
      code: 'definition-invalid',
      message: 'Cannot unpack "x.tar": expected files below 1 leading directory, found none',
      hint: expect.stringContaining('strip: 0'),
    });
  });

  test('joins the directories of two sources and refuses one file from both', async () => {
    const { store, tree, fresh } = await place();
    await unpackSource(store, await archive(store, { 'd/a': 'one', x: 'x' }), tree, fresh());
    await unpackSource(store, await archive(store, { 'd/b': 'two' }), tree, fresh());
    expect(readdirSync(join(tree, 'd')).sort()).toEqual(['a', 'b']);
    await expect(unpackSource(store, await archive(store, { x: 'y' }), tree, fresh())).rejects.toMatchObject({
      code: 'definition-invalid',
    });
    expect(readFileSync(join(tree, 'x'), 'utf8')).toBe('x');
  });

  test('refuses a kept file where an archive has one of that name', async () => {
    const { store, tree, fresh } = await place();
    const source = await archive(store, { Makefile: 'all:' });
    await unpackSource(store, source, tree, fresh());
    const kept = { ...source, action: 'keep', fileName: 'Makefile' } as const;
    await expect(unpackSource(store, kept, tree, fresh())).rejects.toMatchObject({ code: 'definition-invalid' });
    expect(readFileSync(join(tree, 'Makefile'), 'utf8')).toBe('all:');
  });

  test('follows no link that an earlier source left', async () => {
    const { store, tree, fresh, directory } = await place();
    const outside = join(directory, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(tree, 'link'));
    const inside = await archive(store, { planted: 'x' });
    for (const source of [
      { ...inside, directory: 'link' },
      { ...inside, directory: 'link/deeper' },
      { ...inside, action: 'keep', directory: 'link' },
    ] as const) {
      await expect(unpackSource(store, source, tree, fresh())).rejects.toMatchObject({ code: 'definition-invalid' });
    }
    await expect(
      unpackSource(store, await archive(store, { 'link/planted': 'x' }), tree, fresh()),
    ).rejects.toMatchObject({ code: 'definition-invalid' });
    expect(readdirSync(outside)).toEqual([]);
  });

  test('refuses directories and file names that lead elsewhere', async () => {
    const { store, tree, fresh, directory } = await place();
    const source = await archive(store, { a: 'x' });
    for (const bad of [
      { ...source, directory: '../outside' },
      { ...source, directory: '/etc' },
      { ...source, action: 'keep', fileName: '../planted' },
    ] as const) {
      await expect(unpackSource(store, bad, tree, fresh())).rejects.toMatchObject({ code: 'definition-invalid' });
    }
    expect(existsSync(join(directory, 'planted'))).toBe(false);
  });

  test('stops at an interrupt', async () => {
    const { store, tree, fresh } = await place();
    const source = await archive(store, { a: 'x' });
    await expect(unpackSource(store, source, tree, fresh(), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });

  test('a kept file is a copy that can be changed without changing the store', async () => {
    const { store, tree, fresh } = await place();
    const source = { ...(await archive(store, { a: 'x' })), action: 'keep', fileName: 'kept.tar' } as const;
    await unpackSource(store, source, tree, fresh());
    writeFileSync(join(tree, 'kept.tar'), 'changed');
    expect((await readBlob(store, source.digest)).length).toBeGreaterThan(1000);
  });
});

test('a source date is never before 1980 nor beyond 32 bits', () => {
  expect(clampSourceDate(undefined)).toBe(315_532_800);
  expect(clampSourceDate(0)).toBe(315_532_800);
  expect(clampSourceDate(-5)).toBe(315_532_800);
  expect(clampSourceDate(1_700_000_000)).toBe(1_700_000_000);
  expect(clampSourceDate(9e12)).toBe(2 ** 32 - 1);
});
