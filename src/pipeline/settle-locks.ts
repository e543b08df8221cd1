import { join } from 'node:path';
import type { VanishedPackages } from '../debian/fetch-debs.ts';
import { type DebianArchive, openArchive } from '../debian/open-archive.ts';
import { fetchPatch } from '../fetch/fetch-patch.ts';
import { LOCK_FILE, readContainerLock, readRepositoryLock, writeLock } from '../lock/lock-file.ts';
import { type LockServices, type SettleOptions, settleContainerLock } from '../lock/settle-container-lock.ts';
import type { Definitions, RepositoryDefinition } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { ContainerLock, DebianPin, DebianSet, RepositoryLock } from '../model/lock.ts';
import { imageClosure } from '../model/run-exclusions.ts';
import type { Store } from '../store/store.ts';
import type { Witness } from '../system/witness.ts';
import type { BuildOptions } from './contract.ts';

export type RepositoryLocks = SettleOptions['repositoryLocks'];

/** The locks of all repositories; each must have one, which its owner wrote. */
export async function readRepositoryLocks(
  repositories: readonly RepositoryDefinition[],
  witness: Witness,
): Promise<RepositoryLocks> {
  const locks: Record<string, { lock: RepositoryLock; digest: string }> = {};
  for (const { name, directory } of repositories) {
    witness.read(join(directory, LOCK_FILE));
    const found = await readRepositoryLock(directory);
    if (found === undefined) {
      throw new BuilditError('lock-outdated', `Cannot use the repository "${name}": it has no buildit.lock`, {
        hint: `buildit lock --root ${directory}`,
      });
    }
    locks[name] = found;
  }
  return locks;
}

/** Brings the container's lock up to date and writes it where it changed. */
export async function settleLock(
  definitions: Definitions,
  repositoryLocks: RepositoryLocks,
  mode: SettleOptions['mode'],
  options: BuildOptions,
  store: Store,
): Promise<{ lock: ContainerLock; changed: boolean; before: ContainerLock | undefined }> {
  const { directory } = definitions.container;
  const existing = await readContainerLock(directory);
  const services = lockServices(definitions, options, store);
  const { lock, changed } = await settleContainerLock(definitions, { existing, repositoryLocks, mode, services });
  if (changed) {
    await writeLock(directory, lock);
    options.witness.wrote(join(directory, LOCK_FILE));
  }
  return { lock, changed, before: existing };
}

/** Resolves in the archive and pins patches; indices are fetched when the first question is asked. */
export function lockServices(definitions: Definitions, options: BuildOptions, store: Store): LockServices {
  const archiveOf = archives(definitions.repositories[0], definitions.container.platform.architecture, options, store);
  return {
    resolve: async ({ scope, wants, fixed }) => {
      const archive = await archiveOf(scope);
      const set = archive.resolve({ wants, fixed, essential: false });
      return scope === 'root'
        ? set
        : imageClosure(
            set,
            wants.map(({ name }) => name),
          );
    },
    pinPatch: (url, expected, strip) =>
      fetchPatch(url, strip, { store, context: options.context, config: options.config, expected }),
  };
}

/** Opens the suites for images or for roots, once each. */
export function archives(
  repository: RepositoryDefinition | undefined,
  architecture: string,
  options: BuildOptions,
  store: Store,
): (scope: 'image' | 'root') => Promise<DebianArchive> {
  const opened = new Map<string, Promise<DebianArchive>>();
  return (scope) => {
    const debian = repository?.debian ?? { suites: ['bookworm'], imageSuites: ['bookworm'], components: ['main'] };
    const suites = scope === 'root' ? debian.suites : debian.imageSuites;
    const key = suites.join(' ');
    const archive =
      opened.get(key) ??
      openArchive({
        suites,
        components: debian.components,
        architecture,
        config: options.config,
        store,
        context: options.context,
      });
    opened.set(key, archive);
    return archive;
  };
}

/**
 * Chooses present versions of packages that vanished from every place and writes them into the container's lock: its own
 * pins are moved, those of a repository are overridden. Nothing else moves.
 */
export async function replaceVanished(
  { packages, isCertain }: VanishedPackages,
  definitions: Definitions,
  repositoryLocks: RepositoryLocks,
  lock: ContainerLock,
  options: BuildOptions,
  store: Store,
): Promise<ContainerLock> {
  const archiveOf = archives(definitions.repositories[0], definitions.container.platform.architecture, options, store);
  const names = new Set(packages.map(({ name }) => name));
  const roots = Object.assign({}, ...Object.values(repositoryLocks).map(({ lock: { roots } }) => roots)) as DebianSet;
  const resolve = async (scope: 'image' | 'root', set: DebianSet): Promise<DebianSet> => {
    const vanished = packages.filter((pin) => holds(set, pin)).map(({ name }) => ({ name }));
    if (vanished.length === 0) return {};
    const fixed = Object.fromEntries(Object.entries(set).filter(([name]) => !names.has(name)));
    return (await archiveOf(scope)).resolve({ wants: vanished, fixed, essential: false });
  };
  const forImage = await resolve('image', lock.debian);
  const forRoots = await resolve('root', { ...lock.additions, ...roots, ...overriding(lock, roots) });
  for (const pin of packages) {
    const next = (holds(lock.debian, pin) ? forImage : forRoots)[pin.name];
    const text = `${pin.name} ${pin.version} has vanished from ${isCertain ? 'every archive' : 'every mirror, and the snapshot service cannot be asked'}${next === undefined ? '' : `: taking ${next.version}`}`;
    options.context.emit({
      kind: 'warning',
      text,
      hint: 'the new pin is in buildit.lock; packages built with the old one have another HASH now',
    });
  }
  const known = { ...lock.additions, ...roots };
  const replaced: ContainerLock = {
    ...lock,
    debian: { ...lock.debian, ...forImage },
    additions: {
      ...lock.additions,
      ...Object.fromEntries(Object.entries(forRoots).filter(([name]) => !Object.hasOwn(known, name))),
    },
    overrides: {
      ...lock.overrides,
      ...Object.fromEntries([...names].flatMap((name) => overrideOf(known[name], forRoots[name]))),
    },
  };
  await writeLock(definitions.container.directory, replaced);
  return replaced;
}

function overriding(lock: ContainerLock, roots: DebianSet): DebianSet {
  const pins = Object.values(roots).flatMap((pin) => lock.overrides[`${pin.name}=${pin.version}`] ?? []);
  return Object.fromEntries(pins.map((pin) => [pin.name, pin]));
}

function overrideOf(old: DebianPin | undefined, next: DebianPin | undefined): [string, DebianPin][] {
  return old === undefined || next === undefined || old.sha256 === next.sha256
    ? []
    : [[`${old.name}=${old.version}`, next]];
}

function holds(set: DebianSet, pin: DebianPin): boolean {
  return Object.hasOwn(set, pin.name) && set[pin.name]!.sha256 === pin.sha256;
}
