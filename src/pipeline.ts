import { join } from 'node:path';
import { assessPlan, type Records } from './build/realise-plan.ts';
import type { Availability } from './cache/package-cache.ts';
import type { SelectedImage } from './image/select-members.ts';
import { containerTitle } from './model/container.ts';
import type { Hash } from './model/package-hash.ts';
import type { BuildStep } from './model/plan.ts';
import { assembleRun, realisedFor, selectForImage, wantedForImage } from './pipeline/assemble-run.ts';
import type { BuildOptions, BuildOutcome, PlannedStep, PlanOutcome } from './pipeline/contract.ts';
import { openSharing } from './pipeline/open-cache.ts';
import { planRepository } from './pipeline/plan-repository.ts';
import { openRunStore, prepareRun, type Run } from './pipeline/prepare-run.ts';
import { withPresentPackages } from './pipeline/present-packages.ts';
import { openPublishing, type Publishing, publishImagesOfRun } from './pipeline/publish-run.ts';
import { readOutputs } from './pipeline/read-outputs.ts';
import { realiseRun } from './pipeline/realise-run.ts';
import { rememberContainerLock } from './pipeline/remember-lock.ts';
import { skippedScriptLines } from './pipeline/skipped-scripts.ts';
import { verifyTrees } from './pipeline/verify-trees.ts';
import { witnessPackages } from './pipeline/witness-packages.ts';
import { refuseLinkedOutput } from './publish/publish-images.ts';
import { withCollectionLock } from './store/collection-lock.ts';
import type { Store } from './store/store.ts';

export { addPatch } from './pipeline/add-patch.ts';
export { compareRevisions } from './pipeline/compare-revisions.ts';
export { compareHashes, explainPackage } from './pipeline/explain-run.ts';
export { fetchEverything as fetch } from './pipeline/fetch-run.ts';
export { findAffected } from './pipeline/find-affected.ts';
export { findStep } from './pipeline/find-step.ts';
export { openPackageShell as shell, readPackageLog as readLog } from './pipeline/inspect-run.ts';
export { lock } from './pipeline/lock-run.ts';
export { finishPatch, openPatch } from './pipeline/patch-session.ts';
export { patchStatus } from './pipeline/patch-status.ts';
export { refreshPatches } from './pipeline/refresh-patches.ts';
export { test } from './pipeline/test-again.ts';
export { lockVendor } from './pipeline/vendor-run.ts';

/** Builds a container: definitions, locks, plan, packages, images, in this order. */
export async function build(options: BuildOptions): Promise<BuildOutcome> {
  const prepared = await prepareRun(options);
  let publishing: Publishing | undefined;
  try {
    const { container } = prepared.definitions;
    if (readOutputs(prepared).length === 0) refuseLinkedOutput(join(container.directory, 'out'));
    options.context.emit({ kind: 'container-started', title: containerTitle(container) });
    await rememberContainerLock(prepared);
    publishing = options.push ? await openPublishing(options, prepared.sharing.trust) : undefined;
    return await withCollectionLock(prepared.store, 'shared', async () => {
      const { run, records, builtCount, built, images } = await withPresentPackages(prepared, async (current) => {
        const realised = await realiseImage(current, publishing);
        return { ...realised, ...(await assembleRun(realised.run, realised.selected)) };
      });
      if (publishing !== undefined) await publishImagesOfRun(run, publishing, { records, images });
      return { container, plan: run.plan, images: built, builtCount, expiresMs: run.sharing.expiresMs() };
    });
  } finally {
    await Promise.all([prepared.sharing.close(), publishing?.writer.close()]);
  }
}

/** Plans a container and says for each package whether it is there, changing nothing but a missing lock. */
export async function makePlan(options: BuildOptions): Promise<PlanOutcome> {
  const run = await prepareRun(options);
  const { store, plan, sharing } = run;
  for (const text of run.definitions.packages.flatMap(({ notices }) => notices)) {
    options.context.emit({ kind: 'notice', text });
  }
  try {
    const { needed, lookups } = await assessPlan(plan, realisedFor(run, plan.imageCandidates), (hash) =>
      sharing.cache.peek(hash),
    );
    const isSettled = await settled(store, lookups, options);
    const steps = needed.map((step) => plannedStep(step, lookups.get(step.hash)!));
    const skippedScripts = () => skippedScriptLines(run);
    return { plan, steps, skippedScripts, isSettled, expiresMs: sharing.expiresMs() };
  } finally {
    await sharing.close();
  }
}

/** The same for every recipe of a repository at every version. */
export async function makeRepositoryPlan(options: BuildOptions): Promise<Omit<PlanOutcome, 'plan'>> {
  const store = await openRunStore(options);
  const { steps } = await planRepository(store, options);
  const sharing = await openSharing(store, options);
  try {
    const lookups = new Map<Hash, Availability>();
    for (const { hash } of steps) lookups.set(hash, await sharing.cache.peek(hash));
    const isSettled = await settled(store, lookups, options);
    const planned = steps.map((step) => plannedStep(step, lookups.get(step.hash)!));
    return { steps: planned, isSettled, expiresMs: sharing.expiresMs() };
  } finally {
    await sharing.close();
  }
}

/** What is found elsewhere, or nowhere, can be otherwise the next time without any file here having changed. */
async function settled(
  store: Store,
  lookups: ReadonlyMap<Hash, Availability>,
  { witness }: BuildOptions,
): Promise<boolean> {
  if ([...lookups.values()].some((found) => found.kind === 'miss' || found.place !== 'locally')) return false;
  return witnessPackages(store, [...lookups.keys()], witness);
}

function plannedStep({ name, version, hash }: BuildStep, found: Availability): PlannedStep {
  if (found.kind === 'miss') return { name, version, hash, buildKey: undefined, state: 'build', reason: found.reason };
  const reason = found.place === 'locally' ? 'found locally' : `found at '${found.place}'`;
  return { name, version, hash, buildKey: found.buildKey, state: 'found', reason };
}

/** Which packages the image of a container holds, each with the reasons; builds what is missing. */
export async function selectPackages(options: BuildOptions): Promise<SelectedImage> {
  const prepared = await prepareRun(options);
  try {
    return await withCollectionLock(
      prepared.store,
      'shared',
      async () => (await withPresentPackages(prepared, (run) => realiseImage(run))).selected,
    );
  } finally {
    await prepared.sharing.close();
  }
}

interface RealisedImage {
  readonly run: Run;
  readonly selected: SelectedImage;
  readonly records: Records;
  readonly builtCount: number;
}

async function realiseImage(run: Run, publishing?: Publishing): Promise<RealisedImage> {
  const wanted = wantedForImage(run);
  const before = new Set<Hash>();
  const { emit } = run.options.context;
  const counting = {
    ...run.options.context,
    emit: (event: Parameters<typeof emit>[0]) => {
      if (event.kind === 'package-built') before.add(event.hash);
      emit(event);
    },
  };
  const counted = { ...run, options: { ...run.options, context: counting } };
  const records = await realiseRun(counted, realisedFor(run, wanted), publishing);
  if (run.options.verify === true) await verifyTrees(run, records);
  return { run, selected: await selectForImage(run, wanted, records), records, builtCount: before.size };
}
