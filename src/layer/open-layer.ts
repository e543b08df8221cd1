import { createHash } from 'node:crypto';
import type { LayerCompression } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { KeptLayer } from '../model/layer.ts';
import { readEncoding } from '../store/encodings.ts';
import { blobSize, openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { removeLayerTree, treePath } from '../store/trees.ts';
import { systemErrorCode } from '../system/write-failure.ts';
import { encoderOf } from './compress.ts';
import { decompress } from './decompress.ts';
import { readListing } from './listing.ts';
import { treeContent } from './tree-content.ts';
import { layerTar } from './write-tar.ts';

/**
 * The bytes of a layer's tar, from its tree, else from a blob that holds it compressed. They are verified while they
 * pass: where they are not the layer's, the stream throws 'store-damaged' at its end, and what was damaged is removed.
 */
export async function* openLayerTar(store: Store, layer: KeptLayer): AsyncGenerator<Uint8Array, void, undefined> {
  const tree = await treePath(store, layer.diffId);
  if (tree === undefined) {
    yield* openEncodedLayer(store, layer);
  } else {
    yield* verified(store, layer, layerTar(await readListing(store, layer.listing), treeContent(tree)));
  }
}

/** As `openLayerTar`, from a blob alone. Throws 'store-damaged' where the store holds none. */
export async function* openEncodedLayer(store: Store, layer: KeptLayer): AsyncGenerator<Uint8Array, void, undefined> {
  yield* verified(store, layer, await encodedTar(store, layer));
}

async function* verified(
  store: Store,
  layer: KeptLayer,
  tar: AsyncIterable<Uint8Array>,
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
    throw await damaged(store, layer, error);
  }
  throw await damaged(store, layer);
}

/** A file of the tree that is gone, became something else or has another size, or a blob that does not decompress. */
function isDamage(error: unknown): boolean {
  if (error instanceof BuilditError) return error.code === 'archive-refused';
  return error instanceof TypeError || ['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR'].includes(systemErrorCode(error) ?? '');
}

async function damaged(store: Store, layer: KeptLayer, cause?: unknown): Promise<BuilditError> {
  await removeLayerTree(store, layer.diffId);
  return new BuilditError('store-damaged', `Cannot read layer ${layer.diffId}: expected its files, found others`, {
    hint: 'what was damaged has been removed; run the same command again',
    cause,
  });
}

const COMPRESSIONS: readonly LayerCompression[] = ['none', 'zstd', 'gzip'];

async function encodedTar(store: Store, layer: KeptLayer): Promise<AsyncIterable<Uint8Array>> {
  for (const compression of COMPRESSIONS) {
    const blob = await readEncoding(store, layer.diffId, encoderOf(compression));
    if (blob === undefined || (await blobSize(store, blob.digest)) !== blob.size) continue;
    const what = `layer ${layer.diffId}`;
    // The digest says what it is; a layer of zeros may be smaller than any ratio that guards against strangers.
    return decompress(openBlob(store, blob.digest), compression, {
      what,
      maxBytes: layer.size,
      maxRatio: Number.POSITIVE_INFINITY,
    });
  }
  throw new BuilditError(
    'store-damaged',
    `Cannot read layer ${layer.diffId}: expected its tree or a blob, found none`,
    {
      hint: 'it is made again when its package is built or converted again',
    },
  );
}
