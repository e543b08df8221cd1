import type { Lookup } from '../cache/find-record.ts';
import type { RunContext } from '../model/config.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError, throwCollected } from '../model/errors.ts';
import type { PackageMissed } from '../model/events.ts';
import type { DiffId } from '../model/layer.ts';
import { type Hash, hashAsUuid } from '../model/package-hash.ts';
import type { BuildStep, ConvertStep, Plan } from '../model/plan.ts';
import { platformText } from '../model/platform.ts';
import { type PackageRecord, rootLayers } from '../model/record.ts';
import { type EarlierRecord, refuseDifference } from './refuse-difference.ts';
import { runInOrder } from './run-in-order.ts';

export type Records = ReadonlyMap<Hash, PackageRecord>;

/** What realising a plan needs from other stages. */
export interface RealiseServices {
  findByHash(hash: Hash): Promise<Lookup>;
  findSameBuild(buildKey: Digest): Promise<Lookup>;
  /** Every record that counts of the same HASH or the same build, here and elsewhere; files are not fetched for it. */
  findEarlier(hash: Hash, buildKey: Digest): Promise<readonly EarlierRecord[]>;
  buildKeyOf(step: BuildStep, rootContents: readonly DiffId[]): Digest;
  /** Fetches and converts Debian packages, those that are stored already at no cost. */
  convert(steps: readonly ConvertStep[]): Promise<Records>;
  /** Brings sources, patches and files of all these steps into the store; answers failures, by the step they belong to. */
  fetchInputs(steps: readonly BuildStep[]): Promise<ReadonlyMap<Hash, readonly BuilditError[]>>;
  /** Brings everything else into the store that building and testing these steps takes. */
  fetchTools(steps: readonly BuildStep[]): Promise<void>;
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
  /** After a failure, builds everything that does not depend on it. */
  readonly keepGoing: boolean;
}

/** Says for each step that is needed whether it is there: from the wanted ones down, below misses only. */
export interface Assessment<Found> {
  readonly needed: readonly BuildStep[];
  readonly lookups: ReadonlyMap<Hash, Found>;
}

type Missed = Extract<Lookup, { readonly kind: 'miss' }>;

/** A miss that somebody asked for. */
function askedFor({ fromSource, rebuilt }: RealiseOptions, hash: Hash): Missed | undefined {
  const asked = rebuilt.has(hash) ? '--force' : fromSource ? '--from-source' : undefined;
  return asked === undefined ? undefined : { kind: 'miss', reason: `asked for with ${asked}`, asked };
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
 * Gives a record for every wanted HASH: found, converted or built. Everything that builds take is fetched before the first
 * one starts. Builds whose members are ready run side by side; after a failure no further one is started unless
 * `keepGoing`, those that run are finished and kept.
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

  const run: RealiseRun = { plan, services, options, context, records, lookups, failures: new Map() };
  const unfetched = await services.fetchInputs(missed);
  const fetched = { ...run, failures: unfetched };
  if (!options.keepGoing) refuseUnfetched(fetched, (step) => !mayBeSame(fetched, step));
  const conversions = conversionsFor(plan, wanted, missed);
  for (const [hash, record] of await services.convert(conversions)) records.set(hash, record);
  if (!options.keepGoing && unfetched.size > 0) {
    const same = await Promise.all(
      missed.filter(({ hash }) => unfetched.has(hash)).map((step) => isSame(fetched, step)),
    );
    refuseUnfetched(fetched, (step) => !same.includes(step.hash));
  }
  await services.fetchTools(missed);
  const neededBy = (step: BuildStep) => [...step.root, ...services.neededForTest(step)];
  await runInOrder(missed, {
    ...options,
    signal: context.signal,
    isReady: (step) => neededBy(step).every((hash) => records.has(hash)),
    run: (step) => realiseStep(fetched, step),
    onSkipped: (step, failed, skipped) => {
      const needs = new Set(neededBy(step));
      const [causes, others] = [failed, skipped].map((steps) => steps.filter(({ hash }) => needs.has(hash)));
      const culprits = causes!.length > 0 ? causes! : others!;
      context.emit({ kind: 'package-skipped', hash: step.hash, needs: culprits.map(({ name }) => name) });
    },
  });
  return records;
}

/** Debian packages of what is wanted, and of the roots of what is built. */
export function conversionsFor(plan: Plan, wanted: readonly Hash[], missed: readonly BuildStep[]): ConvertStep[] {
  const members = new Set([...wanted, ...missed.flatMap(({ root }) => root)]);
  return [...members].flatMap((hash) => plan.conversions.get(hash) ?? []);
}

