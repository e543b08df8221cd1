import { assessPlan, conversionsFor } from '../build/realise-plan.ts';
import { fetchDebs, VanishedPackages } from '../debian/fetch-debs.ts';
import { append } from '../model/append.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError, BuilditErrors, throwCollected } from '../model/errors.ts';
import type { BuildStep } from '../model/plan.ts';
import { withCollectionLock } from '../store/collection-lock.ts';
import { blobSize } from '../store/read-blob.ts';
import { realisedFor, wantedForImage } from './assemble-run.ts';
import type { BuildOptions } from './contract.ts';
import { databasePins, fetchInputs, toolSteps, unconvertedPins } from './fetch-ahead.ts';
import { prepareRun, type Run } from './prepare-run.ts';
import { withPresentPackages } from './present-packages.ts';
import { rememberContainerLock } from './remember-lock.ts';
import { neededForTest } from './test-run.ts';

export interface FetchOutcome {
  readonly fetched: number;
  readonly bytes: number;
}

/**
 * Fetches everything that building a container on this machine takes, so that the build needs no network: packages that a
 * binhost has; of all others sources, patches and Debian packages.
 */
export async function fetchEverything(options: BuildOptions): Promise<FetchOutcome> {
  const prepared = await prepareRun(options);
  try {
    return await withCollectionLock(prepared.store, 'shared', () => withPresentPackages(prepared, fetchRun));
  } finally {
    await prepared.sharing.close();
  }
}

async function fetchRun(run: Run): Promise<FetchOutcome> {
  const { store, plan, sharing, options } = run;
  const { steps, packages } = await stepsToBuild(run);
  const debs = [...conversionsFor(plan, wantedForImage(run), steps), ...toolSteps(run, steps, isTested)];
  const pins = [...(await unconvertedPins(run, debs)), ...(await databasePins(run, steps))];
  const sources = steps.flatMap((step) => step.package.sources);
  const missing = await missingBlobs(
    run,
    [...pins, ...sources].map(({ sha256 }) => sha256),
  );
  const failures = [...(await fetchInputs(run, steps)).values()].flat();
  try {
    await fetchDebs(store, pins, { ...options, takeBlob: sharing.takeBlob });
  } catch (error) {
    if (failures.length === 0 || error instanceof VanishedPackages) throw error;
    if (error instanceof BuilditErrors) append(failures, error.errors);
    else if (error instanceof BuilditError) failures.push(error);
    else throw error;
  }
  throwCollected(failures);
  await rememberContainerLock(run);
  const sizes = await Promise.all(missing.map((digest) => blobSize(store, digest)));
  return {
    fetched: missing.length + packages.length,
    bytes: [...sizes, ...packages].reduce<number>((sum, size) => sum + (size ?? 0), 0),
  };
}

/** The steps that a build would build, and the sizes of packages that were taken from elsewhere. */
async function stepsToBuild(run: Run): Promise<{ steps: readonly BuildStep[]; packages: readonly number[] }> {
  const { plan, sharing, options } = run;
  const find: typeof sharing.cache.find = options.fromSource
    ? async () => ({ kind: 'miss', reason: 'asked for with --from-source' })
    : (hash) => sharing.cache.find(hash);
  const wanted = realisedFor(run, wantedForImage(run));
  const { needed, lookups } = await assessPlan(plan, wanted, find, (step) =>
    isTested(step) ? neededForTest(run, step) : [],
  );
  const taken = [...lookups.values()].flatMap((found) =>
    found.kind === 'hit' && found.place !== 'locally' ? [found.record] : [],
  );
  return {
    steps: needed.filter(({ hash }) => lookups.get(hash)!.kind === 'miss'),
    packages: taken.map(({ outputs }) => Object.values(outputs).reduce((sum, { size }) => sum + size, 0)),
  };
}

/** A build tests unless it is told not to. */
function isTested(step: BuildStep): boolean {
  return step.package.tests.length > 0;
}

async function missingBlobs({ store }: Run, digests: readonly Digest[]): Promise<Digest[]> {
  const unique = [...new Set(digests)];
  const sizes = await Promise.all(unique.map((digest) => blobSize(store, digest)));
  return unique.filter((_, index) => sizes[index] === undefined);
}
