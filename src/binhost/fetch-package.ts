import { createHash } from 'node:crypto';
import { compress, encoderOf, mediaTypeOf } from '../layer/compress.ts';
import { type Compression, decompress } from '../layer/decompress.ts';
import { findEncoding } from '../layer/encode-layer.ts';
import { parseListing } from '../layer/listing.ts';
import type { LayerCompression } from '../model/container.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { LayerBlob, MediaType } from '../model/layer.ts';
import type { PackageRecord } from '../model/record.ts';
import { RECORD_FORMAT } from '../model/record.ts';
import type { RemoteReader } from '../remote/remote-place.ts';
import { writeEncoding } from '../store/encodings.ts';
import { putBlob } from '../store/put-blob.ts';
import { blobSize, openBlob, readBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { allOrStop } from './all-or-stop.ts';
import { publishedBlobPath } from './binhost-paths.ts';
import type { BlobReference, PublishedOutput, PublishedRecord } from './published-record.ts';

export interface FetchPackageOptions {
  /** Blobs that enough builders named. What is in any other is held against the layer's digest, which takes time. */
  readonly vouched: ReadonlySet<Digest>;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that have come, of all that this package moves. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Brings a package's files into the store, each verified while it comes, and answers the record as this machine keeps it.
 * A file that is not what the signed record says is a `BuilditError`, and nothing of it is kept.
 */
export async function fetchPackage(
  store: Store,
  reader: RemoteReader,
  record: PublishedRecord,
  options: FetchPackageOptions,
): Promise<PackageRecord> {
  const outputs = Object.values(record.outputs);
  const bestBlobs = new Map(outputs.map((output) => [output, bestBlob(output, options.vouched)]));
  const wanted = outputs.flatMap((output) => [output.listing, bestBlobs.get(output)!]);
  const total = wanted.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const count = (bytes: number) => {
    done += bytes;
    options.onProgress?.(done, total);
  };
  const here = new Set<Digest>();
  for (const { digest, size } of wanted) if ((await blobSize(store, digest)) === size) here.add(digest);
  await allOrStop(
    options.signal,
    wanted.map((blob) => async (signal) => {
      if (here.has(blob.digest)) count(blob.size);
      else await fetchBlob(store, reader, blob, count, signal);
    }),
  );
  for (const [output, blob] of bestBlobs) {
    parseListing(
      await readBlob(store, output.listing.digest),
      `${reader.shown}/${publishedBlobPath(output.listing.digest)}`,
    );
    // A blob that was here, but as no layer's encoding any more, may be one that proved to hold something else.
    const isVouched = options.vouched.has(blob.digest) && !here.has(blob.digest);
    await keepEncoding(store, output, blob, { isVouched, shown: reader.shown });
  }
  return localRecord(record);
}

/** One that is vouched for, of this version's own encoder, else the smallest: it is compressed again here. */
function bestBlob({ blobs }: PublishedOutput, vouched: ReadonlySet<Digest>): LayerBlob {
  const rank = (blob: LayerBlob) =>
    (vouched.has(blob.digest) ? 0 : 4) + (blob.encoder === encoderOf('zstd') ? 0 : isCurrent(blob) ? 1 : 2);
  return blobs.toSorted((a, b) => rank(a) - rank(b) || a.size - b.size)[0]!;
}

const COMPRESSIONS: Readonly<Record<MediaType, LayerCompression>> = {
  'application/vnd.oci.image.layer.v1.tar+zstd': 'zstd',
  'application/vnd.oci.image.layer.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.v1.tar': 'none',
};

function isCurrent({ encoder, mediaType }: LayerBlob): boolean {
  return encoderOf(COMPRESSIONS[mediaType]) === encoder;
}

async function fetchBlob(
  store: Store,
  reader: RemoteReader,
  { digest, size }: BlobReference,
  count: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const path = publishedBlobPath(digest);
  const answer = await reader.open(path, { offset: 0, size, signal });
  const what = `${reader.shown}/${path}`;
  if (answer === 'missing')
    throw new BuilditError('file-missing', `Cannot fetch "${what}": expected the file, found none`);
  await putBlob(store, counted(answer, count), { expected: digest, size, what });
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    count(chunk.length);
    yield chunk;
  }
}

/** An encoding that the store has already stays: nobody's blob takes the place of one that was made or proved here. */
async function keepEncoding(
  store: Store,
  { diffId, size }: PublishedOutput,
  blob: LayerBlob,
  { isVouched, shown }: { readonly isVouched: boolean; readonly shown: string },
): Promise<void> {
  const known = isCurrent(blob) ? await findEncoding(store, { diffId }, COMPRESSIONS[blob.mediaType]) : undefined;
  if (known !== undefined) return;
  if (isVouched && isCurrent(blob)) return writeEncoding(store, diffId, blob);
  const what = `${shown}/${publishedBlobPath(blob.digest)}`;
  const compression: Compression = COMPRESSIONS[blob.mediaType];
  const tar = verified(
    decompress(openBlob(store, blob.digest), compression, { what, maxBytes: size, maxRatio: Number.POSITIVE_INFINITY }),
    { diffId, what },
  );
  if (isCurrent(blob)) {
    for await (const _ of tar);
    return writeEncoding(store, diffId, blob);
  }
  const stored = await putBlob(store, compress(tar, 'zstd'), { what });
  await writeEncoding(store, diffId, { encoder: encoderOf('zstd'), mediaType: mediaTypeOf('zstd'), ...stored });
}

async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  { diffId, what }: { readonly diffId: Digest; readonly what: string },
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  const found = hash.digest('hex');
  if (found === diffId) return;
  throw new BuilditError(
    'checksum-mismatch',
    `Cannot use "${what}": expected the layer sha256 ${diffId} in it, found ${found}`,
  );
}

function localRecord(record: PublishedRecord): PackageRecord {
  const outputs = Object.entries(record.outputs).map(([name, { diffId, size, listing, elf }]) => [
    name,
    { diffId, size, listing: listing.digest, elf },
  ]);
  return {
    format: RECORD_FORMAT,
    kind: 'build',
    hash: record.hash,
    buildKey: record.buildKey,
    name: record.name,
    version: record.version,
    platform: record.platform,
    outputs: Object.fromEntries(outputs),
    sources: record.sources,
    patches: record.patches,
    sourceDate: record.sourceDate,
    builder: record.builder,
    startedAt: record.startedAt,
    finishedAt: record.finishedAt,
    log: record.log?.digest,
  };
}
