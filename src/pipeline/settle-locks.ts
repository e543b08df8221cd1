import { join } from 'node:path';
import { createSourceFinder } from '../debian/create-source-finder.ts';
import { type DebianArchive, openArchive } from '../debian/open-archive.ts';
import { resolveRoots } from '../debian/resolve-roots.ts';
import { fetchPatch } from '../fetch/fetch-patch.ts';
import { LOCK_FILE, readContainerLock, readRepositoryLock, writeLock } from '../lock/lock-file.ts';
import { type LockServices, type SettleOptions, settleContainerLock } from '../lock/settle-container-lock.ts';
import type { Definitions, RepositoryDefinition } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { ContainerLock, RepositoryLock } from '../model/lock.ts';
import type { ResolvedPackage } from '../model/package.ts';
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
  const debian = debianOf(definitions.repositories[0]);
  const findSource = createSourceFinder({
    store,
    config: options.config,
    context: options.context,
    suites: debian.imageSuites,
    components: debian.components,
  });
  const archiveOf = archives(definitions.repositories[0], definitions.container.platform.architecture, options, store);
  return {
    resolveImage: async ({ wants, fixed }) => {
      const archive = await archiveOf('image');
      const set = await placed(definitions, () => archive.resolve({ wants, fixed, essential: false }));
      return imageClosure(
        set,
        wants.map(({ name }) => name),
      );
    },
    resolveRoots: async (request) => {
      const archive = await archiveOf('root');
      return placed(definitions, () => resolveRoots(archive, request, findSource));
    },
    pinPatch: (url, expected, strip) =>
      fetchPatch(url, strip, { store, context: options.context, config: options.config, expected }),
  };
}

/** Runs a resolution; what it says about a package that container.yaml or a recipe names gets that place. */
async function placed<Result>(definitions: Definitions, resolve: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await resolve();
  } catch (error) {
    if (!(error instanceof BuilditError) || error.position !== undefined) throw error;
    const isMeant = ({ name, version }: { readonly name: string; readonly version?: string | undefined }) =>
      [`"debian/${name}"`, `"debian/${name}-${version}"`].some((object) => error.message.includes(object));
    const depends = ({ dependencies }: ResolvedPackage) =>
      Object.values(dependencies).some((atoms) => atoms.some((atom) => atom.category === 'debian' && isMeant(atom)));
    const isBuilt = ({ debianSource }: ResolvedPackage) =>
      debianSource !== undefined &&
      (debianSource.binaries.some((name) => isMeant({ name })) ||
        error.message.includes(`the Debian source package "${debianSource.name}"`));
    const place =
      definitions.debianRequested.find(isMeant) ?? definitions.packages.find((one) => depends(one) || isBuilt(one));
    if (place?.position === undefined) throw error;
    const { code, message, hint, details, cause } = error;
    throw new BuilditError(code, message, { hint, details, cause, position: place.position });
  }
}

function debianOf(repository: RepositoryDefinition | undefined) {
  return repository?.debian ?? { suites: ['bookworm'], imageSuites: ['bookworm'], components: ['main'] };
}

/** Opens the suites for images or for roots, once each. */
export function archives(
  repository: RepositoryDefinition | undefined,
  architecture: string,
  options: Pick<BuildOptions, 'config' | 'context'>,
  store: Store,
): (scope: 'image' | 'root') => Promise<DebianArchive> {
  const opened = new Map<string, Promise<DebianArchive>>();
  return (scope) => {
    const debian = debianOf(repository);
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
