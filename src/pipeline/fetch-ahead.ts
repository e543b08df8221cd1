import { findConverted } from '../debian/convert-deb.ts';
import { fetchDebs } from '../debian/fetch-debs.ts';
import { failedPatches } from '../fetch/fetch-patch.ts';
import { failedSources } from '../fetch/fetch-sources.ts';
import { keepFiles } from '../fetch/keep-file.ts';
import { BuilditError } from '../model/errors.ts';
import type { Hash } from '../model/package-hash.ts';
import type { BuildStep, ConvertStep } from '../model/plan.ts';
import { convertSteps } from './convert-steps.ts';
import { bubblewrapSteps } from './host-programs.ts';
import { missingDpkgPins } from './keep-dpkg-database.ts';
import { openRunRegistries } from './open-run-registries.ts';
import type { Run } from './prepare-run.ts';
import { fetchSession, packingSteps, rootDebian } from './realise-run.ts';
import { sourceOptions } from './source-options.ts';
import { repositoryOf, testDependencies } from './test-run.ts';

/** Brings sources, patches and the recipes' own files into the store; answers the failures of each step. */
export async function fetchInputs(
  run: Run,
  steps: readonly BuildStep[],
): Promise<ReadonlyMap<Hash, readonly BuilditError[]>> {
  const { store, options, sharing, lock } = run;
  const sources = await failedSources(
    steps.flatMap((step) => step.package.sources),
    sourceOptions({ store, options, registries: openRunRegistries(options), takeBlob: sharing.takeBlob }),
  );
  const patches = await failedPatches(
    steps.flatMap((step) => step.package.patches),
    lock.patches,
    fetchSession(run),
  );
  const failures = new Map<Hash, readonly BuilditError[]>();
  for (const { hash, package: definition } of steps) {
    const own = [
      ...definition.sources.flatMap(({ sha256 }) => sources.get(sha256) ?? []),
      ...definition.patches.flatMap((patch) => patches.get(patch) ?? []),
      ...(await failureOfFiles(run, definition.files)),
    ];
    if (own.length > 0) failures.set(hash, own);
  }
  return namingPackages(failures, new Map(steps.map(({ hash, name }) => [hash, name])));
}

/** Of many packages that are built at once, says which ones need what is missing. */
function namingPackages(
  failures: ReadonlyMap<Hash, readonly BuilditError[]>,
  names: ReadonlyMap<Hash, string>,
): ReadonlyMap<Hash, readonly BuilditError[]> {
  const needing = new Map<BuilditError, string[]>();
  for (const [hash, own] of failures) {
    for (const error of own) needing.set(error, [...(needing.get(error) ?? []), names.get(hash)!]);
  }
  const named = new Map(
    [...needing].map(([error, packages]) => {
      const { code, message, hint, position, cause } = error;
      const details = [...error.details, `needed by ${packages.join(', ')}`];
      return [error, new BuilditError(code, message, { hint, position, cause, details })];
    }),
  );
  return new Map([...failures].map(([hash, own]) => [hash, own.map((error) => named.get(error)!)]));
}

async function failureOfFiles({ store }: Run, files: BuildStep['package']['files']): Promise<readonly BuilditError[]> {
  try {
    await keepFiles(store, files);
    return [];
  } catch (error) {
    if (error instanceof BuilditError) return [error];
    throw error;
  }
}

/**
 * Brings everything into the store that building these steps takes beside what they are built from: the root that output is
 * packed in, the sandbox where the host has none, the database of dpkg, and what their tests need.
 */
export async function fetchTools(
  run: Run,
  steps: readonly BuildStep[],
  { isTested }: { readonly isTested: (step: BuildStep) => boolean },
): Promise<void> {
  await convertSteps(run, toolSteps(run, steps, isTested));
  const { config, context } = run.options;
  await fetchDebs(run.store, await databasePins(run, steps), { config, context, takeBlob: run.sharing.takeBlob });
}

/** Debian packages that building and testing these steps, and testing the image, takes beside their own roots. */
export function toolSteps(
  run: Run,
  steps: readonly BuildStep[],
  isTested: (step: BuildStep) => boolean,
): readonly ConvertStep[] {
  const { container, repositories: all } = run.definitions;
  const forImage = container.tests === undefined ? [] : all.slice(0, 1);
  const repositories = new Set([...steps.map((step) => repositoryOf(run, step)), ...forImage]);
  const packing = [...repositories].flatMap((repository) => packingSteps(repository, rootDebian(run, repository)));
  const tests = testDependencies(run, steps.filter(isTested));
  const sandbox = repositories.size === 0 ? [] : bubblewrapSteps(run);
  const tools = [...packing, ...sandbox, ...tests];
  return [...new Map(tools.map((step) => [step.hash, step])).values()];
}

export async function databasePins(run: Run, steps: readonly BuildStep[]) {
  const debs = steps.filter((step) => step.package.outputs === 'debs');
  return (await Promise.all(debs.map((step) => missingDpkgPins(run, step)))).flat();
}

export async function unconvertedPins({ store }: Run, steps: readonly ConvertStep[]) {
  const converted = await Promise.all(steps.map(({ pin }) => findConverted(store, pin)));
  return steps.filter((_, index) => converted[index] === undefined).map(({ pin }) => pin);
}
