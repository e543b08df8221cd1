import { layerPaths } from '../layer/open-layer.ts';
import type { Hash } from '../model/package-hash.ts';
import { blobSize } from '../store/read-blob.ts';
import { readRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { blobPath, recordPath } from '../store/store-paths.ts';
import type { Witness } from '../system/witness.ts';

/**
 * Tells the witness of every file of the store without which these packages, which were found, would be built again. False
 * where one has gone since: a witness that saw nothing in its place would call that unchanged.
 */
export async function witnessPackages(store: Store, hashes: readonly Hash[], witness: Witness): Promise<boolean> {
  for (const hash of hashes) {
    witness.stored(recordPath(store, hash));
    const record = await readRecord(store, hash);
    if (record === undefined) return false;
    for (const layer of Object.values(record.outputs)) {
      const paths = await layerPaths(store, layer);
      if (paths.length === 0 || (await blobSize(store, layer.listing)) === undefined) return false;
      for (const path of [blobPath(store, layer.listing), ...paths]) witness.stored(path);
    }
  }
  return true;
}
