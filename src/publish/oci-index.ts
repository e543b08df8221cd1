import type { OciImage } from '../image/assemble-oci.ts';
import { canonicalJson, type JsonValue } from '../model/canonical-json.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

export const OCI_LAYOUT = '{"imageLayoutVersion":"1.0.0"}';

/** Tells a layout that buildit wrote, and may therefore replace, from any other. */
export const LAYOUT_MARK = 'buildit.layout';

const REF_NAME = 'org.opencontainers.image.ref.name';

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

/** The content of an OCI image layout (image-spec, image-layout.md) that holds these images. */
export function ociLayout(images: readonly OciImage[]): OciLayout {
  const tagged = images.flatMap((image) => image.tags.map((tag) => ({ image, tag })));
  const seen = new Map<string, OciImage>();
  for (const { image, tag } of tagged) {
    if ((seen.get(tag) ?? image).manifest.digest !== image.manifest.digest) {
      throw new BuilditError(
        'definition-invalid',
        `Cannot tag two images as "${printable(tag)}": each needs tags of its own`,
        { hint: 'give each image step other "tags"' },
      );
    }
    seen.set(tag, image);
  }
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [...seen].map(([tag, image]) => manifestDescriptor(image, tag)),
    annotations: { [LAYOUT_MARK]: '1' },
  };
  return { index: Buffer.from(canonicalJson(index)), blobs: layoutBlobs(images) };
}

function manifestDescriptor({ manifest, platform }: OciImage, tag: string): JsonValue {
  return {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: `sha256:${manifest.digest}`,
    size: manifest.bytes.length,
    platform: { architecture: platform.architecture, os: platform.os },
    annotations: { [REF_NAME]: refName(tag) },
  };
}

/** image-spec, annotations.md: letters and digits, joined by `-._:@/+`. */
export function refName(tag: string): string {
  const components = tag.split('/').map((component) =>
    component
      .replace(/[^A-Za-z0-9._:@+-]/g, '-')
      .replace(/[-._:@+]*([-._:@+])/g, '$1')
      .replace(/^[-._:@+]|[-._:@+]$/g, ''),
  );
  return components.filter((component) => component !== '').join('/') || 'latest';
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
