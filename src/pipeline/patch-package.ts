import { existsSync } from 'node:fs';
import { realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { readPlatform } from '../definition/host-platform.ts';
import { readDefinitions } from '../definition/read-definitions.ts';
import { readRepository } from '../definition/read-repository.ts';
import { YAML_LIMITS } from '../document/compose-yaml.ts';
import { parseYaml } from '../document/parse-yaml.ts';
import { shownPath } from '../document/read-document.ts';
import { readText } from '../document/read-text.ts';
import { type DocumentText, memberOf } from '../document/yaml-node.ts';
import { fetchPatch, fetchPatches } from '../fetch/fetch-patch.ts';
import { readContainerLock } from '../lock/lock-file.ts';
import type { Definitions } from '../model/container.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { type ContainerLock, debianSourceKey, type PatchPin, sourcePinAt } from '../model/lock.ts';
import { printable } from '../model/names.ts';
import type { PackagePatch, ResolvedPackage } from '../model/package.ts';
import { pinDebianSources } from '../plan/pin-debian-sources.ts';
import { withCollectionLock } from '../store/collection-lock.ts';
import { readBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { openTemporary } from '../store/temporary.ts';
import { applyDiscoveries } from './apply-discoveries.ts';
import type { BuildOptions } from './contract.ts';
import { openSharing } from './open-cache.ts';
import { openRunStore } from './prepare-run.ts';
import { type FetchingRun, fetchPackageSources, fetchSession } from './realise-run.ts';
import { readRepositoryLocks, settleLock } from './settle-locks.ts';
import { withoutPlaceIn } from './without-place-in.ts';

/** Whose patches are worked on. */
export interface PatchTarget {
  /** Absolute path of the directory that holds pkg.yaml. */
  readonly directory: string;
  /** Of a recipe in a repository: this version in place of the newest. */
  readonly version?: string | undefined;
}

/** One patch of a package, ready to be applied. */
export interface SeriesPatch {
  /** `patches/fix-x.patch` or a URL as pkg.yaml has it; for one that is not of this pkg.yaml how it is shown. */
  readonly key: string;
  /** Of the pkg.yaml at hand, of the recipe that it changes, or of the user. */
  readonly owner: 'own' | 'recipe' | 'user';
  readonly patch: PackagePatch;
  /** How messages call it. */
  readonly label: string;
  /** Normalised, latin1. */
  readonly text: string;
}

/** A package whose sources and patches are in the store. */
export interface PatchedPackage {
  readonly store: Store;
  readonly run: FetchingRun;
  readonly package: ResolvedPackage;
  /** As its definition names it; absolute. */
  readonly directory: string;
  readonly definition: DocumentText;
  /** pkg.yaml lists its patches; else those in `patches/` are meant. */
  readonly isListed: boolean;
  /** All patches in the order they apply. */
  readonly series: readonly SeriesPatch[];
  /** For this time alone, in the store's file system. */
  readonly scratch: string;
  /** What `buildit shell` is given, where it can open this package. */
  readonly shell: string | undefined;
}

/**
 * Reads a package as a build of its container would, or a recipe as it lies in its repository, fetches what it is made of
 * and works with it. Nothing is built; a lock is written only where it lacks the Debian source package at hand.
 */
export async function withPatchedPackage<Result>(
  asked: BuildOptions,
  target: PatchTarget,
  work: (patched: PatchedPackage) => Promise<Result>,
): Promise<Result> {
  const store = await openRunStore(asked);
  const { options } = await applyDiscoveries(store, asked);
  const scratch = await openTemporary(store, 'patch');
  const sharing = await openSharing(store, options);
  const run = { store, options, sharing };
  try {
    const found = await readPackage(options, target, scratch.path);
    const path = join(found.directory, 'pkg.yaml');
    const definition = await readText(await realpath(path), {
      name: shownPath(path),
      maximumBytes: YAML_LIMITS.bytes,
      code: 'definition-invalid',
    });
    const root = parseYaml(definition, 'definition-invalid');
    const isListed = root.kind === 'map' && memberOf(root, 'patches') !== undefined;
    const lock = await lockFor(found, options, store);
    const pins = lock?.patches ?? {};
    const definitionOfPackage = await pinned(found, lock, options);
    return await withCollectionLock(store, 'shared', async () => {
      await fetchPackageSources(run, [definitionOfPackage]);
      const series: SeriesPatch[] = [];
      for (const patch of definitionOfPackage.patches)
        series.push(await readSeriesPatch(patch, pins, found.directory, run));
      return work({
        store,
        run,
        ...found,
        package: definitionOfPackage,
        definition,
        isListed,
        series,
        scratch: scratch.path,
      });
    });
  } finally {
    await Promise.all([sharing.close(), scratch.release()]);
  }
}

/**
 * The container's lock. Where a package of a Debian source package is not pinned yet, it is settled as a build would settle
 * it, so that the change is made to the source that will be built.
 */
async function lockFor(
  { package: { debianSource, repository }, definitions }: FoundPackage,
  options: BuildOptions,
  store: Store,
): Promise<ContainerLock | undefined> {
  const existing = await readContainerLock(options.directory);
  if (debianSource === undefined) return existing;
  const key = debianSourceKey(debianSource);
  const locks = await readRepositoryLocks(definitions.repositories, options.witness);
  const isPinned = [locks[repository]?.lock.sources, existing?.sources].some((set) => sourcePinAt(set, key));
  if (isPinned) return existing;
  const mode = { kind: options.locked ? 'locked' : 'use' } as const;
  return (await settleLock(definitions, locks, mode, options, store)).lock;
}

/** With the sources that a lock pins, where the package is made of a Debian source package. */
async function pinned(
  { package: definition, definitions }: FoundPackage,
  lock: ContainerLock | undefined,
  { witness }: BuildOptions,
): Promise<ResolvedPackage> {
  if (definition.debianSource === undefined) return definition;
  const owner = definitions.repositories.filter(({ name }) => name === definition.repository);
  const locks = Object.entries(await readRepositoryLocks(owner, witness));
  const repositories = Object.fromEntries(locks.map(([name, found]) => [name, found.lock.sources]));
  const pins = { repositories, container: lock?.sources };
  return pinDebianSources({ ...definitions, packages: [definition] }, pins).packages[0]!;
}

interface FoundPackage {
  readonly package: ResolvedPackage;
  readonly definitions: Definitions;
  readonly directory: string;
  readonly shell: string | undefined;
}

async function readPackage(options: BuildOptions, target: PatchTarget, scratch: string): Promise<FoundPackage> {
  const real = await realpath(target.directory);
  if (existsSync(join(options.directory, 'container.yaml'))) {
    const pinnedVersions = (await readContainerLock(options.directory))?.versions ?? {};
    const definitions = await definitionsOf(options.directory, options, pinnedVersions);
    for (const found of definitions.packages) {
      const { origin } = found;
      if (origin.kind !== 'embedded' || (await realpath(origin.directory)) !== real) continue;
      if (target.version !== undefined) throw versionOfEmbedded();
      return { package: found, definitions, directory: origin.directory, shell: shownPath(origin.directory) };
    }
  }
  return readRecipe(options, target, scratch);
}

function definitionsOf(
  directory: string,
  { config, platform, witness }: BuildOptions,
  pinnedVersions: Readonly<Record<string, string>> = {},
): Promise<Definitions> {
  return readDefinitions(directory, { config, platform: readPlatform(platform), witness, pinnedVersions });
}

/** A recipe by itself, read by way of a container that holds nothing else. */
async function readRecipe(
  options: BuildOptions,
  { directory, version }: PatchTarget,
  scratch: string,
): Promise<FoundPackage> {
  const repositoryPath = dirname(dirname(directory));
  if (!existsSync(join(repositoryPath, 'repository.yaml'))) throw strayPackage(directory);
  const { name } = await readRepository(repositoryPath);
  const atom = `${basename(dirname(directory))}/${basename(directory)}`;
  const step = { type: 'repository', name: atom, ...(version === undefined ? {} : { version }) };
  const container = [{ vars: { name: 'patch', version: '0' } }, { base: 'none' }, { package: step }];
  const steps = [...container, { image: { type: 'oci' } }].map((one) => `- ${JSON.stringify(one)}\n`).join('');
  const path = join(scratch, 'container.yaml');
  await writeFile(path, steps);
  const { config } = options;
  const recipes = [...config.recipes.filter((known) => known.name !== name), { name, path: repositoryPath }];
  const definitions = await withoutPlaceIn(shownPath(path), () =>
    definitionsOf(scratch, { ...options, config: { ...config, recipes } }),
  );
  const found = definitions.packages.find((one) => one.name === atom)!;
  return { package: found, definitions, directory, shell: undefined };
}

function versionOfEmbedded(): BuilditError {
  return new BuilditError(
    'usage',
    'Cannot choose a version: expected a recipe in a repository, found one of a container',
    {
      hint: 'its version is that of its base',
    },
  );
}

function strayPackage(directory: string): BuilditError {
  return new BuilditError(
    'usage',
    `Cannot work on "${printable(shownPath(directory))}": expected a package that a container.yaml above embeds, or a recipe CATEGORY/NAME in a repository, found neither`,
    { hint: 'put "- package: {type: embedded, path: …}" into container.yaml' },
  );
}

async function readSeriesPatch(
  patch: PackagePatch,
  pins: Readonly<Record<string, PatchPin>>,
  directory: string,
  run: FetchingRun,
): Promise<SeriesPatch> {
  const { location } = patch;
  const isOwn = patch.position?.file === shownPath(join(directory, 'pkg.yaml'));
  const label = location.kind === 'url' ? location.url : location.shownPath;
  const key = isOwn && location.kind === 'file' ? relative(directory, resolve(location.shownPath)) : label;
  const text = (await readBlob(run.store, await normalisedBlob(patch, pins, run))).toString('latin1');
  return { key, owner: patch.ofUser === true ? 'user' : isOwn ? 'own' : 'recipe', patch, label, text };
}

/** Brings the normalised text of a patch into the store, by the lock's pin where it has one. */
async function normalisedBlob(
  patch: PackagePatch,
  pins: Readonly<Record<string, PatchPin>>,
  run: FetchingRun,
): Promise<Digest> {
  const { location, strip, sha256: expected } = patch;
  const session = fetchSession(run);
  const known = patch.normalisedSha256 ?? (location.kind === 'url' ? pins[location.url]?.normalisedSha256 : undefined);
  if (known !== undefined) {
    await fetchPatches([patch], pins, session);
    return known;
  }
  const { url } = location as Extract<PackagePatch['location'], { kind: 'url' }>;
  return (await fetchPatch(url, strip, { ...session, expected })).normalisedSha256;
}
