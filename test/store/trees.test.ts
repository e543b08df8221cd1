import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/model/digest.ts';
import { adoptBuildRoot, buildRootPath, findBuildRoot, removeBuildRoot } from '../../src/store/build-roots.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { openTemporary } from '../../src/store/temporary.ts';
import { adoptTree, markTree, removeLayerTree, staleTreePath, treePath } from '../../src/store/trees.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const EARLIER_BOOT = '11111111-1111-4111-8111-111111111111';
const diffId = sha256('a layer');

async function freshStore(): Promise<Store> {
  return openStore(join(temporaryDirectory(), 'store'));
}

async function treeWith(store: Store, content: string): Promise<string> {
  const { path } = await openTemporary(store, 'tree');
  writeFileSync(join(path, 'file'), content);
  return path;
}

/** Makes the store look as it does after another start of the machine. */
function startMachineAgain(store: Store, kind: 'trees' | 'roots'): void {
  const boots = join(store.directory, kind);
  for (const boot of readdirSync(boots)) renameSync(join(boots, boot), join(boots, EARLIER_BOOT));
}

describe('a tree', () => {
  test('appears whole at its place, for everybody to read', async () => {
    const store = await freshStore();
    expect(await treePath(store, diffId)).toBeUndefined();
    const made = await treeWith(store, 'one');
    const path = await adoptTree(store, diffId, made);
    expect(await treePath(store, diffId)).toBe(path);
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('one');
    expect(existsSync(made)).toBe(false);
    for (const place of [path, dirname(path), dirname(dirname(path))]) expect(statSync(place).mode & 0o777).toBe(0o755);
  });

  test('that is there already stays, and a second one is removed', async () => {
    const store = await freshStore();
    const made = await Promise.all(['one', 'two', 'three'].map((content) => treeWith(store, content)));
    const paths = await Promise.all(made.map((directory) => adoptTree(store, diffId, directory)));
    expect(new Set(paths).size).toBe(1);
    expect(readdirSync(paths[0]!)).toEqual(['file']);
    expect(made.filter((directory) => existsSync(directory))).toEqual([]);
  });

  test('does not count after another start of the machine, until it was verified', async () => {
    const store = await freshStore();
    await adoptTree(store, diffId, await treeWith(store, 'one'));
    startMachineAgain(store, 'trees');
    expect(await treePath(store, diffId)).toBeUndefined();
    const stale = await staleTreePath(store, diffId);
    expect(readFileSync(join(stale!, 'file'), 'utf8')).toBe('one');
    const path = await markTree(store, diffId);
    expect(path).not.toBe(stale);
    expect(await treePath(store, diffId)).toBe(path);
    expect(await staleTreePath(store, diffId)).toBeUndefined();
  });

  test('is made anew beside the one of an earlier start', async () => {
    const store = await freshStore();
    await adoptTree(store, diffId, await treeWith(store, 'half'));
    startMachineAgain(store, 'trees');
    const path = await adoptTree(store, diffId, await treeWith(store, 'whole'));
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('whole');
  });

  test('that was found damaged is removed, whenever it was made', async () => {
    const store = await freshStore();
    await adoptTree(store, diffId, await treeWith(store, 'old'));
    startMachineAgain(store, 'trees');
    const path = await adoptTree(store, diffId, await treeWith(store, 'new'));
    chmodSync(path, 0);
    await removeLayerTree(store, diffId);
    expect(await treePath(store, diffId)).toBeUndefined();
    expect(await staleTreePath(store, diffId)).toBeUndefined();
    await removeLayerTree(store, diffId);
  });

  test('is never looked for under a name that is no digest', async () => {
    const store = await freshStore();
    await expect(treePath(store, '..')).rejects.toThrow(TypeError);
  });
});

describe('a build root', () => {
  test('is kept until the machine starts again', async () => {
    const store = await freshStore();
    const { path } = await openTemporary(store, 'root');
    mkdirSync(join(path, 'usr'));
    expect(await findBuildRoot(store, diffId)).toBeUndefined();
    expect(await adoptBuildRoot(store, diffId, path)).toBe(buildRootPath(store, diffId));
    expect(await findBuildRoot(store, diffId)).toBe(buildRootPath(store, diffId));
    startMachineAgain(store, 'roots');
    expect(await findBuildRoot(store, diffId)).toBeUndefined();
  });

  test('can be removed', async () => {
    const store = await freshStore();
    await adoptBuildRoot(store, diffId, (await openTemporary(store, 'root')).path);
    await removeBuildRoot(store, diffId);
    expect(await findBuildRoot(store, diffId)).toBeUndefined();
  });
});
