import { createHash } from 'node:crypto';
import { compress, encoderOf, mediaTypeOf } from '../layer/compress.ts';
import { layerTar, type ReadContent } from '../layer/write-tar.ts';
import type { LayerCompression } from '../model/container.ts';
import { isDigest } from '../model/digest.ts';
import { textThat } from '../model/json-shape.ts';
import type { DiffId, LayerBlob, LayerListing } from '../model/layer.ts';
import { readEncoding, writeEncoding } from '../store/encodings.ts';
import { readNote, writeNote } from '../store/notes.ts';
import { putBlob } from '../store/put-blob.ts';
import { blobSize } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';

/** A layer as an image names it. */
export interface WrittenLayer {
  readonly diffId: DiffId;
  readonly blob: LayerBlob;
}

export interface LayerToWrite {
  /** Identifies the content completely: the same key always means the same bytes. */
  readonly key: string;
  readonly listing: LayerListing;
  open(): Promise<ReadContent>;
}

const NAMESPACE = 'image-layer';

/** Writes and compresses a layer that is no package's, once: the next time its blob is found by the key. */
export async function writeLayer(
  store: Store,
  { key, listing, open }: LayerToWrite,
  compression: LayerCompression,
): Promise<WrittenLayer> {
  const known = await readNote(store, NAMESPACE, key, textThat(isDigest));
  if (known !== undefined) {
    const blob = await readEncoding(store, known, encoderOf(compression));
    if (blob !== undefined && (await blobSize(store, blob.digest)) === blob.size) return { diffId: known, blob };
  }
  const hash = createHash('sha256');
  const tar = hashed(layerTar(listing, await open()), hash);
  const { digest, size } = await putBlob(store, compress(tar, compression));
  const diffId = hash.digest('hex');
  const blob = { encoder: encoderOf(compression), mediaType: mediaTypeOf(compression), digest, size };
  await writeEncoding(store, diffId, blob);
  await writeNote(store, NAMESPACE, key, diffId);
  return { diffId, blob };
}

export async function* hashed(
  bytes: AsyncIterable<Uint8Array>,
  hash: { update(bytes: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}
