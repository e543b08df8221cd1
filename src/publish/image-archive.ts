import type { OciImage } from '../image/assemble-oci.ts';
import { comparePaths } from '../layer/path-order.ts';
import { layerTar } from '../layer/write-tar.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { sha256 } from '../model/digest.ts';
import type { LayerEntry } from '../model/layer.ts';
import { openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { type LayoutBlob, namedImages, OCI_LAYOUT, ociLayout } from './oci-index.ts';

/** An OCI image layout as one tar, which podman and skopeo call `oci-archive`; `podman load` reads all its images. */
export function ociArchive(store: Store, images: readonly OciImage[]): AsyncIterable<Uint8Array> {
  return layoutTar(store, images);
}

/**
 * What `docker load` reads: `manifest.json` over the blobs of an OCI layout, as `docker save` has written it since
 * version 25. Layers must be gzipped or plain.
 */
export function dockerArchive(store: Store, images: readonly OciImage[]): AsyncIterable<Uint8Array> {
  return layoutTar(store, images);
}

/** All images with all their names. */
function dockerManifest(images: readonly OciImage[]): Uint8Array {
  const members = namedImages(images).map(({ image: { config, layers }, names }) => ({
    Config: blobName(config.digest),
    // podman puts `localhost/` before a name without a registry.
    RepoTags: names.map(({ full }) => full),
    Layers: layers.map(({ digest }) => blobName(digest)),
  }));
  return Buffer.from(canonicalJson(members));
}

function layoutTar(store: Store, images: readonly OciImage[]): AsyncIterable<Uint8Array> {
  const { index, blobs } = ociLayout(images, 'tag');
  const documents = new Map<string, Uint8Array>([
    ['index.json', index],
    ['manifest.json', dockerManifest(images)],
    ['oci-layout', Buffer.from(OCI_LAYOUT)],
  ]);
  const stored = new Map(blobs.map((blob) => [blobName(blob.digest), blob]));
  const entries: LayerEntry[] = [
    ...['blobs', 'blobs/sha256'].map((path): LayerEntry => ({ path, type: 'directory', mode: 0o755, ...FACTS })),
    ...[...documents].map(([path, bytes]) => fileEntry(path, bytes.length, sha256(bytes))),
    ...[...stored].map(([path, { size, digest }]) => fileEntry(path, size, digest)),
  ];
  return layerTar(
    entries.sort((a, b) => comparePaths(a.path, b.path)),
    ({ path }) => documents.get(path) ?? blobContent(store, stored.get(path)!),
  );
}

/** Archives of images are no file systems: their times say nothing. */
const FACTS = { uid: 0, gid: 0, mtime: 0 } as const;

function fileEntry(path: string, size: number, digest: string): LayerEntry {
  return { path, type: 'file', mode: 0o644, size, sha256: digest, ...FACTS };
}

function blobContent(store: Store, blob: LayoutBlob): Uint8Array | AsyncIterable<Uint8Array> {
  return blob.kind === 'document' ? blob.bytes : openBlob(store, blob.digest);
}

function blobName(digest: string): string {
  return `blobs/sha256/${digest}`;
}
