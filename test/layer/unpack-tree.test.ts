import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readTar } from '../../src/layer/read-tar.ts';
import { fileMember } from '../../src/layer/tar-member.ts';
import { type UnpackOptions, unpackTree } from '../../src/layer/unpack-tree.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { inChunks, rawMember, rawPax, rawTar } from './raw-tar.ts';
import { snapshotOf } from './snapshot.ts';

async function unpack(tar: Buffer, options: UnpackOptions = {}) {
  const directory = join(temporaryDirectory(), 'fresh');
  mkdirSync(directory);
  const tree = await unpackTree(readTar(inChunks(tar)), directory, options);
  return { directory, tree, snapshot: snapshotOf(directory) };
}

/** The outside lies beside the fresh directory, two levels up, and in a place that is named absolutely. */
const attacks: Readonly<Record<string, (outside: string) => Buffer>> = {
  'an absolute name': (outside) => rawTar(rawMember({ name: `${outside}/victim` }, 'owned')),
  'a name with ..': () => rawTar(rawMember({ name: '../outside/victim' }, 'owned')),
  'a name that leaves and comes back': () => rawTar(rawMember({ name: '../fresh/file' }, 'owned')),
  'a link, then a file through it': (outside) =>
    rawTar(rawMember({ name: 'way', type: '2', link: outside }), rawMember({ name: 'way/victim' }, 'owned')),
  'a relative link, then a file through it': () =>
    rawTar(rawMember({ name: 'way', type: '2', link: '../outside' }), rawMember({ name: 'way/victim' }, 'owned')),
  'a link, then a directory in its place': (outside) =>
    rawTar(
      rawMember({ name: 'way', type: '2', link: outside }),
      rawMember({ name: 'way/', type: '5', mode: '0000777\0' }),
    ),
  'a link, then a file in its place': (outside) =>
    rawTar(rawMember({ name: 'way', type: '2', link: `${outside}/victim` }), rawMember({ name: 'way' }, 'owned')),
  'a chain of links': (outside) =>
    rawTar(
      rawMember({ name: 'a', type: '2', link: outside }),
      rawMember({ name: 'b', type: '2', link: 'a' }),
      rawMember({ name: 'b/victim' }, 'owned'),
    ),
  'a directory, then a link in its place, then a file': (outside) =>
    rawTar(
      rawMember({ name: 'way/', type: '5' }),
      rawMember({ name: 'way', type: '2', link: outside }),
      rawMember({ name: 'way/victim' }, 'owned'),
    ),
  'a hard link to the outside': (outside) =>
    rawTar(rawMember({ name: 'way', type: '1', link: `${outside}/victim` }), rawMember({ name: 'way' }, 'owned')),
  'a hard link to the outside by ..': () => rawTar(rawMember({ name: 'way', type: '1', link: '../outside/victim' })),
  'a hard link through a symbolic link': (outside) =>
    rawTar(
      rawMember({ name: 'way', type: '2', link: outside }),
      rawMember({ name: 'x', type: '1', link: 'way/victim' }),
    ),
  'a hard link to a symbolic link': (outside) =>
    rawTar(
      rawMember({ name: 'way', type: '2', link: `${outside}/victim` }),
      rawMember({ name: 'x', type: '1', link: 'way' }),
    ),
  'a hard link to a directory': () =>
    rawTar(rawMember({ name: 'd/', type: '5' }), rawMember({ name: 'x', type: '1', link: 'd' })),
  'a hard link to a later file': () => rawTar(rawMember({ name: 'x', type: '1', link: 'y' }), rawMember({ name: 'y' })),
  'a hard link to itself': () => rawTar(rawMember({ name: 'x', type: '1', link: 'x' })),
  'a file twice': () => rawTar(rawMember({ name: 'x' }, '1'), rawMember({ name: 'x' }, '2')),
  'a file twice, once with ./': () => rawTar(rawMember({ name: 'x' }, '1'), rawMember({ name: './x' }, '2')),
  'a file, then a directory': () => rawTar(rawMember({ name: 'x' }), rawMember({ name: 'x/', type: '5' })),
  'a directory, then a file': () => rawTar(rawMember({ name: 'x/', type: '5' }), rawMember({ name: 'x' })),
  'a file, then one below it': () => rawTar(rawMember({ name: 'x' }), rawMember({ name: 'x/y' })),
  'a directory twice with different modes': () =>
    rawTar(
      rawMember({ name: 'd/', type: '5', mode: '0000755\0' }),
      rawMember({ name: 'd/', type: '5', mode: '0000700\0' }),
    ),
  'a character device': () => rawTar(rawMember({ type: '3' })),
  'a block device': () => rawTar(rawMember({ type: '4' })),
  'a fifo': () => rawTar(rawMember({ type: '6' })),
  'a pax name that leads out': () => rawTar(rawPax({ path: '../outside/victim' }), rawMember({}, 'owned')),
  'a pax link that leads out': (outside) =>
    rawTar(rawPax({ linkpath: `${outside}/victim` }), rawMember({ type: '1', name: 'x', link: 'y' }, '')),
};

