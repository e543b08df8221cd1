import { layerPaths } from '../layer/open-layer.ts';
import type { Hash } from '../model/package-hash.ts';
import { readRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { blobPath, recordPath } from '../store/store-paths.ts';
import type { Witness } from '../system/witness.ts';

/** Tells the witness of every file of the store without which these packages, which are there, would be built again. */
export async function witnessPackages(store: Store, hashes: readonly Hash[], witness: Witness): Promise<void> {
  for (const hash of hashes) {
    witness.stored(recordPath(store, hash));
    const record = await readRecord(store, hash);
    for (const layer of Object.values(record?.outputs ?? {})) {
      witness.stored(blobPath(store, layer.listing));
      for (const path of await layerPaths(store, layer)) witness.stored(path);
    }
  }
}
