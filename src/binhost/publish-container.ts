import { type Digest, sha256 } from '../model/digest.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import { keyId } from '../signing/public-key.ts';
import type { Signer } from '../signing/signer.ts';
import { putBlob } from '../store/put-blob.ts';
import { openBlob, readBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { ensureIdentity } from './binhost-identity.ts';
import { publishedBlobPath } from './binhost-paths.ts';
import { type CommitOptions, commitEntries, readNewestIndex } from './commit-entries.ts';
import { type ContainerDocument, containerLine, parseContainerLine, specPath } from './container-document.ts';
import { type ContainerEntry, containerKey } from './container-entry.ts';
import { splitPointer } from './pointer.ts';
import type { PublishPackagesOptions } from './publish-packages.ts';
import type { BlobReference } from './published-record.ts';
import { replaceIfOther } from './replace-if-other.ts';
import { FieldFault } from './strict-fields.ts';
import { inParallel, uploadBlobs } from './upload-blobs.ts';
import { writeViews } from './views.ts';

export interface ContainerToPublish {
  readonly document: ContainerDocument;
  /** Every blob that the document's images are made of, and the spec; all in the store. */
  readonly blobs: readonly BlobReference[];
}

/**
 * Publishes a container's spec and images: blobs, the signed document, the index, then what people look at. Where the
 * newest document of this key says the same, nothing but what is missing is sent.
 */
export async function publishContainer(
  store: Store,
  writer: RemoteWriter,
  { document, blobs }: ContainerToPublish,
  { name, signer, policy, now, signal, onProgress }: PublishPackagesOptions,
): Promise<void> {
  const identity = await ensureIdentity(writer, name);
  const commit = { identity, signer, policy, now, signal };
  const before = await publishedBefore(writer, document, commit);
  const entry = before ?? (await signedEntry(store, document, signer));
  const wanted = [...blobs, document.spec, ...(before === undefined ? [entry.document] : [])];
  await uploadBlobs(store, writer, wanted, { signal, onProgress });
  await replaceIfOther(writer, specPath(document), await readBlob(store, document.spec.digest));
  await inParallel(document.aci, 4, async ({ path, digest, size }) => {
    const there = await writer.stat(path);
    if (there?.kind === 'file' && there.size === size) {
      if (before !== undefined) return;
      // The name says nothing of the content, so another one of this size has to make way.
      await writer.remove(path);
    }
    await writer.put(path, { size, digest, from: (offset) => openFrom(store, digest, offset), signal });
  });
  await commitEntries(writer, { packages: [], containers: [entry] }, commit, { nothingNew: before !== undefined });
  await settleViews(writer, commit);
}

async function signedEntry(store: Store, document: ContainerDocument, signer: Signer): Promise<ContainerEntry> {
  const line = containerLine(document);
  // A document that readers would refuse is not signed.
  parseContainerLine(line);
  const signed = line + (await signer.sign('buildit-package', Buffer.from(line)));
  const { author, name, version, platform, oci, time } = document;
  return {
    author,
    name,
    version,
    platform,
    key: keyId(signer.publicKey),
    time,
    document: await putBlob(store, Buffer.from(signed), { what: 'container document' }),
    images: oci.map(({ digest, size, tags }) => ({ digest, size, tags })),
  };
}

/** What this key published last of a container, if that says the same but for the time. */
async function publishedBefore(
  writer: RemoteWriter,
  document: ContainerDocument,
  options: CommitOptions,
): Promise<ContainerEntry | undefined> {
  const { author, name, version, platform } = document;
  const wanted = containerKey({ author, name, version, platform, key: keyId(options.signer.publicKey) });
  const { content } = await readNewestIndex(writer, options);
  const entry = content.containers.find((known) => containerKey(known) === wanted);
  if (entry === undefined || entry.document.size > MOST_DOCUMENT_BYTES) return undefined;
  const { digest, size } = entry.document;
  const there = await writer.stat(publishedBlobPath(digest));
  if (there?.kind !== 'file' || there.size !== size) return undefined;
  const answer = await writer.read(publishedBlobPath(digest), { maximumBytes: size });
  if (typeof answer === 'string' || sha256(answer.bytes) !== digest) return undefined;
  try {
    const found = parseContainerLine(splitPointer(answer.bytes).line);
    return containerLine({ ...found, time: '' }) === containerLine({ ...document, time: '' }) ? entry : undefined;
  } catch (error) {
    if (error instanceof FieldFault) return undefined;
    throw error;
  }
}

const MOST_DOCUMENT_BYTES = 32 * 2 ** 20;

/** Views of the newest generation, also where another was committed while they were written. */
export async function settleViews(writer: RemoteWriter, options: Parameters<typeof readNewestIndex>[1]): Promise<void> {
  for (let written = 0; ; ) {
    const { generation, content } = await readNewestIndex(writer, options);
    if (generation === written) return;
    await writeViews(writer, options.identity, content);
    written = generation;
  }
}

async function* openFrom(store: Store, digest: Digest, offset: number): AsyncGenerator<Uint8Array, void, undefined> {
  let position = 0;
  for await (const chunk of openBlob(store, digest)) {
    const start = Math.max(0, offset - position);
    position += chunk.length;
    if (start < chunk.length) yield chunk.subarray(start);
  }
}