describe('unpackTree refuses, and changes nothing outside for', () => {
  test.each(Object.keys(attacks))('%s', async (name) => {
    const top = temporaryDirectory();
    const outside = join(top, 'outside');
    mkdirSync(join(top, 'fresh'));
    mkdirSync(outside, { mode: 0o700 });
    writeFileSync(join(outside, 'victim'), 'untouched');
    const before = snapshotOf(outside);
    const unpacking = unpackTree(readTar(inChunks(attacks[name]!(outside))), join(top, 'fresh'));
    await expect(unpacking).rejects.toMatchObject({ code: 'archive-refused' });
    expect(snapshotOf(outside)).toEqual(before);
    expect(snapshotOf(top).filter(({ path }) => !/^(fresh|outside)(\/|$)/.test(path))).toEqual([]);
  });

  /** Shows that the attacks are attacks: with -P, GNU tar does what the archive says. */
  requires('tar').test.each([
    'an absolute name',
    'a name with ..',
    'a link, then a file through it',
    'a relative link, then a file through it',
    'a chain of links',
    'a pax name that leads out',
  ])('%s, for which an unpacker without guards falls', (name) => {
    const top = temporaryDirectory();
    const outside = join(top, 'outside');
    mkdirSync(join(top, 'fresh'));
    mkdirSync(outside);
    writeFileSync(join(outside, 'victim'), 'untouched');
    spawnSync('tar', ['-xPf', '-', '-C', join(top, 'fresh')], { input: attacks[name]!(outside) });
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('owned');
  });

  test('a directory that is not fresh: a link that waits there is not followed', async () => {
    const top = temporaryDirectory();
    mkdirSync(join(top, 'outside'));
    mkdirSync(join(top, 'fresh'));
    symlinkSync('../outside', join(top, 'fresh/way'));
    symlinkSync('../outside/victim', join(top, 'fresh/file'));
    const through = unpackTree(
      readTar(inChunks(rawTar(rawMember({ name: 'way/victim' }, 'owned')))),
      join(top, 'fresh'),
    );
    await expect(through).rejects.toMatchObject({ code: 'cannot-write' });
    const onto = unpackTree(readTar(inChunks(rawTar(rawMember({ name: 'file' }, 'owned')))), join(top, 'fresh'));
    await expect(onto).rejects.toMatchObject({ code: 'cannot-write' });
    expect(snapshotOf(join(top, 'outside'))).toEqual([]);
  });
});

