import { unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDigest } from '../model/digest.ts';
import { isCount, isText, objectOf, oneOf, type Shape, shaped, textThat } from '../model/json-shape.ts';
import type { DiffId, LayerBlob } from '../model/layer.ts';
import { readDocument, writeDocument } from './document.ts';
import { namesIn } from './names-in.ts';
import { plainJson } from './plain-json.ts';
import type { Store } from './store.ts';
import { encodingPath } from './store-paths.ts';

const isLayerBlob: Shape<LayerBlob> = objectOf({
  encoder: isText,
  mediaType: oneOf(
    'application/vnd.oci.image.layer.v1.tar',
    'application/vnd.oci.image.layer.v1.tar+gzip',
    'application/vnd.oci.image.layer.v1.tar+zstd',
  ),
  digest: textThat(isDigest),
  size: isCount,
});

export const parseLayerBlob = shaped(isLayerBlob);

/** Which blob holds a layer as this encoder wrote it; undefined when it has not been written yet. */
export async function readEncoding(store: Store, diffId: DiffId, encoder: string): Promise<LayerBlob | undefined> {
  const blob = readDocument(store, encodingPath(store, diffId, encoder), { parse: parseLayerBlob });
  return blob?.encoder === encoder ? blob : undefined;
}

/** Remembers a blob that is in the store already as a layer's encoding. */
export async function writeEncoding(store: Store, diffId: DiffId, blob: LayerBlob): Promise<void> {
  await writeDocument(store, encodingPath(store, diffId, blob.encoder), plainJson(blob));
}

/** Forgets which blobs hold a layer: one of them did not. */
export async function removeEncodings(store: Store, diffId: DiffId): Promise<void> {
  const directory = dirname(encodingPath(store, diffId, 'none'));
  for (const name of namesIn(directory)) {
    if (name.startsWith(`${diffId}-`)) await unlink(join(directory, name)).catch(() => undefined);
  }
}
