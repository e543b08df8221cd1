import { fetchDebs } from '../debian/fetch-debs.ts';
import type { Digest } from '../model/digest.ts';
import { blobSize } from '../store/read-blob.ts';
import type { BuildOptions } from './contract.ts';
import { prepareRun, type Run } from './prepare-run.ts';
import { withPresentPackages } from './present-packages.ts';
import { closureSteps, fetchInputs, rootDebian } from './realise-run.ts';
import { testDependencies } from './test-run.ts';

/** Fetches everything a container could need, so that it builds without network: sources, patches, Debian packages. */
export async function fetchEverything(options: BuildOptions): Promise<{ fetched: number; bytes: number }> {
  return withPresentPackages(await prepareRun(options), fetchRun);
}

async function fetchRun(run: Run): Promise<{ fetched: number; bytes: number }> {
  const pins = [...run.plan.conversions.values(), ...toolSteps(run), ...testDependencies(run)].map(({ pin }) => pin);
  const sources = run.plan.steps.flatMap((step) => step.package.sources);
  const missing = await missingBlobs(
    run,
    [...pins, ...sources].map(({ sha256 }) => sha256),
  );
  const { takeBlob } = run.sharing;
  await fetchDebs(run.store, pins, { ...run.options, takeBlob });
  await fetchInputs(run, run.plan.steps);
  const sizes = await Promise.all(missing.map((digest) => blobSize(run.store, digest)));
  return { fetched: missing.length, bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0) };
}

/** What a build needs besides its own root: the root its output is packed in, and the sandbox where the host has none. */
function toolSteps(run: Run) {
  return run.definitions.repositories.flatMap((repository) =>
    closureSteps([...repository.debian.minimal, ...repository.debian.tools], rootDebian(run, repository)),
  );
}

async function missingBlobs({ store }: Run, digests: readonly Digest[]): Promise<Digest[]> {
  const unique = [...new Set(digests)];
  const sizes = await Promise.all(unique.map((digest) => blobSize(store, digest)));
  return unique.filter((_, index) => sizes[index] === undefined);
}
