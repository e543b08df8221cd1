import type { Digest } from '../model/digest.ts';
import type { ElfFacts, LayerBlob, MediaType } from '../model/layer.ts';
import { isCleanRelativePath, isVersion } from '../model/names.ts';
import type { Hash } from '../model/package-hash.ts';
import { plainJson } from '../store/plain-json.ts';
import {
  anyText,
  canonicalText,
  count,
  digest,
  FieldFault,
  listOf,
  mapOf,
  nullOr,
  object,
  oneOf,
  readCanonical,
  text,
  time,
} from './strict-fields.ts';

export const PUBLISHED_RECORD_FORMAT = 1;

/** What a builder promises with a signature: version 1 is a build in a sandbox without network, checked for undeclared needs. */
export const POLICY_VERSION = 1;

/** A blob by what it hashes to; `size` in bytes. */
export interface BlobReference {
  readonly digest: Digest;
  readonly size: number;
}

export interface PublishedOutput {
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  /** The blob that lists every file with its mode, owner and digest. */
  readonly listing: BlobReference;
  /** Sonames and needs, one for each ELF file. */
  readonly elf: readonly ElfFacts[];
  /** The layer as it can be fetched; at least one. */
  readonly blobs: readonly LayerBlob[];
}

/**
 * What a builder says of a HASH: the document that is signed. Written as canonical JSON and a newline; any other form of
 * the same facts is refused.
 */
export interface PublishedRecord {
  readonly format: typeof PUBLISHED_RECORD_FORMAT;
  readonly policy: typeof POLICY_VERSION;
  readonly hash: Hash;
  readonly buildKey: Digest;
  readonly name: string;
  readonly version: string;
  /** `linux/amd64`. */
  readonly platform: string;
  /** One for each sub-package; the package itself is `main`. */
  readonly outputs: Readonly<Record<string, PublishedOutput>>;
  /** Digests of sources and normalised patches, in order; the blobs are uploaded beside the layers. */
  readonly sources: readonly Digest[];
  readonly patches: readonly Digest[];
  readonly log: BlobReference | null;
  /** Seconds since 1970. */
  readonly sourceDate: number;
  /** The program that built it. Who ran it is said by the signature. */
  readonly builder: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** Above any record: an ELF file is about 500 bytes. */
export const MOST_RECORD_BYTES = 16 * 2 ** 20;
export const MOST_SIGNATURE_BYTES = 16 * 1024;

const MEDIA_TYPES: readonly MediaType[] = [
  'application/vnd.oci.image.layer.v1.tar+zstd',
  'application/vnd.oci.image.layer.v1.tar+gzip',
  'application/vnd.oci.image.layer.v1.tar',
];

const PACKAGE_NAME = /^[a-z0-9][a-z0-9+._-]{0,63}\/[a-z0-9][a-z0-9+._-]{0,63}$/;
const PLATFORM = /^[a-z0-9]{1,16}\/[a-z0-9_]{1,16}$/;
const OUTPUT_NAME = /^[a-z0-9][a-z0-9+._-]{0,63}$/;
const ENCODER = /^[a-z0-9][a-z0-9-]{0,63}$/;

export const packageName = text('a package name', (value) => PACKAGE_NAME.test(value) && !value.includes('..'));
export const version = text('a version', isVersion);
export const platform = text('a platform', (value) => PLATFORM.test(value));

const blobReference = object({ digest, size: count });
const path = text('a clean path', isCleanRelativePath);
const soname = anyText(4096);

const layerBlobs = listOf(
  object({
    encoder: text('an encoder', (value) => ENCODER.test(value)),
    mediaType: oneOf(...MEDIA_TYPES),
    digest,
    size: count,
  }),
  16,
);

const output = object({
  diffId: digest,
  size: count,
  listing: blobReference,
  elf: listOf((value, at): ElfFacts => {
    const facts = object({
      path,
      machine: anyText(64),
      soname: optional(soname),
      interpreter: optional(soname),
      needed: listOf(object({ soname, versions: listOf(soname) })),
      defines: listOf(soname),
      runPaths: listOf(soname),
    })(value, at);
    return withoutUndefined(facts) as unknown as ElfFacts;
  }),
  blobs: (value, at): readonly LayerBlob[] => {
    const blobs = layerBlobs(value, at);
    if (blobs.length === 0) throw new FieldFault(`expected a blob at ${at}`);
    return blobs;
  },
});

const outputs = mapOf((key) => OUTPUT_NAME.test(key), output);

const record = object({
  format: oneOf(PUBLISHED_RECORD_FORMAT),
  policy: oneOf(POLICY_VERSION),
  hash: digest,
  buildKey: digest,
  name: packageName,
  version,
  platform,
  outputs: (value, at): Readonly<Record<string, PublishedOutput>> => {
    const all = outputs(value, at);
    if (!Object.hasOwn(all, 'main')) throw new FieldFault(`expected the output main at ${at}`);
    return all;
  },
  sources: listOf(digest, 10_000),
  patches: listOf(digest, 10_000),
  log: nullOr(blobReference),
  sourceDate: count,
  builder: anyText(200),
  startedAt: time,
  finishedAt: time,
});

/**
 * What all builders of a HASH must say alike, as one text: everything but who built it, when, with which log, and how the
 * layers were compressed.
 */
export function factsOf(value: PublishedRecord): string {
  const bare = Object.entries(value.outputs).map(([name, one]) => [name, { ...one, blobs: [] }]);
  const same = { startedAt: '', finishedAt: '', builder: '', log: null, outputs: Object.fromEntries(bare) };
  return publishedRecordText({ ...value, ...same });
}

export function publishedRecordText(value: PublishedRecord): string {
  return canonicalText(plainJson(value));
}

/** Throws `FieldFault` for what is not exactly a record of this format. */
export function parsePublishedRecord(document: string): PublishedRecord {
  return readCanonical(document, record);
}

function optional<Value>(
  read: (value: unknown, at: string) => Value,
): (value: unknown, at: string) => Value | undefined {
  return (value, at) => (value === undefined ? undefined : read(value, at));
}

function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}