describe('unpackTree', () => {
  test('writes files, directories, links and times, readable for all and writable for the owner', async () => {
    const { snapshot, tree } = await unpack(
      rawTar(
        rawMember({ name: 'd/', type: '5', mode: '0000500\0', mtime: '00000000144\0' }),
        rawMember({ name: 'd/run', mode: '0006711\0', mtime: '00000000310\0' }, '#!'),
        rawMember({ name: 'd/secret', mode: '0000400\0' }, 's'),
        rawMember({ name: 'd/same', type: '1', link: 'd/run' }),
        rawMember({ name: 'd/link', type: '2', link: '/etc/passwd', mtime: '00000000001\0' }),
      ),
    );
    expect(snapshot).toEqual([
      { path: 'd', type: 'directory', mode: 0o755, mtime: 100 },
      { path: 'd/link', type: 'symlink', target: '/etc/passwd', mtime: 1 },
      { path: 'd/run', type: 'file', mode: 0o755, mtime: 200, content: '#!', links: 2 },
      { path: 'd/same', type: 'file', mode: 0o755, mtime: 200, content: '#!', links: 2 },
      { path: 'd/secret', type: 'file', mode: 0o644, mtime: 0, content: 's', links: 1 },
    ]);
    expect(tree).toEqual({ entries: 5, bytes: 3, newestMtime: 200 });
  });

  test('does not depend on the umask', async () => {
    const old = process.umask(0o077);
    try {
      const { snapshot } = await unpack(rawTar(rawMember({ name: 'a/b' }, 'x')));
      expect(snapshot).toMatchObject([{ mode: 0o755 }, { mode: 0o644 }]);
    } finally {
      process.umask(old);
    }
  });

  test('makes directories that the archive does not name, and gives one its facts when it does so later', async () => {
    const { snapshot } = await unpack(
      rawTar(rawMember({ name: 'a/b/c' }), rawMember({ name: 'a/', type: '5', mtime: '00000000144\0' })),
    );
    expect(snapshot.map(({ path, mtime }) => [path, mtime])).toEqual([
      ['a', 100],
      ['a/b', 0],
      ['a/b/c', 0],
    ]);
  });

  test('takes a directory twice where both say the same', async () => {
    const { snapshot } = await unpack(
      rawTar(rawMember({ name: 'd/', type: '5' }), rawMember({ name: 'd/', type: '5' })),
    );
    expect(snapshot).toHaveLength(1);
  });

  test('removes leading elements, of the targets of hard links too, and leaves out what has no more', async () => {
    const { snapshot } = await unpack(
      rawTar(
        rawMember({ name: 'readme' }),
        rawMember({ name: 'top-1.0/', type: '5' }),
        rawMember({ name: 'top-1.0/file' }, 'x'),
        rawMember({ name: 'top-1.0/same', type: '1', link: 'top-1.0/file' }),
      ),
      { strip: 1 },
    );
    expect(snapshot.map(({ path }) => path)).toEqual(['file', 'same']);
  });

  test('maps, filters, prefixes and tells', async () => {
    const told: string[] = [];
    const { snapshot } = await unpack(
      rawTar(rawMember({ name: 'a' }), rawMember({ name: 'b' }), rawMember({ name: 'c' })),
      {
        prefix: 'deep/er',
        mapPath: (path) => (path === 'a' ? undefined : `mapped-${path}`),
        filter: ({ path }) => path !== 'b',
        onEntry: (path) => told.push(path),
      },
    );
    expect(snapshot.map(({ path }) => path)).toEqual(['deep', 'deep/er', 'deep/er/mapped-c']);
    expect(told).toEqual(['deep/er/mapped-c']);
  });

  test('refuses a hard link to what was left out', async () => {
    const tar = rawTar(rawMember({ name: 'a' }), rawMember({ name: 'b', type: '1', link: 'a' }));
    await expect(unpack(tar, { filter: ({ path }) => path !== 'a' })).rejects.toMatchObject({
      code: 'archive-refused',
    });
  });

  test('lets the last of two files win where that was asked for', async () => {
    const tar = rawTar(
      rawMember({ name: 'x' }, 'first'),
      rawMember({ name: 'y', type: '2', link: 'x' }),
      rawMember({ name: 'x' }, 'second'),
      rawMember({ name: 'y' }, 'no link any more'),
    );
    const { directory } = await unpack(tar, { duplicates: 'last' });
    expect(readFileSync(join(directory, 'x'), 'utf8')).toBe('second');
    expect(readFileSync(join(directory, 'y'), 'utf8')).toBe('no link any more');
  });

  test('keeps names apart that differ in case or in Unicode form', async () => {
    const { snapshot } = await unpack(rawTar(...['a', 'A', '\u00e4', 'a\u0308'].map((name) => rawMember({ name }))));
    expect(snapshot).toHaveLength(4);
  });

  test('follows no link it has written, not even for their times', async () => {
    const top = temporaryDirectory();
    writeFileSync(join(top, 'victim'), 'untouched');
    const before = lstatSync(join(top, 'victim')).mtimeMs;
    const { directory } = await unpack(rawTar(rawMember({ name: 'way', type: '2', link: join(top, 'victim') })));
    expect(readlinkSync(join(directory, 'way'))).toBe(join(top, 'victim'));
    expect(lstatSync(join(top, 'victim')).mtimeMs).toBe(before);
  });

  test('unpacks members that were made here', async () => {
    const directory = temporaryDirectory();
    async function* members() {
      yield fileMember('etc/motd', 'hello', { mode: 0o600, mtime: 5 });
    }
    await unpackTree(members(), directory);
    expect(readFileSync(join(directory, 'etc/motd'), 'utf8')).toBe('hello');
  });

  test('unpacks what GNU tar packed as GNU tar does', async () => {
    const top = temporaryDirectory();
    mkdirSync(join(top, 'in/deep/er'), { recursive: true });
    for (let i = 0; i < 50; i += 1) writeFileSync(join(top, `in/deep/er/${i}`), 'x'.repeat(i * 3000));
    symlinkSync('deep/er/4', join(top, 'in/link'));
    const tar = execFileSync('tar', ['-C', join(top, 'in'), '-cf', '-', '.'], { maxBuffer: 2 ** 28 });
    const { snapshot } = await unpack(tar);
    // The archive's times are whole seconds or GNU's rounding of them; the rest is compared here.
    const plain = (entries: ReturnType<typeof snapshotOf>) => entries.map(({ mtime: _, ...rest }) => rest);
    expect(plain(snapshot)).toEqual(plain(snapshotOf(join(top, 'in'))));
  });
});
