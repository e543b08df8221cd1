import { createHash } from 'node:crypto';
import type { LayerCompression } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { KeptLayer } from '../model/layer.ts';
import { readEncoding, removeEncodings } from '../store/encodings.ts';
import { blobSize, openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { blobPath, encodingPath } from '../store/store-paths.ts';
import { removeLayerTree, staleTreePath, treePath } from '../store/trees.ts';
import { systemErrorCode } from '../system/write-failure.ts';
import { encoderOf } from './compress.ts';
import { decompress } from './decompress.ts';
import { readListing } from './listing.ts';
import { treeContent } from './tree-content.ts';
import { findWholeTree } from './whole-tree.ts';
import { layerTar } from './write-tar.ts';

/**
 * The bytes of a layer's tar, from its tree, else from a blob that holds it compressed. They are verified while they
 * pass: where they are not the layer's, the stream throws 'store-damaged' at its end, and what was damaged is removed.
 */
export async function* openLayerTar(store: Store, layer: KeptLayer): AsyncGenerator<Uint8Array, void, undefined> {
  const tree = (await findWholeTree(store, layer))?.path;
  if (tree === undefined) {
    yield* openEncodedLayer(store, layer);
  } else {
    const tar = layerTar(await readListing(store, layer.listing), treeContent(tree));
    yield* verified(layer, tar, () => removeLayerTree(store, layer.diffId));
  }
}

/** As `openLayerTar`, from a blob alone. Throws 'store-damaged' where the store holds none. */
export async function* openEncodedLayer(store: Store, layer: KeptLayer): AsyncGenerator<Uint8Array, void, undefined> {
  yield* verified(layer, await encodedTar(store, layer), () => removeEncodings(store, layer.diffId));
}

async function* verified(
  layer: KeptLayer,
  tar: AsyncIterable<Uint8Array>,
  remove: () => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of tar) {
      hash.update(chunk);
      yield chunk;
    }
    if (hash.digest('hex') === layer.diffId) return;
  } catch (error) {
    if (!isDamage(error)) throw error;
    await remove();
    throw damaged(layer, error);
  }
  await remove();
  throw damaged(layer);
}

/** A file of the tree that is gone, became something else or has another size, or a blob that does not decompress. */
function isDamage(error: unknown): boolean {
  if (error instanceof BuilditError) return error.code === 'archive-refused';
  return error instanceof TypeError || ['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR'].includes(systemErrorCode(error) ?? '');
}

function damaged(layer: KeptLayer, cause?: unknown): BuilditError {
  return new BuilditError('store-damaged', `Cannot read layer ${layer.diffId}: expected its files, found others`, {
    hint: 'what was damaged has been removed; run the same command again',
    cause,
  });
}

const COMPRESSIONS: readonly LayerCompression[] = ['none', 'zstd', 'gzip'];

async function encodedTar(store: Store, layer: KeptLayer): Promise<AsyncIterable<Uint8Array>> {
  const found = await findAnyEncoding(store, layer);
  if (found === undefined) {
    throw new BuilditError(
      'store-damaged',
      `Cannot read layer ${layer.diffId}: expected its tree or a blob, found none`,
      { hint: 'it is made again when its package is built or converted again' },
    );
  }
  // The digest says what it is; a layer of zeros may be smaller than any ratio that guards against strangers.
  return decompress(openBlob(store, found.digest), found.compression, {
    what: `layer ${layer.diffId}`,
    maxBytes: layer.size,
    maxRatio: Number.POSITIVE_INFINITY,
  });
}

/** Whether the store can give a layer's files without building or converting anything again. */
export async function hasLayer(store: Store, layer: Pick<KeptLayer, 'diffId'>): Promise<boolean> {
  return (await layerPaths(store, layer)).length > 0;
}

/** What lies in the store that a layer's files can be had from; empty where there is nothing. */
export async function layerPaths(store: Store, { diffId }: Pick<KeptLayer, 'diffId'>): Promise<readonly string[]> {
  const tree = (await treePath(store, diffId)) ?? (await staleTreePath(store, diffId));
  if (tree !== undefined) return [tree];
  const found = await findAnyEncoding(store, { diffId });
  if (found === undefined) return [];
  return [encodingPath(store, diffId, encoderOf(found.compression)), blobPath(store, found.digest)];
}

async function findAnyEncoding(store: Store, { diffId }: Pick<KeptLayer, 'diffId'>) {
  for (const compression of COMPRESSIONS) {
    const blob = await readEncoding(store, diffId, encoderOf(compression));
    if (blob !== undefined && (await blobSize(store, blob.digest)) === blob.size) return { ...blob, compression };
  }
  return undefined;
}
