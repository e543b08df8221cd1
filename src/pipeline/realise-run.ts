import { join, relative } from 'node:path';
import type { NeedProvider } from '../build/check-needs.ts';
import type { RootMember } from '../build/compose-root.ts';
import { createBuildRequest } from '../build/create-request.ts';
import type { RelatedLayers } from '../build/lint/judge-outputs.ts';
import { createLocalExecutor, type LocalSandbox } from '../build/local-executor.ts';
import { type RealiseServices, type Records, realisePlan } from '../build/realise-plan.ts';
import { runBuild } from '../build/run-build.ts';
import { keepSealed } from '../cache/local-seal.ts';
import { keepDebs } from '../debian/keep-debs.ts';
import { applyPatches } from '../fetch/apply-patch.ts';
import { fetchSources } from '../fetch/fetch-sources.ts';
import type { BuildLimits, BuildRequest } from '../model/build-request.ts';
import type { Config } from '../model/config.ts';
import { DEFAULT_BASE, type RepositoryDefinition } from '../model/container.ts';
import { throwCollected } from '../model/errors.ts';
import type { DiffId } from '../model/layer.ts';
import type { DebianSet } from '../model/lock.ts';
import { atomText, type ResolvedPackage } from '../model/package.ts';
import type { Hash } from '../model/package-hash.ts';
import type { BuildStep, ConvertStep } from '../model/plan.ts';
import { rootElf, rootLayers } from '../model/record.ts';
import { declaredMembers, ownNames } from '../plan/compose-members.ts';
import { rootSet } from '../plan/create-plan.ts';
import { reachable } from '../plan/order-packages.ts';
import { buildKey, debianHash, normalisedDigest } from '../plan/package-inputs.ts';
import { convertSteps } from './convert-steps.ts';
import { remaking } from './debian-members.ts';
import { noteTests } from './failed-tests.ts';
import { fetchInputs, fetchTools } from './fetch-ahead.ts';
import { findBubblewrap } from './host-programs.ts';
import { keepDpkgDatabase } from './keep-dpkg-database.ts';
import { keepInputs } from './keep-inputs.ts';
import { openRunRegistries } from './open-run-registries.ts';
import type { Run } from './prepare-run.ts';
import { type Publishing, publishRecords } from './publish-run.ts';
import { sourceOptions } from './source-options.ts';
import { neededForTest, testPackage } from './test-run.ts';
import { VERSION } from './version.ts';

/** Gives a record for every wanted package: found, converted or built. */
export async function realiseRun(run: Run, wanted: readonly Hash[], publishing?: Publishing): Promise<Records> {
  const { jobs } = run.options.config.build;
  const { fromSource, binaryOnly, keepGoing, context, rebuilt: names = new Set() } = run.options;
  const rebuilt = new Set(run.plan.steps.flatMap(({ name, hash }) => (names.has(name) ? [hash] : [])));
  const options = { jobs, fromSource, binaryOnly, keepGoing: keepGoing === true, rebuilt };
  return realisePlan(run.plan, wanted, realiseServices(run, publishing), options, context);
}

function realiseServices(run: Run, publishing: Publishing | undefined): RealiseServices {
  const { store, options, sharing } = run;
  let sandbox: Promise<LocalSandbox> | undefined;
  const layers = new Map<DiffId, RootMember>();
  return {
    findByHash: (hash) => sharing.cache.find(hash),
    findSameBuild: (key) => sharing.cache.findSame(key),
    findEarlier: (hash, key) => sharing.cache.findRecords(hash, key),
    buildKeyOf: (step, contents) => buildKey(step.inputs, contents),
    convert: (steps) => convertSteps(run, steps),
    fetchInputs: (steps) => fetchInputs(run, steps),
    fetchTools: async (steps) => {
      if (steps.length > 0) await fetchTools(run, steps, { isTested: (step) => isTested(run, step) });
    },
    build: async (step, key, records) => {
      sandbox ??= openSandbox(run, layers);
      const { request, needs, related } = await prepareBuild(run, step, records, layers);
      for (const notice of step.package.notices) options.context.emit({ kind: 'notice', text: notice });
      return runBuild(
        {
          request,
          buildKey: key,
          shownName: shownName(run, step.package),
          needs,
          outputs: step.package.outputs,
          subpackages: step.package.subpackages,
          capabilities: step.package.capabilities,
          ownsTopLinks: step.package.replacesBase === true || step.name === DEFAULT_BASE,
          license: step.package.license,
          allowed: step.package.allowed,
          replaced: step.package.replaces.map(atomText),
          related,
        },
        {
          store,
          executor: createLocalExecutor(await sandbox),
          keepDebs: (output, name) => keepDebs(store, output, name),
          keepFailed: options.config.build.keepFailed,
          builder: `buildit ${VERSION}`,
        },
        options.context,
      );
    },
    neededForTest: (step) => (isTested(run, step) ? neededForTest(run, step) : []),
    test: async (step, record, records) => {
      if (!isTested(run, step)) return;
      const failures = await testPackage(run, step, new Map([...records, [step.hash, record]]));
      await noteTests(store, record, failures.length === 0);
      throwCollected(failures);
    },
    keep: async (record) => {
      await keepInputs(store, run.plan, record.hash);
      await keepSealed(store, record, sharing.seal);
    },
    publish: publishing && {
      place: publishing.place,
      package: (record) => publishRecords(run, publishing, [record]),
    },
  };
}

