import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { composeRoot, viewRoot } from '../../src/build/compose-root.ts';
import { encodeLayer } from '../../src/layer/encode-layer.ts';
import { keepLayer } from '../../src/layer/keep-layer.ts';
import { fileMember, symlinkMember, type TarMember } from '../../src/layer/tar-member.ts';
import type { KeptLayer } from '../../src/model/layer.ts';
import { listPath } from '../../src/store/kept-directories.ts';
import { readKeptList } from '../../src/store/kept-list.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { treePath } from '../../src/store/trees.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function keep(store: Store, members: readonly TarMember[]): Promise<KeptLayer> {
  async function* each() {
    yield* members;
  }
  return keepLayer(store, each(), { mtime: { kind: 'fixed', seconds: 1 }, owner: 'root' });
}

function memberFinder(layers: readonly KeptLayer[]) {
  return async (diffId: string) => ({
    label: diffId.slice(0, 8),
    layer: layers.find((layer) => layer.diffId === diffId)!,
  });
}

async function compose(store: Store, layers: readonly KeptLayer[]) {
  return composeRoot(
    store,
    layers.map(({ diffId }) => diffId),
    memberFinder(layers),
  );
}

describe('composeRoot', () => {
  test('hard-links the files of all trees, later ones over earlier ones', async () => {
    const store = await openStore(join(temporaryDirectory(), 'store'));
    const layers = [
      await keep(store, [
        fileMember('usr/bin/gcc', 'old'),
        fileMember('usr/share/x', 'x'),
        symlinkMember('usr/l', 'share'),
      ]),
      await keep(store, [fileMember('usr/bin/gcc', 'new', { mode: 0o755 })]),
    ];
    const root = await compose(store, layers);
    expect(readFileSync(join(root.path, 'usr/bin/gcc'), 'utf8')).toBe('new');
    expect(readlinkSync(join(root.path, 'usr/l'))).toBe('share');
    expect(readlinkSync(join(root.path, 'usr/bin/cc'))).toBe('gcc');
    const tree = await treePath(store, layers[1]!.diffId);
    expect(lstatSync(join(root.path, 'usr/bin/gcc')).ino).toBe(lstatSync(join(tree!, 'usr/bin/gcc')).ino);
    expect(root.directories).toEqual(['etc', 'usr']);
    expect(root.links).toEqual([{ name: 'bin', target: 'usr/bin' }]);
  });

  test('is readable for every user, whatever the umask', async () => {
    const before = process.umask(0o077);
    try {
      const store = await openStore(join(temporaryDirectory(), 'store'));
      const root = await compose(store, [await keep(store, [fileMember('usr/bin/x', 'x')])]);
      const modes = ['usr', 'usr/bin', 'etc/passwd', '../proc/cpuinfo'].map((path) =>
        (lstatSync(join(root.path, path)).mode & 0o777).toString(8),
      );
      expect(modes).toEqual(['755', '755', '644', '644']);
      expect(process.umask()).toBe(0o077);
    } finally {
      process.umask(before);
    }
  });

  test('is made once and found again', async () => {
    const store = await openStore(join(temporaryDirectory(), 'store'));
    const layers = [await keep(store, [fileMember('usr/bin/x', 'x')])];
    const first = await compose(store, layers);
    const again = await composeRoot(store, [layers[0]!.diffId], () => Promise.reject(new Error('asked for a member')));
    expect(again).toEqual(first);
    expect(
      readdirSync(join(store.directory, 'temporary')).flatMap((slot) =>
        readdirSync(join(store.directory, 'temporary', slot)),
      ),
    ).toEqual([]);
  });

  test('two processes composing one root both get it', async () => {
    const store = await openStore(join(temporaryDirectory(), 'store'));
    const layers = [await keep(store, [fileMember('usr/bin/x', 'x')])];
    const [one, other] = await Promise.all([compose(store, layers), compose(store, layers)]);
    expect(one).toEqual(other);
  });

  test('a top-level entry that is no real directory is never mounted', async () => {
    const store = await openStore(join(temporaryDirectory(), 'store'));
    const root = await compose(store, [await keep(store, [fileMember('usr/bin/x', 'x')])]);
    symlinkSync('/etc', join(root.path, 'srv'));
    expect(() => viewRoot(join(root.path, '..'))).toThrow(/expected a directory, found srv/);
  });
});

/** Flips the first bit of a file and gives it its time back. */
function flipBit(path: string): void {
  const { mtime } = lstatSync(path);
  const bytes = readFileSync(path);
  bytes[0]! ^= 1;
  writeFileSync(path, bytes);
  utimesSync(path, mtime, mtime);
}

function replaceBy(make: (path: string) => void): (path: string) => void {
  return (path) => {
    rmSync(path, { recursive: true, force: true });
    make(path);
  };
}

const HEADER = 'usr/include/stdio.h';

