import type { RemoteWriter } from '../remote/remote-place.ts';
import { keyId } from '../signing/public-key.ts';
import type { Signer } from '../signing/signer.ts';
import type { Store } from '../store/store.ts';
import { ensureIdentity } from './binhost-identity.ts';
import { commitEntries } from './commit-entries.ts';
import type { SignedRecord } from './find-package.ts';
import type { IndexEntry } from './index-part.ts';
import { blobsOf } from './published-package.ts';
import type { BlobReference, PublishedRecord } from './published-record.ts';
import type { TrustPolicy } from './read-pointer.ts';
import { inParallel, MOST_AT_ONCE, uploadBlobs } from './upload-blobs.ts';
import { uploadRecord, uploadSignedRecord } from './upload-record.ts';

/** A package built here, to be signed; or one taken from another builder, with the signature it came with. */
export type PackageToPublish =
  | { readonly kind: 'own'; readonly record: PublishedRecord }
  | { readonly kind: 'signed'; readonly signed: SignedRecord; readonly key: string };

export interface PublishPackagesOptions {
  /** What the place is called where it has no name yet. */
  readonly name: string;
  readonly signer: Signer;
  readonly policy: TrustPolicy;
  /** More blobs that are to lie there: archives of Debian packages that went into a build root. */
  readonly extraBlobs?: readonly BlobReference[] | undefined;
  readonly now: Date;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface PublishedPackages {
  readonly blobs: { readonly count: number; readonly bytes: number };
  /** Records that were not there before. */
  readonly records: number;
  readonly generation: number;
}

/**
 * Publishes packages: blobs, records, the index, in this order, so that whatever is named is there. What is there already
 * is not sent again. A run that was cut leaves a place that readers can use, and the next one sends what is missing.
 */
export async function publishPackages(
  store: Store,
  writer: RemoteWriter,
  packages: readonly PackageToPublish[],
  options: PublishPackagesOptions,
): Promise<PublishedPackages> {
  const { name, signer, policy, now, signal, onProgress, extraBlobs = [] } = options;
  const identity = await ensureIdentity(writer, name);
  const blobs = await Promise.all(packages.map((item) => blobsOf(store, recordOf(item))));
  const sent = await uploadBlobs(store, writer, [...blobs.flat(), ...extraBlobs], { signal, onProgress });
  let records = 0;
  const entries: IndexEntry[] = [];
  await inParallel(packages, MOST_AT_ONCE, async (item) => {
    const upload =
      item.kind === 'own'
        ? await uploadRecord(writer, item.record, signer)
        : await uploadSignedRecord(writer, item.signed, item.key);
    if (upload === 'new') records += 1;
    if (upload !== 'other')
      entries.push(entryOf(recordOf(item), item.kind === 'own' ? keyId(signer.publicKey) : item.key));
  });
  const generation = await commitEntries(
    writer,
    { packages: entries, containers: [] },
    { identity, signer, policy, now, signal },
    { nothingNew: sent.count === 0 && records === 0 },
  );
  return { blobs: sent, records, generation };
}

function recordOf(item: PackageToPublish): PublishedRecord {
  return item.kind === 'own' ? item.record : item.signed.record;
}

function entryOf({ hash, buildKey, name, version, platform, outputs }: PublishedRecord, key: string): IndexEntry {
  const size = Object.values(outputs).reduce(
    (sum, { listing, blobs }) => sum + listing.size + Math.min(...blobs.map((blob) => blob.size)),
    0,
  );
  return { hash, buildKey, key, name, version, platform, size };
}