/** Everything needed to open a step's sandbox: its request, and the layers of its roots. */
export async function prepareSandbox(
  run: Run,
  step: BuildStep,
): Promise<{ sandbox: LocalSandbox; request: BuildRequest }> {
  throwCollected([...(await fetchInputs(run, [step])).values()].flat());
  await fetchTools(run, [step], { isTested: () => false });
  const own = step.root.filter((hash) => run.plan.stepsByHash.get(hash)?.kind === 'build');
  const debian = step.root.flatMap((hash) => run.plan.conversions.get(hash) ?? []);
  const records = new Map([...(await realiseRun(run, own)), ...(await convertSteps(run, debian))]);
  const layers = new Map<DiffId, RootMember>();
  const { request } = await prepareBuild(run, step, records, layers);
  return { sandbox: await openSandbox(run, layers), request };
}

/** What fetching needs of a run. */
export type FetchingRun = Pick<Run, 'store' | 'options'> & { readonly sharing: Pick<Run['sharing'], 'takeBlob'> };

/** Brings the sources of packages into the store. */
export async function fetchPackageSources(run: FetchingRun, packages: readonly ResolvedPackage[]): Promise<void> {
  const { store, options, sharing } = run;
  await fetchSources(
    packages.flatMap(({ sources }) => sources),
    sourceOptions({ store, options, registries: openRunRegistries(options), takeBlob: sharing.takeBlob }),
  );
}

export function fetchSession({ store, options: { context, config }, sharing }: FetchingRun) {
  return { store, context, config, takeBlob: sharing.takeBlob };
}

/** What to type where buildit was started, for a command about a package: `nginx-prod/pkgs/nginx`. */
export function shownName({ definitions }: Run, { name, origin }: ResolvedPackage): string {
  const { directory } = definitions.container;
  const path = origin.kind === 'embedded' ? origin.directory : join(directory, name);
  return relative(process.cwd(), path) || '.';
}

async function openSandbox(run: Run, layers: ReadonlyMap<DiffId, RootMember>): Promise<LocalSandbox> {
  return {
    store: run.store,
    bubblewrap: await findBubblewrap(run),
    findMember: async (diffId) => layers.get(diffId)!,
    applyPatches: (directory, patches, options) =>
      applyPatches(directory, patches, {
        ...options,
        onNotice: (text) => run.options.context.emit({ kind: 'notice', text }),
      }),
  };
}

async function prepareBuild(run: Run, step: BuildStep, records: Records, layers: Map<DiffId, RootMember>) {
  const { definitions, options } = run;
  const repository = definitions.repositories.find(({ name }) => name === step.package.repository)!;
  const debian = rootDebian(run, repository);
  const packingRoot = packingSteps(repository, debian);
  const packing = await convertSteps(run, packingRoot);
  const conversions = [...step.root.flatMap((hash) => run.plan.conversions.get(hash) ?? []), ...packingRoot];
  const remakes = new Map(conversions.map((conversion) => [conversion.hash, remaking(run, conversion)]));
  for (const record of [...records.values(), ...packing.values()]) {
    const label = record.kind === 'debian' ? `debian/${record.name}` : record.name;
    const remake = remakes.get(record.hash);
    for (const layer of rootLayers(record)) layers.set(layer.diffId, { label, layer, remake });
  }
  const root = step.root.flatMap((hash) => rootLayers(records.get(hash)!).map(({ diffId }) => diffId));
  if (step.package.outputs === 'debs') {
    const database = await keepDpkgDatabase(run, step);
    layers.set(database.diffId, { label: 'the database of dpkg', layer: database });
    root.push(database.diffId);
  }
  const request = createBuildRequest(step, {
    platform: definitions.container.platform,
    root,
    packingRoot: [...packing.values()].map(({ outputs }) => outputs.main!.diffId).sort(),
    normalisedDigest: (patch) => normalisedDigest(patch, run.lock.patches),
    limits: buildLimits(options.config.build),
    jobs: options.config.build.jobs,
    check: options.check,
  });
  return {
    request,
    needs: declaredNeeds(run, step, repository, debian, records),
    related: relatedLayers(run, step, repository, debian, records),
  };
}

