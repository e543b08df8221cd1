import type { Lookup } from '../cache/find-record.ts';
import type { RunContext } from '../model/config.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError, throwCollected } from '../model/errors.ts';
import type { DiffId } from '../model/layer.ts';
import { type Hash, hashAsUuid } from '../model/package-hash.ts';
import type { BuildStep, ConvertStep, Plan } from '../model/plan.ts';
import { platformText } from '../model/platform.ts';
import { type PackageRecord, rootLayers } from '../model/record.ts';

export type Records = ReadonlyMap<Hash, PackageRecord>;

/** What realising a plan needs from other stages. */
export interface RealiseServices {
  findByHash(hash: Hash): Promise<Lookup>;
  findSameBuild(buildKey: Digest): Promise<Lookup>;
  /** What this machine has of a HASH; other places are not asked. */
  findBuiltHere(hash: Hash): Promise<Lookup>;
  buildKeyOf(step: BuildStep, rootContents: readonly DiffId[]): Digest;
  /** Fetches and converts Debian packages, those that are stored already at no cost. */
  convert(steps: readonly ConvertStep[]): Promise<Records>;
  /** Fetches sources and patches of a step. */
  fetch(step: BuildStep): Promise<void>;
  build(step: BuildStep, buildKey: Digest, members: Records): Promise<PackageRecord>;
  /** Packages that have to be there, besides those of its root, before what was built can be tested. */
  neededForTest(step: BuildStep): readonly Hash[];
  /** Runs a package's own tests on what was built; what fails them is neither kept nor published. */
  test(step: BuildStep, record: PackageRecord, members: Records): Promise<void>;
  keep(record: PackageRecord): Promise<void>;
  /** Publishes a package that was built; absent where nobody asked for that. */
  readonly publish?: { readonly place: string; package(record: PackageRecord): Promise<void> } | undefined;
}

export interface RealiseOptions {
  /** Builds that run at once. */
  readonly jobs: number;
  /** Takes nothing that was built before. */
  readonly fromSource: boolean;
  /** The same for these alone. */
  readonly rebuilt: ReadonlySet<Hash>;
  /** Builds nothing. */
  readonly binaryOnly: boolean;
}

/** Says for each step that is needed whether it is there: from the wanted ones down, below misses only. */
export interface Assessment<Found> {
  readonly needed: readonly BuildStep[];
  readonly lookups: ReadonlyMap<Hash, Found>;
}

/** A miss that somebody asked for. */
function askedFor(
  { fromSource, rebuilt }: RealiseOptions,
  hash: Hash,
): (Lookup & { readonly kind: 'miss' }) | undefined {
  if (rebuilt.has(hash)) return { kind: 'miss', reason: 'asked for with --force' };
  return fromSource ? { kind: 'miss', reason: 'asked for with --from-source' } : undefined;
}

/**
 * Looks up what is wanted by HASH, from the top: what a package was built with is needed only where the package itself
 * is missed.
 */
export async function assessPlan<Found extends { readonly kind: 'hit' | 'miss' }>(
  plan: Plan,
  wanted: readonly Hash[],
  find: (hash: Hash) => Promise<Found>,
  neededBesides: (step: BuildStep) => readonly Hash[] = () => [],
): Promise<Assessment<Found>> {
  const lookups = new Map<Hash, Found>();
  for (let wave = buildsAmong(plan, wanted); wave.length > 0; ) {
    const missed: BuildStep[] = [];
    for (let start = 0; start < wave.length; start += LOOKUPS_AT_ONCE) {
      const steps = wave.slice(start, start + LOOKUPS_AT_ONCE);
      const found = await Promise.all(steps.map(({ hash }) => find(hash)));
      for (const [index, step] of steps.entries()) {
        lookups.set(step.hash, found[index]!);
        if (found[index]!.kind === 'miss') missed.push(step);
      }
    }
    const below = buildsAmong(plan, new Set(missed.flatMap((step) => [...step.root, ...neededBesides(step)])));
    wave = below.filter(({ hash }) => !lookups.has(hash));
  }
  return { needed: plan.steps.filter(({ hash }) => lookups.has(hash)), lookups };
}

/** Each may be a download. */
const LOOKUPS_AT_ONCE = 8;

function buildsAmong(plan: Plan, hashes: Iterable<Hash>): BuildStep[] {
  const steps = [...hashes].map((hash) => plan.stepsByHash.get(hash));
  return steps.filter((step): step is BuildStep => step?.kind === 'build');
}

/**
 * Gives a record for every wanted HASH: found, converted or built. Builds whose members are ready run side by side;
 * after a failure no further one is started, those that run are finished and kept.
 */
export async function realisePlan(
  plan: Plan,
  wanted: readonly Hash[],
  services: RealiseServices,
  options: RealiseOptions,
  context: RunContext,
): Promise<Records> {
  const find: typeof services.findByHash = async (hash) => askedFor(options, hash) ?? services.findByHash(hash);
  const { needed, lookups } = await assessPlan(plan, wanted, find, services.neededForTest);
  const records = new Map<Hash, PackageRecord>();
  for (const [hash, lookup] of lookups) if (lookup.kind === 'hit') records.set(hash, lookup.record);
  for (const step of needed) announce(plan, step, lookups.get(step.hash)!, context);
  const missed = needed.filter(({ hash }) => !records.has(hash));
  if (options.binaryOnly && missed.length > 0) throw binaryOnlyError(missed);

  const members = new Set([...wanted, ...missed.flatMap(({ root }) => root)]);
  const conversions = [...members].flatMap((hash) => plan.conversions.get(hash) ?? []);
  for (const [hash, record] of await services.convert(conversions)) records.set(hash, record);
  const isReady = (step: BuildStep) =>
    [...step.root, ...services.neededForTest(step)].every((hash) => records.has(hash));
  await runInOrder(missed, isReady, options.jobs, context.signal, (step) =>
    realiseStep(step, records, services, options, context),
  );
  return records;
}

