import type { Digest } from '../model/digest.ts';
import { isVersion } from '../model/names.ts';
import { type BlobReference, platform } from './published-record.ts';
import { count, digest, listOf, nullOr, object, text, time } from './strict-fields.ts';

/** A container at a place: where its signed document lies, and the OCI images it names. */
export interface ContainerEntry {
  readonly author: string | null;
  readonly name: string;
  readonly version: string;
  readonly platform: string;
  /** Id of the publisher's public key. */
  readonly key: Digest;
  /** When it was published; of two for one container and key the later counts. */
  readonly time: string;
  /** The blob that says what the container is: see `container-document.ts`. */
  readonly document: BlobReference;
  readonly images: readonly {
    readonly digest: Digest;
    readonly size: number;
    readonly tags: readonly string[];
  }[];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.+~-]{0,127}$/;

/** Part of a path at the place: one element, nothing that hides or leads elsewhere. */
export function isContainerName(value: string): boolean {
  return NAME.test(value) && !value.includes('..');
}

export const containerName = text('a name', isContainerName);
export const containerVersion = text('a version', (value) => isVersion(value) && !value.includes(':'));

export const containerEntry = object({
  author: nullOr(containerName),
  name: containerName,
  version: containerVersion,
  platform,
  key: digest,
  time,
  document: object({ digest, size: count }),
  images: listOf(
    object({
      digest,
      size: count,
      tags: listOf(
        text('a tag', (value) => TAG.test(value)),
        100,
      ),
    }),
    100,
  ),
});

/** Entries of one container, platform and key are one: the latest. */
export function containerKey({
  author,
  name,
  version,
  platform: where,
  key,
}: Pick<ContainerEntry, 'author' | 'name' | 'version' | 'platform' | 'key'>): string {
  return [author ?? '', name, version, where, key].join('\0');
}

/** `Sysadmin42/nginx-production`, as people ask for it. */
export function containerTitle({ author, name }: Pick<ContainerEntry, 'author' | 'name'>): string {
  return author === null ? name : `${author}/${name}`;
}
