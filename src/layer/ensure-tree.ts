import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import type { KeptLayer } from '../model/layer.ts';
import type { Store } from '../store/store.ts';
import { openTemporary } from '../store/temporary.ts';
import { openEncodedLayer } from './open-layer.ts';
import { readTar } from './read-tar.ts';
import { unpackTree } from './unpack-tree.ts';
import { adoptWholeTree, findWholeTree, type WholeTree } from './whole-tree.ts';

/**
 * The path of a layer's tree, found to be whole: the one that is there, or a new one unpacked from a blob. Throws
 * 'store-damaged' where the store holds neither.
 */
export async function ensureTree(store: Store, layer: KeptLayer): Promise<string> {
  return (await ensureWholeTree(store, layer)).path;
}

export async function ensureWholeTree(store: Store, layer: KeptLayer): Promise<WholeTree> {
  return (await findWholeTree(store, layer)) ?? (await restoreTree(store, layer));
}

async function restoreTree(store: Store, layer: KeptLayer): Promise<WholeTree> {
  const temporary = await openTemporary(store, 'tree');
  try {
    const directory = join(temporary.path, 'tree');
    mkdirSync(directory, { mode: 0o700 });
    await unpackTree(readTar(openEncodedLayer(store, layer), { isOwnLayer: true }), directory);
    const tree = await adoptWholeTree(store, layer, directory);
    if (tree !== undefined) return tree;
  } finally {
    await temporary.release();
  }
  throw new BuilditError(
    'store-damaged',
    `Cannot unpack layer ${layer.diffId}: expected the tree of another run to be whole, found it damaged`,
    { hint: 'it has been removed; run the same command again' },
  );
}
