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
  | LookupMiss;

export interface LookupMiss {
  readonly kind: 'miss';
  /** One clause: why the package has to be built. */
  readonly reason: string;
  /** The option that asks for a build, whatever a cache holds. */
  readonly asked?: '--from-source' | '--force';
  /** One clause where something was found that cannot be used. */
  readonly unusable?: string;
}

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
  if (fault !== undefined) return unusable(fault);
  const { record } = kept;
  for (const layer of Object.values(record.outputs)) {
    if ((await blobSize(store, layer.listing)) === undefined || !(await hasLayer(store, layer)))
      return unusable('its files are no longer in the store');
  }
  return { kind: 'hit', record, place: 'locally' };
}

function unusable(fault: string): LookupMiss {
  return { kind: 'miss', reason: fault, unusable: fault };
}

/** The kept records of a HASH or a build key that count, whether or not their files are still there. */
export async function findKeptRecords(
  store: Store,
  hash: Hash,
  buildKey: Digest,
  seal: LocalSeal,
): Promise<readonly PackageRecord[]> {
  const kept = [await readKeptRecord(store, hash), await findByBuildKey(store, buildKey)];
  const counting = await Promise.all(
    kept.map(async (one) => (one === undefined || (await sealFault(one, seal)) !== undefined ? [] : [one.record])),
  );
  return counting.flat();
}
