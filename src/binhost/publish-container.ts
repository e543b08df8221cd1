import type { Digest } from '../model/digest.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import { keyId } from '../signing/public-key.ts';
import { putBlob } from '../store/put-blob.ts';
import { openBlob, readBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { ensureIdentity } from './binhost-identity.ts';
import { commitEntries, readNewestIndex } from './commit-entries.ts';
import { type ContainerDocument, containerLine, specPath } from './container-document.ts';
import type { PublishPackagesOptions } from './publish-packages.ts';
import type { BlobReference } from './published-record.ts';
import { inParallel, uploadBlobs } from './upload-blobs.ts';
import { writeViews } from './views.ts';

export interface ContainerToPublish {
  readonly document: ContainerDocument;
  /** Every blob that the document's images are made of, and the spec; all in the store. */
  readonly blobs: readonly BlobReference[];
}

/** Publishes a container's spec and images: blobs, the signed document, the index, then what people look at. */
export async function publishContainer(
  store: Store,
  writer: RemoteWriter,
  { document, blobs }: ContainerToPublish,
  { name, signer, policy, now, signal, onProgress }: PublishPackagesOptions,
): Promise<void> {
  const identity = await ensureIdentity(writer, name);
  const line = containerLine(document);
  const signed = line + (await signer.sign('buildit-package', Buffer.from(line)));
  const stored = await putBlob(store, Buffer.from(signed), { what: 'container document' });
  await uploadBlobs(store, writer, [...blobs, document.spec, stored], { signal, onProgress });
  await writer.replace(specPath(document), await readBlob(store, document.spec.digest));
  await inParallel(document.aci, 4, ({ path, digest, size }) =>
    writer.put(path, { size, digest, from: (offset) => openFrom(store, digest, offset), signal }),
  );
  const { author, version, platform, oci, time } = document;
  const entry = {
    author,
    name: document.name,
    version,
    platform,
    key: keyId(signer.publicKey),
    time,
    document: stored,
    images: oci.map(({ digest, size, tags }) => ({ digest, size, tags })),
  };
  const commit = { identity, signer, policy, now, signal };
  await commitEntries(writer, { packages: [], containers: [entry] }, commit);
  await settleViews(writer, commit);
}

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
