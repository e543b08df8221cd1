import { findConverted } from '../debian/convert-deb.ts';
import { findDpkgDatabase, keepDpkgDatabase as makeDpkgDatabase } from '../debian/dpkg-database.ts';
import { fetchDebs } from '../debian/fetch-debs.ts';
import type { KeptLayer } from '../model/layer.ts';
import type { DebianPin } from '../model/lock.ts';
import type { BuildStep } from '../model/plan.ts';
import type { Run } from './prepare-run.ts';

/** The database of dpkg for the root of a step, from the archives of its Debian packages, which are fetched again where need be. */
export async function keepDpkgDatabase(run: Run, step: BuildStep): Promise<KeptLayer> {
  const { store, options } = run;
  const pins = rootPins(run, step);
  const known = await findDpkgDatabase(
    store,
    pins.map((pin) => ({ pin })),
  );
  if (known !== undefined) return known;
  const { config, context } = options;
  await fetchDebs(store, pins, { config, context, takeBlob: run.sharing.takeBlob });
  const packages = await Promise.all(
    pins.map(async (pin) => ({ pin, layer: (await findConverted(store, pin))!.layer })),
  );
  return makeDpkgDatabase(store, packages);
}

/** The archives that making the database takes; none where it is there. */
export async function missingDpkgPins(run: Run, step: BuildStep): Promise<readonly DebianPin[]> {
  const pins = rootPins(run, step);
  const known = await findDpkgDatabase(
    run.store,
    pins.map((pin) => ({ pin })),
  );
  return known === undefined ? pins : [];
}

function rootPins({ plan }: Run, step: BuildStep): readonly DebianPin[] {
  return step.root.flatMap((hash) => plan.conversions.get(hash)?.pin ?? []);
}
