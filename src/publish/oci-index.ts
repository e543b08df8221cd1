import type { OciImage } from '../image/assemble-oci.ts';
import { canonicalJson, type JsonValue } from '../model/canonical-json.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { type ImageName, parseImageName } from './image-name.ts';

export const OCI_LAYOUT = '{"imageLayoutVersion":"1.0.0"}';

/** Tells a layout that buildit wrote, and may therefore replace, from any other. */
export const LAYOUT_MARK = 'buildit.layout';

const REF_NAME = 'org.opencontainers.image.ref.name';
/** By which containerd, Docker and podman name an image that they load. */
const IMAGE_NAME = 'io.containerd.image.name';

/** A file of a layout's `blobs/sha256/`: a small document, or a blob of the store. */
export type LayoutBlob =
  | { readonly kind: 'document'; readonly digest: Digest; readonly size: number; readonly bytes: Uint8Array }
  | { readonly kind: 'stored'; readonly digest: Digest; readonly size: number };

export interface OciLayout {
  /** index.json. */
  readonly index: Uint8Array;
  /** Each once, sorted by digest. */
  readonly blobs: readonly LayoutBlob[];
}

/**
 * How index.json lists images. `manifest`: one entry for each, which tools that want "the image" of a layout demand.
 * `tag`: one for each name, as `docker save` writes it, so that a loaded archive has all of them.
 */
export type IndexEntries = 'manifest' | 'tag';

/** The content of an OCI image layout (image-spec, image-layout.md) that holds these images. */
export function ociLayout(images: readonly OciImage[], entries: IndexEntries): OciLayout {
  const named = namedImages(images);
  const manifests = named.flatMap(({ image, names }) => {
    const shown = entries === 'tag' ? names : [mainName(names)];
    return shown.map((name) => manifestDescriptor(image, name));
  });
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests,
    annotations: { [LAYOUT_MARK]: '1' },
  };
  return { index: Buffer.from(canonicalJson(index)), blobs: layoutBlobs(images) };
}

export interface NamedImage {
  readonly image: OciImage;
  /** Each once, at least one. */
  readonly names: readonly ImageName[];
}

/** Each manifest once, with all its names. Throws where two images have one name. */
export function namedImages(images: readonly OciImage[]): readonly NamedImage[] {
  const owners = new Map<string, OciImage>();
  const named = new Map<Digest, { readonly image: OciImage; readonly names: ImageName[] }>();
  for (const image of images) {
    const names = named.get(image.manifest.digest)?.names ?? [];
    named.set(image.manifest.digest, { image, names });
    for (const name of image.tags.map((tag) => parseImageName(tag, image.name))) {
      const owner = owners.get(name.full);
      if (owner === undefined) names.push(name);
      else if (owner.manifest.digest !== image.manifest.digest) throw sharedTag(name);
      owners.set(name.full, image);
    }
  }
  return [...named.values()];
}

function sharedTag({ tag }: ImageName): BuilditError {
  return new BuilditError(
    'definition-invalid',
    `Cannot tag two images as "${printable(tag)}": each needs tags of its own`,
    { hint: 'give each image step other "tags"' },
  );
}

/** The name that `oci:DIRECTORY:TAG` finds: `latest` if the image is tagged so, else its first tag. */
function mainName(names: readonly ImageName[]): ImageName {
  return names.find(({ tag }) => tag === 'latest') ?? names[0]!;
}

function manifestDescriptor({ manifest, platform }: OciImage, { full, tag }: ImageName): JsonValue {
  return {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: `sha256:${manifest.digest}`,
    size: manifest.bytes.length,
    platform: { architecture: platform.architecture, os: platform.os },
    annotations: { [REF_NAME]: tag, [IMAGE_NAME]: full },
  };
}

function layoutBlobs(images: readonly OciImage[]): LayoutBlob[] {
  const blobs = new Map<Digest, LayoutBlob>();
  for (const { manifest, config, layers } of images) {
    for (const { digest, bytes } of [manifest, config]) {
      blobs.set(digest, { kind: 'document', digest, size: bytes.length, bytes });
    }
    for (const { digest, size } of layers) blobs.set(digest, { kind: 'stored', digest, size });
  }
  return [...blobs.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
}
