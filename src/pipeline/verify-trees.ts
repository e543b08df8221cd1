import type { Records } from '../build/realise-plan.ts';
import { findConverted } from '../debian/convert-deb.ts';
import { hasLayer } from '../layer/open-layer.ts';
import { findWholeTree } from '../layer/whole-tree.ts';
import { BuilditError } from '../model/errors.ts';
import type { KeptLayer } from '../model/layer.ts';
import type { Run } from './prepare-run.ts';

/**
 * Compares the unpacked files of a run's packages and of the packages in its build roots by content. Damaged trees are
 * removed with a warning; throws 'store-damaged' where a package of the run is then to be made again.
 */
export async function verifyTrees({ store, plan, options }: Run, records: Records): Promise<void> {
  const strict = { ...store, verifiesContents: true };
  const verify = async (layer: KeptLayer) => {
    options.context.signal.throwIfAborted();
    await findWholeTree(strict, layer);
    return hasLayer(store, layer);
  };
  for (const { pin } of plan.conversions.values()) {
    const converted = await findConverted(store, pin);
    if (converted !== undefined) await verify(converted.layer);
  }
  const lost: string[] = [];
  for (const { name, outputs } of records.values()) {
    for (const layer of Object.values(outputs)) if (!(await verify(layer))) lost.push(name);
  }
  if (lost.length === 0) return;
  throw new BuilditError(
    'store-damaged',
    `Cannot use "${lost[0]}" from the store: expected its files, found them damaged`,
    { hint: 'it has been removed and is made again by the next run' },
  );
}
