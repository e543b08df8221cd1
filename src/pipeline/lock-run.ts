import { join } from 'node:path';
import { createSourceFinder } from '../debian/create-source-finder.ts';
import { openArchive } from '../debian/open-archive.ts';
import { resolveRoots } from '../debian/resolve-roots.ts';
import { debianDependencies } from '../definition/debian-dependencies.ts';
import { readRepository } from '../definition/read-repository.ts';
import { LOCK_FILE, lockText, readRepositoryLock, writeLock } from '../lock/lock-file.ts';
import { settleRepositoryLock } from '../lock/settle-repository-lock.ts';
import { BuilditError } from '../model/errors.ts';
import type { ContainerLock, DebianSet, RepositoryLock } from '../model/lock.ts';
import { hostPlatform } from '../system/host-platform.ts';
import { applyDiscoveries } from './apply-discoveries.ts';
import type { BuildOptions, LockOutcome } from './contract.ts';
import { openRunStore, pinDiscovered, readInputs } from './prepare-run.ts';
import { rememberRepositoryLock } from './remember-lock.ts';
import { settleLock } from './settle-locks.ts';
import { mixedReleases, withoutSecurity } from './suite-warnings.ts';

/** Moves a lock: the named pins or all. With `root` it is a repository's, whose directory `options.directory` is. */
export async function lock(
  options: BuildOptions,
  what: { readonly names: readonly string[]; readonly root: boolean },
): Promise<LockOutcome> {
  return what.root ? lockRepository(options, what.names) : lockContainer(options, what.names);
}

async function lockContainer(asked: BuildOptions, names: readonly string[]): Promise<LockOutcome> {
  const mode = { kind: 'refresh', names } as const;
  const store = await openRunStore(asked);
  const { options, pins } = await applyDiscoveries(store, asked, { anew: names.length === 0 });
  const { definitions, repositoryLocks } = await readInputs(options, mode);
  const { lock: moved, before } = await settleLock(definitions, repositoryLocks, mode, options, store);
  const settled = await pinDiscovered(moved, pins, options);
  const mixed = mixedReleases(definitions, settled);
  if (mixed !== undefined) options.context.emit({ kind: 'warning', text: mixed });
  const unpatched = Object.keys(settled.debian).length === 0 ? undefined : withoutSecurity(definitions);
  if (unpatched !== undefined) options.context.emit({ kind: 'warning', text: unpatched });
  const path = join(options.directory, LOCK_FILE);
  const unknown = names.filter((name) => !knows(settled, name));
  if (unknown.length > 0) {
    throw new BuilditError(
      'usage',
      `Cannot lock "${unknown.join('", "')}": expected a package or patch that ${path} pins`,
    );
  }
  return {
    path,
    written: before === undefined || lockText(before) !== lockText(settled),
    changes: containerChanges(before, settled),
  };
}

async function lockRepository(options: BuildOptions, names: readonly string[]): Promise<LockOutcome> {
  const { directory, config, context } = options;
  const repository = await readRepository(directory);
  const store = await openRunStore(options);
  const before = (await readRepositoryLock(directory))?.lock;
  const { suites, components } = repository.debian;
  const { architecture } = hostPlatform();
  const archive = await openArchive({ suites, components, architecture, config, store, context });
  const find = createSourceFinder({ config, store, context, suites: repository.debian.imageSuites, components });
  const settled = await settleRepositoryLock(
    repository,
    await debianDependencies(repository),
    (request) => resolveRoots(archive, { ...request, essential: true }, find),
    names.length === 0 ? undefined : keptOf(before, names),
  );
  const written = before === undefined || lockText(before) !== lockText(settled);
  if (written) await writeLock(directory, settled);
  await rememberRepositoryLock(store, directory, settled);
  return { path: join(directory, LOCK_FILE), written, changes: setChanges(before?.roots ?? {}, settled.roots) };
}

/** What stays as it is pinned: everything but the named packages. */
function keptOf(before: RepositoryLock | undefined, names: readonly string[]) {
  const isNamed = (name: string) => names.includes(name) || names.includes(`debian/${name}`);
  return {
    roots: Object.fromEntries(Object.entries(before?.roots ?? {}).filter(([name]) => !isNamed(name))),
    sources: Object.fromEntries(Object.entries(before?.sources ?? {}).filter(([, { name }]) => !isNamed(name))),
  };
}

function knows(lock: ContainerLock, name: string): boolean {
  const bare = name.startsWith('debian/') ? name.slice('debian/'.length) : name;
  return [lock.debian, lock.additions, lock.patches, lock.versions].some(
    (pins) => Object.hasOwn(pins, name) || Object.hasOwn(pins, bare),
  );
}

function containerChanges(before: ContainerLock | undefined, after: ContainerLock): LockOutcome['changes'] {
  const patches = Object.entries(after.patches).flatMap(([url, pin]) => {
    const from = before?.patches[url];
    return from?.sha256 === pin.sha256 ? [] : [{ name: url, from: from?.sha256, to: pin.sha256 }];
  });
  return [
    ...setChanges(before?.debian ?? {}, after.debian),
    ...setChanges(before?.additions ?? {}, after.additions),
    ...versionChanges(before?.versions ?? {}, after.versions),
    ...patches,
  ];
}

function setChanges(before: DebianSet, after: RepositoryLock['roots']): LockOutcome['changes'] {
  const versions = (set: DebianSet) =>
    Object.fromEntries(Object.values(set).map(({ name, version }) => [`debian/${name}`, version]));
  return versionChanges(versions(before), versions(after));
}

function versionChanges(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): LockOutcome['changes'] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => (before[name] === after[name] ? [] : [{ name, from: before[name], to: after[name] }]));
}