async function realiseStep(
  step: BuildStep,
  records: Map<Hash, PackageRecord>,
  services: RealiseServices,
  options: RealiseOptions,
  context: RunContext,
): Promise<void> {
  const contents = step.root.flatMap((hash) => rootLayers(records.get(hash)!).map(({ diffId }) => diffId));
  const buildKey = services.buildKeyOf(step, contents);
  const asked = askedFor(options, step.hash);
  const same: Lookup = asked ?? (await services.findSameBuild(buildKey));
  if (same.kind === 'hit') {
    const record: PackageRecord = { ...same.record, hash: step.hash, name: step.name, version: step.version };
    await services.keep(record);
    records.set(step.hash, record);
    context.emit({ kind: 'package-found', hash: step.hash, place: same.place });
    return;
  }
  context.emit({ kind: 'package-missed', hash: step.hash, reason: same.reason });
  try {
    await services.fetch(step);
    const record = await services.build(step, buildKey, records);
    if (asked !== undefined) await refuseDifference(step, record, services);
    await services.test(step, record, records);
    await services.keep(record);
    records.set(step.hash, record);
    const { publish } = services;
    context.emit({ kind: 'package-built', hash: step.hash, uploads: publish !== undefined });
    if (publish === undefined) return;
    context.emit({ kind: 'package-uploading', hash: step.hash, place: publish.place });
    await publish.package(record);
    context.emit({ kind: 'package-uploaded', hash: step.hash });
  } catch (error) {
    if (!context.signal.aborted) context.emit({ kind: 'package-failed', hash: step.hash });
    throw error;
  }
}

/** Runs each step when everything it needs has a record, at most `jobs` at once. */
async function runInOrder(
  steps: readonly BuildStep[],
  isReady: (step: BuildStep) => boolean,
  jobs: number,
  signal: AbortSignal,
  run: (step: BuildStep) => Promise<void>,
): Promise<void> {
  const waiting = [...steps];
  const running = new Set<Promise<void>>();
  const failures: BuilditError[] = [];
  let bug: unknown;
  while (waiting.length > 0 || running.size > 0) {
    const stopped = failures.length > 0 || bug !== undefined || signal.aborted;
    const next = stopped || running.size >= jobs ? -1 : waiting.findIndex(isReady);
    if (next >= 0) {
      const [step] = waiting.splice(next, 1);
      const task: Promise<void> = run(step!)
        .catch((error: unknown) => {
          if (error instanceof BuilditError) failures.push(error);
          else bug ??= error;
        })
        .finally(() => running.delete(task));
      running.add(task);
    } else if (running.size > 0) {
      await Promise.race(running);
    } else {
      break;
    }
  }
  if (bug !== undefined) throw bug;
  throwCollected(failures);
  if (signal.aborted) throw new BuilditError('interrupted', 'Cannot go on: interrupted');
}

function announce(plan: Plan, step: BuildStep, lookup: Lookup, { emit }: RunContext): void {
  const { origin } = step.package;
  const label = origin.kind === 'embedded' ? `package from '${origin.shownPath}'` : `package '${step.name}'`;
  emit({ kind: 'package-started', hash: step.hash, label, platform: platformText(plan.container.platform) });
  if (lookup.kind === 'hit') emit({ kind: 'package-found', hash: step.hash, place: lookup.place });
}

async function refuseDifference(step: BuildStep, record: PackageRecord, services: RealiseServices): Promise<void> {
  const earlier = await services.findBuiltHere(step.hash);
  if (earlier.kind === 'miss') return;
  const names = [...new Set([...Object.keys(earlier.record.outputs), ...Object.keys(record.outputs)])].sort();
  const layersOf = ({ outputs }: PackageRecord, name: string) => outputs[name]?.diffId ?? 'none';
  const different = names.find((name) => layersOf(earlier.record, name) !== layersOf(record, name));
  if (different === undefined) return;
  const [before, after] = [layersOf(earlier.record, different), layersOf(record, different)];
  const layer = different === 'main' ? 'the layer' : `the layer of ${different}`;
  throw new BuilditError(
    'not-reproducible',
    `Cannot keep "${step.name}-${step.version}": expected ${layer} ${before} as built before, found ${after}`,
    {
      hint: 'the build depends on something outside its HASH: a clock, a random number, the order of files or of parallel jobs',
    },
  );
}

function binaryOnlyError(missed: readonly BuildStep[]): BuilditError {
  return new BuilditError('dependency-unsatisfied', 'Cannot go on with --binary-only: not everything has been built', {
    details: missed.map(({ name, version, hash }) => `${name}-${version}  ${hashAsUuid(hash)}`),
    hint: 'leave --binary-only away to build these from source',
  });
}
