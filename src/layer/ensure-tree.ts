import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KeptLayer } from '../model/layer.ts';
import type { Store } from '../store/store.ts';
import { openTemporary } from '../store/temporary.ts';
import { adoptTree, markTree, removeLayerTree, staleTreePath, treePath } from '../store/trees.ts';
import { readListing } from './listing.ts';
import { openEncodedLayer } from './open-layer.ts';
import { readTar } from './read-tar.ts';
import { treeAgrees } from './tree-agrees.ts';
import { unpackTree } from './unpack-tree.ts';

/**
 * The path of a layer's tree: the one that is there, an older one after its files have been compared with the listing, or
 * a new one unpacked from a blob. Throws 'store-damaged' where the store holds neither.
 */
export async function ensureTree(store: Store, layer: KeptLayer): Promise<string> {
  const known = await treePath(store, layer.diffId);
  if (known !== undefined) return known;
  const stale = await staleTreePath(store, layer.diffId);
  if (stale !== undefined) {
    if (await treeAgrees(stale, await readListing(store, layer.listing))) {
      const marked = await markTree(store, layer.diffId);
      if (marked !== undefined) return marked;
    } else {
      await removeLayerTree(store, layer.diffId);
    }
  }
  return restoreTree(store, layer);
}

async function restoreTree(store: Store, layer: KeptLayer): Promise<string> {
  const temporary = await openTemporary(store, 'tree');
  try {
    const directory = join(temporary.path, 'tree');
    mkdirSync(directory, { mode: 0o700 });
    await unpackTree(readTar(openEncodedLayer(store, layer), { isOwnLayer: true }), directory);
    return await adoptTree(store, layer.diffId, directory);
  } finally {
    await temporary.release();
  }
}
