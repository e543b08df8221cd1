import { basename, join } from 'node:path';
import { readPlatform } from '../definition/host-platform.ts';
import { readDefinitions } from '../definition/read-definitions.ts';
import { LOCK_FILE, readContainerLock, writeLock } from '../lock/lock-file.ts';
import type { SettleOptions } from '../lock/settle-container-lock.ts';
import type { Definitions } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { ContainerLock, DiscoveredPin } from '../model/lock.ts';
import type { Plan } from '../model/plan.ts';
import { generatedFilesDigest, SANDBOX_CONTRACT_VERSION } from '../model/sandbox-contract.ts';
import { createPlan } from '../plan/create-plan.ts';
import { pinDebianSources } from '../plan/pin-debian-sources.ts';
import { openStore, type Store } from '../store/store.ts';
import { applyDiscoveries } from './apply-discoveries.ts';
import type { BuildOptions } from './contract.ts';
import { provideFlock } from './host-programs.ts';
import { openSharing, type Sharing } from './open-cache.ts';
import { type RepositoryLocks, readRepositoryLocks, settleLock } from './settle-locks.ts';
import { mixedReleases } from './suite-warnings.ts';

/** A container read, pinned and planned: what every verb begins with. */
export interface Run {
  readonly options: BuildOptions;
  readonly store: Store;
  readonly definitions: Definitions;
  readonly repositoryLocks: RepositoryLocks;
  readonly lock: ContainerLock;
  readonly plan: Plan;
  readonly sharing: Sharing;
}

/** Reads definitions, brings the lock up to date and plans. */
export async function prepareRun(asked: BuildOptions, mode = lockMode(asked)): Promise<Run> {
  const store = await openRunStore(asked);
  const { options, pins } = await applyDiscoveries(store, asked);
  const { definitions, repositoryLocks } = await readInputs(options, mode);
  const settled = await settleLock(definitions, repositoryLocks, mode, options, store);
  const lock = await pinDiscovered(settled.lock, pins, options);
  const sharing = await openSharing(store, options);
  tellUserPatches(definitions, options);
  const mixed = mixedReleases(definitions, lock);
  if (mixed !== undefined) options.context.emit({ kind: 'warning', text: mixed });
  return planRun({ options, store, definitions, repositoryLocks, lock, sharing });
}

/** Whoever patches packages of others is told each time that theirs are not what others build. */
export function tellUserPatches({ packages }: Definitions, { context }: Pick<BuildOptions, 'context'>): void {
  for (const { name, version, patches } of packages) {
    const own = patches.flatMap(({ ofUser, location }) =>
      ofUser === true && location.kind === 'file' ? [basename(location.shownPath)] : [],
    );
    if (own.length === 0) continue;
    context.emit({
      kind: 'notice',
      text: `${name}-${version} has patches of yours: ${own.join(', ')}`,
      isStanding: true,
    });
  }
}

/** Locations that are new to the lock, or asked anew, are written into it; pins of others stay. */
export async function pinDiscovered(
  lock: ContainerLock,
  pins: Readonly<Record<string, DiscoveredPin>>,
  { directory, locked, witness }: BuildOptions,
): Promise<ContainerLock> {
  const known = lock.discovered ?? {};
  const added = Object.entries(pins).filter(
    ([location, pin]) => !Object.hasOwn(known, location) || JSON.stringify(known[location]) !== JSON.stringify(pin),
  );
  if (added.length === 0) return lock;
  if (locked) {
    throw new BuilditError('lock-outdated', `Cannot build with --locked: buildit.lock does not pin ${added[0]![0]}`, {
      hint: 'run once without --locked',
    });
  }
  const pinned = { ...lock, discovered: { ...known, ...Object.fromEntries(added) } };
  await writeLock(directory, pinned);
  witness.wrote(join(directory, LOCK_FILE));
  return pinned;
}

export function planRun(run: Omit<Run, 'plan'>): Run {
  const repositories = Object.fromEntries(Object.entries(run.repositoryLocks).map(([name, { lock }]) => [name, lock]));
  const sources = Object.fromEntries(Object.entries(repositories).map(([name, lock]) => [name, lock.sources]));
  const definitions = pinDebianSources(run.definitions, { repositories: sources, container: run.lock.sources });
  const sandbox = { contract: SANDBOX_CONTRACT_VERSION, generatedFiles: generatedFilesDigest() };
  return { ...run, definitions, plan: createPlan(definitions, { repositories, container: run.lock }, sandbox) };
}

/** Opens the store once file locks work on this machine. */
export async function openRunStore(options: Pick<BuildOptions, 'config' | 'context' | 'verify'>): Promise<Store> {
  await provideFlock(options);
  const onWarning = (text: string) => options.context.emit({ kind: 'warning', text });
  return openStore(options.config.store, { onWarning, verifiesContents: options.verify === true });
}

export async function readInputs(
  options: BuildOptions,
  mode: SettleOptions['mode'],
): Promise<{ definitions: Definitions; repositoryLocks: RepositoryLocks }> {
  options.witness.read(join(options.directory, LOCK_FILE));
  const existing = mode.kind === 'refresh' ? undefined : await readContainerLock(options.directory);
  const definitions = await readDefinitions(options.directory, {
    config: options.config,
    pinnedVersions: existing?.versions ?? {},
    platform: readPlatform(options.platform),
    witness: options.witness,
  });
  return { definitions, repositoryLocks: await readRepositoryLocks(definitions.repositories, options.witness) };
}

function lockMode({ locked }: BuildOptions): SettleOptions['mode'] {
  return { kind: locked ? 'locked' : 'use' };
}
