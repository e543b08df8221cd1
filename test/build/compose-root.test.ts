import { lstatSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { composeRoot, viewRoot } from '../../src/build/compose-root.ts';
import { keepLayer } from '../../src/layer/keep-layer.ts';
import { fileMember, symlinkMember, type TarMember } from '../../src/layer/tar-member.ts';
import type { KeptLayer } from '../../src/model/layer.ts';
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