describe('a damaged root', () => {
  const damages: Readonly<Record<string, (path: string) => void>> = {
    'a flipped bit under an old time': flipBit,
    'a shorter file': (path) => truncateSync(path, 3),
    'no file': (path) => rmSync(path),
    'another mode': (path) => chmodSync(path, 0o755),
    'another time': (path) => utimesSync(path, 5, 5),
    'a link in the place of a file': replaceBy((path) => symlinkSync('/etc/passwd', path)),
    'a directory in the place of a file': replaceBy((path) => mkdirSync(path)),
    'one more file': (path) => writeFileSync(`${path}.orig`, ''),
    'a link that leads elsewhere': (path) =>
      replaceBy((link) => symlinkSync('/etc', link))(join(path, '../../share/to')),
    'a directory that others may write to': (path) => chmodSync(join(path, '..'), 0o777),
    'no directory': (path) => rmSync(join(path, '..'), { recursive: true }),
  };

  async function composed() {
    const warnings: string[] = [];
    const store = await openStore(join(temporaryDirectory(), 'store'), { onWarning: (text) => warnings.push(text) });
    const layers = [
      await keep(store, [fileMember(HEADER, 'int printf();'), symlinkMember('usr/share/to', '../include')]),
      await keep(store, [fileMember('usr/bin/x', 'x')]),
    ];
    for (const layer of layers) await encodeLayer(store, layer, 'zstd');
    const root = await compose(store, layers);
    return { store, layers, root, warnings };
  }

  function isWhole(directory: string): boolean {
    const header = lstatSync(join(directory, HEADER));
    return (
      readFileSync(join(directory, HEADER), 'utf8') === 'int printf();' &&
      header.isFile() &&
      (header.mode & 0o777) === 0o644 &&
      readlinkSync(join(directory, 'usr/share/to')) === '../include' &&
      (lstatSync(join(directory, 'usr/include')).mode & 0o777) === 0o755 &&
      readdirSync(join(directory, 'usr/include')).join() === 'stdio.h'
    );
  }

  for (const [name, damage] of Object.entries(damages)) {
    test(`with ${name} is made again, with one warning`, async () => {
      const { store, layers, root, warnings } = await composed();
      damage(join(root.path, HEADER));
      expect(isWhole((await compose(store, layers)).path)).toBe(true);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/^(a build root|the unpacked layer [0-9a-f]{12}) in the store was damaged \("/);
    });

    test(`is composed of a whole tree where that one had ${name}`, async () => {
      const { store, layers, root, warnings } = await composed();
      rmSync(join(root.path, '..'), { recursive: true });
      damage(join((await treePath(store, layers[0]!.diffId))!, HEADER));
      expect(isWhole((await compose(store, layers)).path)).toBe(true);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/^the unpacked layer [0-9a-f]{12} in the store was damaged \("usr\//);
    });
  }

  test('is found by its generated files, too', async () => {
    for (const path of ['etc/passwd', '../proc/cpuinfo']) {
      const { store, layers, root, warnings } = await composed();
      const content = readFileSync(join(root.path, path), 'utf8');
      writeFileSync(join(root.path, path), content.replace(/[a-z]/, '_'));
      await compose(store, layers);
      expect(readFileSync(join(root.path, path), 'utf8')).toBe(content);
      expect(warnings).toHaveLength(1);
    }
  });

  test('and the trees of another root that shares its files are both found', async () => {
    const { store, layers, warnings } = await composed();
    const other = await compose(store, [layers[0]!]);
    flipBit(join(other.path, HEADER));
    for (const members of [layers, [layers[0]!]]) expect(isWhole((await compose(store, members)).path)).toBe(true);
    expect(warnings.some((text) => text.startsWith('the unpacked layer'))).toBe(true);
  });

  test('is no root whose files were only linked, or whose list is lost, odd or older', async () => {
    const { store, layers, root, warnings } = await composed();
    const tree = (await treePath(store, layers[0]!.diffId))!;
    const inode = lstatSync(join(root.path, '..')).ino;
    const again = async () => lstatSync(join((await compose(store, layers)).path, '..')).ino;
    linkSync(join(root.path, HEADER), join(store.directory, '../elsewhere'));
    expect(await again()).toBe(inode);
    rmSync(listPath(tree));
    expect(await again()).toBe(inode);
    expect(readKeptList(store, tree)?.files.has(HEADER)).toBe(true);
    expect(warnings).toEqual([]);
    writeFileSync(listPath(tree), 'null');
    expect(await again()).toBe(inode);
    expect(warnings).toHaveLength(1);
    mkdirSync(replaced(listPath(tree)));
    expect(await again()).toBe(inode);
  });

  test('without a tree is compared with the tree that is made again', async () => {
    const { store, layers, root, warnings } = await composed();
    const tree = (await treePath(store, layers[0]!.diffId))!;
    renameSync(tree, join(store.directory, '../gone'));
    expect((await compose(store, layers)).path).toBe(root.path);
    flipBit(join(root.path, HEADER));
    expect(isWhole((await compose(store, layers)).path)).toBe(true);
    expect(warnings).toHaveLength(1);
  });

  test('is found by content where the states say nothing, when contents are verified', async () => {
    const { store, layers } = await composed();
    const states: string[] = [];
    const strict = { ...store, verifiesContents: true, onWarning: (text: string) => states.push(text) };
    await composeRoot(
      strict,
      layers.map(({ diffId }) => diffId),
      memberFinder(layers),
    );
    expect(states).toEqual([]);
  });

  test('that nothing can be made again of is an error, and all damage is removed by then', async () => {
    const store = await openStore(join(temporaryDirectory(), 'store'));
    const layers = [await keep(store, [fileMember('usr/a', 'a')]), await keep(store, [fileMember('usr/b', 'b')])];
    for (const [index, name] of ['usr/a', 'usr/b'].entries()) {
      flipBit(join((await treePath(store, layers[index]!.diffId))!, name));
    }
    await expect(compose(store, layers)).rejects.toMatchObject({ code: 'store-damaged' });
    expect(await Promise.all(layers.map(({ diffId }) => treePath(store, diffId)))).toEqual([undefined, undefined]);
  });
});

function replaced(path: string): string {
  rmSync(path, { recursive: true, force: true });
  return path;
}
