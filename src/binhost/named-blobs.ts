import { createHash } from 'node:crypto';
import { readTar } from '../layer/read-tar.ts';
import { append } from '../model/append.ts';
import { type Digest, sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { RemoteReader } from '../remote/remote-place.ts';
import { publishedBlobPath } from './binhost-paths.ts';
import type { ContainerDocument } from './container-document.ts';
import { MOST_MANIFEST_BYTES, parseImageManifest } from './image-manifest.ts';
import type { BlobReference, PublishedRecord } from './published-record.ts';

/** What is named and must be there, and what is kept where it is there. */
export interface NamedBlobs {
  readonly required: readonly BlobReference[];
  readonly optional: readonly Digest[];
}

/** Sources and patches may have been out of the builder's reach; what a HASH is made of has the HASH for its digest. */
export function blobsNamedByRecord(record: PublishedRecord): NamedBlobs {
  const outputs = Object.values(record.outputs).flatMap(({ listing, blobs }) => [listing, ...blobs]);
  const required = [...outputs, ...(record.log === null ? [] : [record.log])];
  return { required, optional: [record.hash, ...record.sources, ...record.patches] };
}

/**
 * Every blob of a container: spec, manifests, configurations, layers, and what the locks in its spec pin, such as the
 * Debian packages of a build root. Where a file that says what others there are is missing or damaged, `onFault` is told
 * its path and the rest is answered; without it that is thrown, as `checksum-mismatch`, `input-invalid` or
 * `archive-refused`.
 */
export async function blobsNamedByContainer(
  reader: RemoteReader,
  document: ContainerDocument,
  { signal, onFault }: NamingOptions = {},
): Promise<NamedBlobs> {
  const required: BlobReference[] = [document.spec, ...document.oci, ...document.aci];
  const optional: Digest[] = document.packages.map(({ hash }) => hash);
  const telling = async (digest: Digest, read: () => Promise<void>) => {
    try {
      await read();
    } catch (error) {
      if (onFault === undefined || !(error instanceof BuilditError) || !FAULTS.includes(error.code)) throw error;
      onFault(publishedBlobPath(digest), error.message);
    }
  };
  for (const image of document.oci) {
    await telling(image.digest, async () => {
      const { config, layers } = await manifestAt(reader, image, signal);
      required.push(config, ...layers);
    });
  }
  await telling(document.spec.digest, async () => {
    append(optional, await pinnedBySpec(reader, document.spec, signal));
  });
  return { required: required.map(({ digest, size }) => ({ digest, size })), optional };
}

export interface NamingOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onFault?: ((path: string, reason: string) => void) | undefined;
}

const FAULTS: readonly string[] = ['checksum-mismatch', 'input-invalid', 'archive-refused'];

async function manifestAt(reader: RemoteReader, { digest, size }: BlobReference, signal: AbortSignal | undefined) {
  const path = publishedBlobPath(digest);
  const answer = size > MOST_MANIFEST_BYTES ? 'missing' : await reader.read(path, { maximumBytes: size, signal });
  if (typeof answer === 'string') throw unreadable(reader, path, 'none');
  if (sha256(answer.bytes) !== digest) throw unreadable(reader, path, 'other bytes');
  return parseImageManifest(answer.bytes, path);
}

const MOST_LOCK_BYTES = 64 * 2 ** 20;

async function pinnedBySpec(
  reader: RemoteReader,
  { digest, size }: BlobReference,
  signal: AbortSignal | undefined,
): Promise<readonly Digest[]> {
  const path = publishedBlobPath(digest);
  const chunks = await reader.open(path, { offset: 0, size, signal });
  if (chunks === 'missing') throw unreadable(reader, path, 'none');
  const hash = createHash('sha256');
  const pinned = new Set<Digest>();
  for await (const { path: name, content, type, size: bytes } of readTar(hashed(chunks, hash), { what: path })) {
    if (type !== 'file' || name.split('/').at(-1) !== 'buildit.lock' || bytes > MOST_LOCK_BYTES) continue;
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(Buffer.from(part));
    for (const [found] of Buffer.concat(parts)
      .toString('latin1')
      .matchAll(/\b[0-9a-f]{64}\b/g))
      pinned.add(found);
  }
  if (hash.digest('hex') !== digest) throw unreadable(reader, path, 'other bytes');
  return [...pinned];
}

async function* hashed(
  chunks: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

function unreadable(reader: RemoteReader, path: string, found: string): BuilditError {
  return new BuilditError(
    'checksum-mismatch',
    `Cannot tell what "${path}" names at ${reader.shown}: expected the file of that digest, found ${found}`,
    { hint: '`buildit binhost verify` says what is damaged; `buildit binhost rm` takes it out of the index' },
  );
}
