import type { OciImage } from '../image/assemble-oci.ts';
import { comparePaths } from '../layer/path-order.ts';
import { layerTar } from '../layer/write-tar.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { sha256 } from '../model/digest.ts';
import type { LayerEntry } from '../model/layer.ts';
import { openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { type LayoutBlob, OCI_LAYOUT, type OciLayout, ociLayout } from './oci-index.ts';

/** An OCI image layout as one tar: what skopeo and podman call `oci-archive`. */
export function ociArchive(store: Store, images: readonly OciImage[]): AsyncIterable<Uint8Array> {
  return layoutTar(store, ociLayout(images), []);
}

/**
 * What `docker load` reads: `manifest.json` over the blobs of an OCI layout, as `docker save` has written it since
 * version 25. Layers must be gzipped or plain.
 */
export function dockerArchive(store: Store, image: OciImage, name: string): AsyncIterable<Uint8Array> {
  const manifest = [
    {
      Config: blobName(image.config.digest),
      RepoTags: image.tags.map((tag) => `${repositoryName(name)}:${dockerTag(tag)}`),
      Layers: image.layers.map(({ digest }) => blobName(digest)),
    },
  ];
  return layoutTar(store, ociLayout([image]), [['manifest.json', Buffer.from(canonicalJson(manifest))]]);
}

function layoutTar(
  store: Store,
  { index, blobs }: OciLayout,
  extra: readonly (readonly [string, Uint8Array])[],
): AsyncIterable<Uint8Array> {
  const documents = new Map<string, Uint8Array>([
    ['index.json', index],
    ['oci-layout', Buffer.from(OCI_LAYOUT)],
    ...extra,
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

/** The path of a reference: lower case, parts joined by single separators. */
export function repositoryName(name: string): string {
  const clean = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return clean === '' ? 'image' : clean;
}

/** At most 128 of letters, digits, `_`, `.` and `-`, the first no `.` or `-`. */
export function dockerTag(tag: string): string {
  const clean = tag
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 128);
  return clean === '' ? 'latest' : clean;
}
