import { createHash } from 'node:crypto';
import { compress, encoderOf } from '../layer/compress.ts';
import { listingBytes } from '../layer/listing.ts';
import { layerTar } from '../layer/write-tar.ts';
import type { ImageDefinition } from '../model/container.ts';
import { type Digest, isDigest, sha256 } from '../model/digest.ts';
import { isCount, objectOf, type Shape, textThat } from '../model/json-shape.ts';
import type { LayerEntry } from '../model/layer.ts';
import { readNote, writeNote } from '../store/notes.ts';
import { putBlob } from '../store/put-blob.ts';
import { blobSize } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { parseAciManifest } from './aci-manifest.ts';
import { flattenTree } from './flatten-tree.ts';
import type { ImageContent } from './prepare-content.ts';
import { resolveInTree } from './tree-path.ts';
import { hasOwner } from './user-tables.ts';
import { hashed } from './write-layer.ts';

export type AciDefinition = ImageDefinition & { readonly kind: 'aci' };

/** An App Container Image as one blob in the store. */
export interface AciImage {
  readonly kind: 'aci';
  /** `NAME-VERSION-OS-ARCH.aci`, in appc's words for the platform. */
  readonly fileName: string;
  /** `sha512-` and the digest of the uncompressed archive: appc spec/types.md, "Image ID Type". */
  readonly imageId: string;
  readonly digest: Digest;
  readonly size: number;
}

/**
 * Makes an App Container Image: `manifest`, then `rootfs/` and every file of the image below it, gzipped. The manifest
 * is the user's text as it is, once it is found to obey the rules of its own version.
 */
export async function assembleAci(store: Store, content: ImageContent, definition: AciDefinition): Promise<AciImage> {
  const { container, users, tree } = content;
  const hasPath = (path: string) => {
    const resolved = resolveInTree((other) => tree.entries.get(other)?.entry, path, { followLast: true });
    return resolved.kind === 'path' && tree.entries.has(resolved.path);
  };
  const manifest = parseAciManifest(definition.manifest, {
    platform: container.platform,
    position: definition.position,
    hasUser: (text) => (text.startsWith('/') ? hasPath(text) : hasOwner(users, `${text}:0`)),
    hasGroup: (text) => (text.startsWith('/') ? hasPath(text) : hasOwner(users, `0:${text}`)),
  });
  const fileName = `${container.name}-${container.version}-${manifest.os}-${manifest.arch}.aci`;
  const key = contentKey(content, definition.manifest);
  const archive = (await findArchive(store, key)) ?? (await writeArchive(store, content, definition.manifest, key));
  return { kind: 'aci', fileName, ...archive };
}

type AciArchive = Pick<AciImage, 'imageId' | 'digest' | 'size'>;

const NAMESPACE = 'aci';
const isArchive: Shape<AciArchive> = objectOf({
  imageId: textThat((text) => /^sha512-[0-9a-f]{128}$/.test(text)),
  digest: textThat(isDigest),
  size: isCount,
});

/** Everything the archive's bytes depend on. */
function contentKey({ layers, drafts, created }: ImageContent, manifest: string): string {
  const parts = layers.map((layer) =>
    layer.member === undefined ? sha256(listingBytes(drafts.get(layer)!.listing)) : layer.member.layer.diffId,
  );
  return [encoderOf('gzip'), sha256(manifest), `${created}`, ...parts].join(' ');
}

async function findArchive(store: Store, key: string): Promise<AciArchive | undefined> {
  const note = await readNote(store, NAMESPACE, key, isArchive);
  if (note === undefined || (await blobSize(store, note.digest)) !== note.size) return undefined;
  return note;
}

async function writeArchive(store: Store, content: ImageContent, manifest: string, key: string): Promise<AciArchive> {
  const { tree, layers, created } = content;
  const bytes = Buffer.from(manifest);
  const flat = flattenTree(tree, layers, 'rootfs/');
  const facts = { uid: 0, gid: 0, mtime: created };
  const top: readonly LayerEntry[] = [
    { path: 'manifest', type: 'file', mode: 0o644, size: bytes.length, sha256: sha256(bytes), ...facts },
    { path: 'rootfs', type: 'directory', mode: 0o755, ...facts },
  ];
  const readContent = await flat.open();
  const tar = layerTar([...top, ...flat.listing], (entry) => (entry.path === 'manifest' ? bytes : readContent(entry)));
  const hash = createHash('sha512');
  const { digest, size } = await putBlob(store, compress(hashed(tar, hash), 'gzip'), { what: 'ACI' });
  const archive = { imageId: `sha512-${hash.digest('hex')}`, digest, size };
  await writeNote(store, NAMESPACE, key, archive);
  return archive;
}