function declaredNeeds(
  run: Run,
  step: BuildStep,
  repository: RepositoryDefinition,
  debian: DebianSet,
  records: Records,
) {
  const packages = new Map(run.definitions.packages.map((definition) => [definition.name, definition]));
  const members = declaredMembers(step.package, repository, packages, debian);
  const isDeclared = new Set([...members.packages, ...members.debian.map((name) => `debian/${name}`)]);
  const providers: NeedProvider[] = step.root.map((hash) => {
    const record = records.get(hash)!;
    return { name: record.kind === 'debian' ? `debian/${record.name}` : record.name, elf: rootElf(record) };
  });
  if (step.package.outputs === 'debs') return { declared: providers, undeclared: [], link: [] };
  return {
    declared: providers.filter(({ name }) => isDeclared.has(name)),
    undeclared: providers.filter(({ name }) => !isDeclared.has(name)),
    ...writtenDependencies(step.package),
  };
}

/** The layers of what a package declares for its run time, as far as the root of its build has them. */
function relatedLayers(
  run: Run,
  step: BuildStep,
  repository: RepositoryDefinition,
  debian: DebianSet,
  records: Records,
): RelatedLayers {
  const packages = new Map(run.definitions.packages.map((definition) => [definition.name, definition]));
  const members = declaredMembers(step.package, repository, packages, debian);
  const inRoot = new Map(
    step.root.map((hash) => {
      const record = records.get(hash)!;
      return [record.kind === 'debian' ? `debian/${record.name}` : record.name, record] as const;
    }),
  );
  const declared = [...members.packages, ...members.debian.map((name) => `debian/${name}`)];
  // The C and C++ runtime belongs to every package; a minimal root lacks parts of it, which nothing links to by name.
  const runtime = new Set(reachable(repository.debian.runtime, (name) => debian[name]?.depends ?? []));
  return {
    layers: declared.flatMap((name) => (inRoot.has(name) ? rootLayers(inRoot.get(name)!) : [])),
    unknown: declared.filter((name) => !inRoot.has(name) && !runtime.has(name.replace(/^debian\//, ''))),
  };
}

/** What a recipe lists, for messages about what it lacks. */
export function writtenDependencies({ dependencies: { build, link }, position }: ResolvedPackage) {
  return { build: ownNames(build), link: link.map(atomText), position };
}

export function rootDebian(run: Run, repository: RepositoryDefinition): DebianSet {
  const repositories = Object.fromEntries(Object.entries(run.repositoryLocks).map(([name, { lock }]) => [name, lock]));
  return rootSet({ repositories, container: run.lock }, repository.name);
}

/** The fixed root that output is packed in: Debian's shell, tar and find, whatever the build's own root holds. */
export function packingSteps(repository: RepositoryDefinition, debian: DebianSet): ConvertStep[] {
  return closureSteps(repository.debian.minimal, debian);
}

export function closureSteps(names: readonly string[], debian: DebianSet): ConvertStep[] {
  return reachable(names, (name) => debian[name]?.depends ?? []).map((name) => {
    const pin = debian[name]!;
    return { kind: 'debian', name, version: pin.version, hash: debianHash(pin), pin };
  });
}

function isTested({ options }: Run, step: BuildStep): boolean {
  return options.test && step.package.tests.length > 0;
}

function buildLimits({ timeoutMs, memoryBytes }: Config['build']): BuildLimits {
  return { timeoutMs, memoryBytes, processes: 4096, diskBytes: 20 * 1024 ** 3, logBytes: 64 * 1024 ** 2 };
}
