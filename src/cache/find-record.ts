import { hasLayer } from '../layer/open-layer.ts';
import type { Digest } from '../model/digest.ts';
import type { Hash } from '../model/package-hash.ts';
import type { PackageRecord } from '../model/record.ts';
import { blobSize } from '../store/read-blob.ts';
import { findByBuildKey, type KeptRecord, readKeptRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { type LocalSeal, sealFault } from './local-seal.ts';

export type Lookup =
  | { readonly kind: 'hit'; readonly record: PackageRecord; readonly place: 'locally' | string }
  /** `reason` is one clause: why the package has to be built. */
  | { readonly kind: 'miss'; readonly reason: string };

/** Looks a package up by what was asked for. A record whose files are gone is a miss like any other. */
export async function findByHash(store: Store, hash: Hash, seal: LocalSeal): Promise<Lookup> {
  const kept = await readKeptRecord(store, hash);
  if (kept === undefined) return { kind: 'miss', reason: 'never built here' };
  return usable(store, kept, seal);
}

/** Looks a package up by what its root really contained: a dependency that came out the same rebuilds nobody. */
export async function findSameBuild(store: Store, buildKey: Digest, seal: LocalSeal): Promise<Lookup> {
  const kept = await findByBuildKey(store, buildKey);
  if (kept === undefined) return { kind: 'miss', reason: 'no earlier build had the same inputs' };
  return usable(store, kept, seal);
}

async function usable(store: Store, kept: KeptRecord, seal: LocalSeal): Promise<Lookup> {
  const fault = await sealFault(kept, seal);
  if (fault !== undefined) return { kind: 'miss', reason: fault };
  const { record } = kept;
  for (const layer of Object.values(record.outputs)) {
    if ((await blobSize(store, layer.listing)) === undefined || !(await hasLayer(store, layer)))
      return { kind: 'miss', reason: 'its files are no longer in the store' };
  }
  return { kind: 'hit', record, place: 'locally' };
}
