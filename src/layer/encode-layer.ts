import type { LayerCompression } from '../model/container.ts';
import type { KeptLayer, LayerBlob } from '../model/layer.ts';
import { readEncoding, writeEncoding } from '../store/encodings.ts';
import { putBlob } from '../store/put-blob.ts';
import { blobSize } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { compress, encoderOf, mediaTypeOf } from './compress.ts';
import { openLayerTar } from './open-layer.ts';

/** The blob that holds a layer compressed; made the first time it is asked for, and kept. */
export async function encodeLayer(store: Store, layer: KeptLayer, compression: LayerCompression): Promise<LayerBlob> {
  const kept = await findEncoding(store, layer, compression);
  if (kept !== undefined) return kept;
  const stored = await putBlob(store, compress(openLayerTar(store, layer), compression), {
    what: `layer ${layer.diffId}`,
  });
  const blob: LayerBlob = { encoder: encoderOf(compression), mediaType: mediaTypeOf(compression), ...stored };
  await writeEncoding(store, layer.diffId, blob);
  return blob;
}

/** The blob of a layer if this compressor has made it already and it is still there. */
export async function findEncoding(
  store: Store,
  layer: Pick<KeptLayer, 'diffId'>,
  compression: LayerCompression,
): Promise<LayerBlob | undefined> {
  const kept = await readEncoding(store, layer.diffId, encoderOf(compression));
  return kept !== undefined && (await blobSize(store, kept.digest)) === kept.size ? kept : undefined;
}
