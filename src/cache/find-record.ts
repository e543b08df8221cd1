import type { Digest } from '../model/digest.ts';
import type { Hash } from '../model/package-hash.ts';
import type { PackageRecord } from '../model/record.ts';
import { blobSize } from '../store/read-blob.ts';
import { findByBuildKey, readRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';

export type Lookup =
  | { readonly kind: 'hit'; readonly record: PackageRecord; readonly place: 'locally' }
  /** `reason` is one clause: why the package has to be built. */
  | { readonly kind: 'miss'; readonly reason: string };

/** Looks a package up by what was asked for. A record whose files are gone is a miss like any other. */
export async function findByHash(store: Store, hash: Hash): Promise<Lookup> {
  const record = await readRecord(store, hash);
  if (record === undefined) return { kind: 'miss', reason: 'never built here' };
  return usable(store, record);
}

/** Looks a package up by what its root really contained: a dependency that came out the same rebuilds nobody. */
export async function findSameBuild(store: Store, buildKey: Digest): Promise<Lookup> {
  const record = await findByBuildKey(store, buildKey);
  if (record === undefined) return { kind: 'miss', reason: 'no earlier build had the same inputs' };
  return usable(store, record);
}

async function usable(store: Store, record: PackageRecord): Promise<Lookup> {
  for (const layer of Object.values(record.outputs)) {
    if ((await blobSize(store, layer.listing)) === undefined)
      return { kind: 'miss', reason: 'its files are no longer in the store' };
  }
  return { kind: 'hit', record, place: 'locally' };
}
