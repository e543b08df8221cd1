import type { BlobReference } from '../binhost/published-record.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import type { Hash } from '../model/package-hash.ts';
import type { Plan } from '../model/plan.ts';
import { putBlob } from '../store/put-blob.ts';
import type { Store } from '../store/store.ts';

/** What a HASH is made of, as the blob that has this HASH for its digest: two HASHes can then be compared. */
export async function keepInputs(store: Store, plan: Plan, hash: Hash): Promise<BlobReference | undefined> {
  const step = plan.stepsByHash.get(hash);
  if (step?.kind !== 'build') return undefined;
  return putBlob(store, Buffer.from(canonicalJson(step.inputs)), { expected: hash, what: `inputs of ${step.name}` });
}
