import { readPlatform } from '../definition/host-platform.ts';
import { readRepositories } from '../definition/read-repositories.ts';
import { readRepository } from '../definition/read-repository.ts';
import { readRepositoryPackages } from '../definition/read-repository-packages.ts';
import { containerWants } from '../lock/wanted.ts';
import type { Definitions } from '../model/container.ts';
import { type ContainerLock, LOCK_FORMAT, type PatchPin } from '../model/lock.ts';
import type { Hash } from '../model/package-hash.ts';
import type { BuildStep, PlanStep } from '../model/plan.ts';
import { generatedFilesDigest, SANDBOX_CONTRACT_VERSION } from '../model/sandbox-contract.ts';
import type { PlannedSteps } from '../plan/compare-plans.ts';
import { createPlan } from '../plan/create-plan.ts';
import type { Store } from '../store/store.ts';
import { applyDiscoveries } from './apply-discoveries.ts';
import type { BuildOptions } from './contract.ts';
import { lockServices, readRepositoryLocks } from './settle-locks.ts';

/**
 * Plans every recipe of the repository in `options.directory` at every version, as a container would that asks for it
 * with the flags that are on by default. Dependencies first; a package's older versions stand behind all newest ones.
 */
export async function planRepository(store: Store, asked: BuildOptions): Promise<PlannedSteps> {
  const { options } = await applyDiscoveries(store, asked);
  const { directory, config, witness } = options;
  const repository = await readRepository(directory, { witness });
  const others = config.recipes.filter(({ name }) => name !== repository.name);
  const repositories = [repository, ...(await readRepositories(others, witness))];
  const platform = readPlatform(options.platform);
  const all = await readRepositoryPackages(repository, { config, repositories, platform, witness });
  const used = new Set(all.flatMap(({ packages }) => packages.map((definition) => definition.repository)));
  const found = await readRepositoryLocks(
    repositories.filter(({ name }) => used.has(name)),
    witness,
  );
  const locks = Object.fromEntries(Object.entries(found).map(([name, { lock }]) => [name, lock]));
  const sandbox = { contract: SANDBOX_CONTRACT_VERSION, generatedFiles: generatedFilesDigest() };
  const steps = new Map<string, BuildStep>();
  const stepsByHash = new Map<Hash, PlanStep>();
  for (const definitions of all) {
    const wanted = { ...definitions, repositories: definitions.repositories.filter(({ name }) => used.has(name)) };
    const container = { ...NO_PINS, patches: await patchPins(wanted, options, store) };
    const plan = createPlan(wanted, { repositories: locks, container }, sandbox);
    for (const step of plan.steps) if (!steps.has(versionedName(step))) steps.set(versionedName(step), step);
    for (const [hash, step] of plan.stepsByHash) stepsByHash.set(hash, step);
  }
  const own = [...steps.values()].filter(({ package: definition }) => definition.repository === repository.name);
  return { steps: own, stepsByHash };
}

/** `category/name-version`: packages of a repository are there in several versions. */
export function versionedName({ name, version }: Pick<BuildStep, 'name' | 'version'>): string {
  return `${name}-${version}`;
}

/** A repository pins its roots; a patch by URL is pinned by the locks of containers, of which there is none here. */
async function patchPins(
  definitions: Definitions,
  options: BuildOptions,
  store: Store,
): Promise<Readonly<Record<string, PatchPin>>> {
  const services = lockServices(definitions, options, store);
  const pins: Record<string, PatchPin> = {};
  for (const { url, sha256, strip } of containerWants(definitions, {}).patches) {
    pins[url] = await services.pinPatch(url, sha256, strip);
  }
  return pins;
}

const NO_PINS: ContainerLock = {
  format: LOCK_FORMAT,
  kind: 'container',
  repositories: {},
  wanted: [],
  debian: {},
  additions: {},
  overrides: {},
  patches: {},
  versions: {},
  layers: [],
};