interface RealiseRun {
  readonly plan: Plan;
  readonly services: RealiseServices;
  readonly options: RealiseOptions;
  readonly context: RunContext;
  readonly records: Map<Hash, PackageRecord>;
  readonly lookups: ReadonlyMap<Hash, Lookup>;
  /** What could not be fetched, by step. */
  readonly failures: ReadonlyMap<Hash, readonly BuilditError[]>;
}

/** Ends the run where a step whose sources are missing `counts`; then all failures are told, whether it counts or not. */
function refuseUnfetched({ plan, failures, lookups, context }: RealiseRun, counts: (step: BuildStep) => boolean): void {
  const steps = plan.steps.filter(({ hash }) => failures.has(hash));
  if (!steps.some(counts)) return;
  for (const { hash } of steps) {
    const lookup = lookups.get(hash)!;
    if (lookup.kind === 'miss') context.emit(missedEvent(hash, lookup));
    context.emit({ kind: 'package-failed', hash });
  }
  throwCollected(steps.flatMap(({ hash }) => failures.get(hash)!));
}

/** A package of others that are all there may come out as an earlier build did, which makes its sources unnecessary. */
function mayBeSame({ plan, options, records }: RealiseRun, step: BuildStep): boolean {
  const built = step.root.filter((hash) => plan.stepsByHash.get(hash)?.kind === 'build');
  return askedFor(options, step.hash) === undefined && built.length > 0 && built.every((hash) => records.has(hash));
}

/** The HASH of a step that an earlier build had the same inputs of. */
async function isSame(run: RealiseRun, step: BuildStep): Promise<Hash | undefined> {
  return (await run.services.findSameBuild(buildKeyOf(run, step))).kind === 'hit' ? step.hash : undefined;
}

function buildKeyOf({ services, records }: RealiseRun, step: BuildStep): Digest {
  const contents = step.root.flatMap((hash) => rootLayers(records.get(hash)!).map(({ diffId }) => diffId));
  return services.buildKeyOf(step, contents);
}

async function realiseStep(run: RealiseRun, step: BuildStep): Promise<void> {
  const { services, options, context, records, failures } = run;
  const buildKey = buildKeyOf(run, step);
  const asked = askedFor(options, step.hash);
  const same: Lookup = asked ?? (await services.findSameBuild(buildKey));
  if (same.kind === 'hit') {
    const record: PackageRecord = { ...same.record, hash: step.hash, name: step.name, version: step.version };
    await services.keep(record);
    records.set(step.hash, record);
    context.emit({ kind: 'package-found', hash: step.hash, place: same.place });
    return;
  }
  context.emit(missedEvent(step.hash, run.lookups.get(step.hash)!, same));
  try {
    throwCollected(failures.get(step.hash) ?? []);
    const record = await services.build(step, buildKey, records);
    if (asked !== undefined) refuseDifference(record, await services.findEarlier(step.hash, buildKey));
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

/** Of the two lookups the one by HASH says whether something was found that cannot be used. */
function missedEvent(hash: Hash, byHash: Lookup, bySameBuild?: Missed): PackageMissed {
  const { reason, asked, unusable } = byHash.kind === 'miss' ? byHash : { ...bySameBuild!, unusable: undefined };
  return {
    kind: 'package-missed',
    hash,
    reason: asked === undefined ? (bySameBuild?.reason ?? reason) : reason,
    ...(asked === undefined ? {} : { asked }),
    ...(unusable === undefined ? {} : { unusable }),
  };
}

function announce(plan: Plan, step: BuildStep, lookup: Lookup, { emit }: RunContext): void {
  const { origin } = step.package;
  const label = origin.kind === 'embedded' ? `package from '${origin.shownPath}'` : `package '${step.name}'`;
  emit({ kind: 'package-started', hash: step.hash, label, platform: platformText(plan.container.platform) });
  if (lookup.kind === 'hit') emit({ kind: 'package-found', hash: step.hash, place: lookup.place });
}

function binaryOnlyError(missed: readonly BuildStep[]): BuilditError {
  return new BuilditError('dependency-unsatisfied', 'Cannot go on with --binary-only: not everything has been built', {
    details: missed.map(({ name, version, hash }) => `${name}-${version}  ${hashAsUuid(hash)}`),
    hint: 'omit --binary-only to build these from source',
  });
}
