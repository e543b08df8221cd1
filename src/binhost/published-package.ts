import { findEncoding } from '../layer/encode-layer.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { KeptLayer } from '../model/layer.ts';
import type { PackageRecord } from '../model/record.ts';
import { blobSize } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import {
  type BlobReference,
  POLICY_VERSION,
  PUBLISHED_RECORD_FORMAT,
  type PublishedOutput,
  type PublishedRecord,
} from './published-record.ts';

/** The record that a builder signs, out of what this machine keeps. `encode` gives a layer's blob, made where need be. */
export async function publishedRecord(
  store: Store,
  record: PackageRecord & { readonly buildKey: Digest },
  encode: (layer: KeptLayer) => Promise<unknown>,
): Promise<PublishedRecord> {
  const outputs: Record<string, PublishedOutput> = {};
  for (const [name, layer] of Object.entries(record.outputs)) {
    await encode(layer);
    outputs[name] = await publishedOutput(store, layer);
  }
  const { hash, buildKey, name, version, platform, sources, patches, sourceDate, builder, startedAt, finishedAt } =
    record;
  return {
    format: PUBLISHED_RECORD_FORMAT,
    policy: POLICY_VERSION,
    hash,
    buildKey,
    name,
    version,
    platform,
    outputs,
    sources,
    patches,
    log: (record.log === undefined ? undefined : await reference(store, record.log)) ?? null,
    sourceDate,
    builder,
    startedAt,
    finishedAt,
  };
}

async function publishedOutput(store: Store, { diffId, size, listing, elf }: KeptLayer): Promise<PublishedOutput> {
  const encodings = await Promise.all(
    (['zstd', 'gzip'] as const).map((compression) => findEncoding(store, { diffId }, compression)),
  );
  return {
    diffId,
    size,
    listing: (await reference(store, listing))!,
    elf,
    blobs: encodings.filter((blob) => blob !== undefined),
  };
}

async function reference(store: Store, digest: Digest): Promise<BlobReference | undefined> {
  const size = await blobSize(store, digest);
  return size === undefined ? undefined : { digest, size };
}

/**
 * Every blob that a record names and this machine has, once each. Of each layer the listing and a blob must be there, else
 * the record would be one that nobody can use: `file-missing`.
 */
export async function blobsOf(store: Store, record: PublishedRecord): Promise<readonly BlobReference[]> {
  const outputs = Object.values(record.outputs).flatMap(({ listing, blobs }) => [listing, ...blobs]);
  await requireLayers(store, record);
  const digests = [...outputs.map(({ digest }) => digest), ...record.sources, ...record.patches];
  if (record.log !== null) digests.push(record.log.digest);
  const references = await Promise.all([...new Set(digests)].map((digest) => reference(store, digest)));
  return references.filter((blob) => blob !== undefined);
}

async function requireLayers(store: Store, record: PublishedRecord): Promise<void> {
  const gone = await goneOutput(store, record);
  if (gone === undefined) return;
  throw new BuilditError(
    'file-missing',
    `Cannot publish "${record.name}-${record.version}": expected the files of its output ${gone} in the store, found them gone`,
    { hint: 'build it again with --from-source' },
  );
}

/** An output whose listing, or every one of whose blobs, is not in the store; undefined where all can be published. */
export async function goneOutput(store: Store, { outputs }: PublishedRecord): Promise<string | undefined> {
  const holds = async ({ digest, size }: BlobReference) => (await blobSize(store, digest)) === size;
  for (const [name, { listing, blobs }] of Object.entries(outputs)) {
    const held = await Promise.all(blobs.map(holds));
    if (!held.includes(true) || !(await holds(listing))) return name;
  }
  return undefined;
}
