import type { Hash } from '../model/package-hash.ts';
import { containerName, containerVersion } from './container-entry.ts';
import { type BlobReference, packageName, platform, version } from './published-record.ts';
import {
  canonicalText,
  count,
  digest,
  listOf,
  nullOr,
  object,
  oneOf,
  readCanonical,
  text,
  time,
} from './strict-fields.ts';

export const CONTAINER_FORMAT = 1;

export interface PublishedAci extends BlobReference {
  /** Path at the place. */
  readonly path: string;
  readonly imageId: string;
}

/** What a publisher says of a container: its spec, its images, and the packages they hold. */
export interface ContainerDocument {
  readonly format: typeof CONTAINER_FORMAT;
  readonly kind: 'container';
  readonly author: string | null;
  readonly name: string;
  readonly version: string;
  readonly platform: string;
  /** Definition, recipes, patches, files and lock as a tar. */
  readonly spec: BlobReference;
  /** Manifests of the OCI images, with their tags. */
  readonly oci: readonly (BlobReference & { readonly tags: readonly string[] })[];
  readonly aci: readonly PublishedAci[];
  readonly packages: readonly { readonly hash: Hash; readonly name: string; readonly version: string }[];
  readonly time: string;
}

const blob = { digest, size: count };
const shortText = text('a tag', (value) => /^[A-Za-z0-9_][A-Za-z0-9_.+~-]{0,127}$/.test(value));

const container = object({
  format: oneOf(CONTAINER_FORMAT),
  kind: oneOf('container'),
  author: nullOr(containerName),
  name: containerName,
  version: containerVersion,
  platform,
  spec: object(blob),
  oci: listOf(object({ ...blob, tags: listOf(shortText, 100) }), 100),
  aci: listOf(
    object({
      ...blob,
      path: text('a path below aci/', (value) => /^aci(?:\/[A-Za-z0-9_][A-Za-z0-9._+~-]*)+\.aci$/.test(value)),
      imageId: text('an image ID', (value) => /^sha512-[0-9a-f]{128}$/.test(value)),
    }),
    100,
  ),
  packages: listOf(object({ hash: digest, name: packageName, version }), 100_000),
  time,
});

/** The blob: the document in one line, then the armored signature over that line with its newline. */
export function containerLine(document: ContainerDocument): string {
  return canonicalText(document);
}

/** Throws `FieldFault` for what is not exactly a document of this format. */
export function parseContainerLine(line: string): ContainerDocument {
  return readCanonical(line, container);
}

/** Where the spec and an ACI of a container lie for people and other programs. */
export function specPath({
  author,
  name,
  version: of,
}: Pick<ContainerDocument, 'author' | 'name' | 'version'>): string {
  return `specs/${author === null ? '' : `${author}/`}${name}/${of}.tar`;
}

export function aciPath(
  { author, name, version: of }: Pick<ContainerDocument, 'author' | 'name' | 'version'>,
  { os, arch }: { readonly os: string; readonly arch: string },
): string {
  return `aci/${os}/${arch}/${author === null ? '' : `${author}/`}${name}-${of}.aci`;
}
