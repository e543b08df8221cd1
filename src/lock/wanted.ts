import type { Definitions } from '../model/container.ts';
import { debianSourceKey, type RepositoryLock } from '../model/lock.ts';
import { type Atom, carriedDependencies, type ResolvedPackage } from '../model/package.ts';

/** A Debian package that something asks for, by exact version or any. */
export interface DebianWant {
  readonly name: string;
  readonly version?: string | undefined;
}

/** What a container's lock has to pin. */
export interface ContainerWants {
  /** For the image: what the container names, what its packages carry, and the C runtime of compiled ones. */
  readonly image: readonly DebianWant[];
  /** For roots: what embedded recipes need and the repository's lock lacks. */
  readonly additions: readonly string[];
  /** Debian source packages to build, that no repository's lock pins. */
  readonly sources: readonly DebianWant[];
  /** URLs of patches, with the checksum the definition gives, if any. */
  readonly patches: readonly { readonly url: string; readonly sha256: string | undefined; readonly strip: number }[];
}

export function containerWants(
  definitions: Definitions,
  repositoryLocks: Readonly<Record<string, RepositoryLock>>,
): ContainerWants {
  const carried = carriedPackages(definitions);
  const image = new Map<string, DebianWant>();
  const add = (want: DebianWant) => {
    if (image.get(want.name)?.version === undefined) image.set(want.name, want);
  };
  for (const { name, version } of definitions.debianRequested)
    add(version === undefined ? { name } : { name, version });
  for (const definition of carried) {
    for (const name of definition.debianSource?.binaries ?? []) add({ name });
    for (const name of debianNames(carriedDependencies(definition))) add({ name });
    if (definition.root !== 'toolchain') continue;
    const repository = definitions.repositories.find(({ name }) => name === definition.repository);
    for (const name of repository?.debian.runtime ?? []) add({ name });
  }
  const additions = new Set<string>();
  for (const definition of definitions.packages) {
    const roots = repositoryLocks[definition.repository]?.roots ?? {};
    const { build, test } = definition.dependencies;
    for (const name of debianNames([...build, ...carriedDependencies(definition), ...test]))
      if (!Object.hasOwn(roots, name)) additions.add(name);
  }
  const sources = new Map<string, DebianWant>();
  for (const { debianSource, repository } of definitions.packages) {
    if (debianSource === undefined) continue;
    const { name, version } = debianSource;
    const want = version === undefined ? { name } : { name, version };
    const key = debianSourceKey(want);
    if (!Object.hasOwn(repositoryLocks[repository]?.sources ?? {}, key)) sources.set(key, want);
  }
  const patches = definitions.packages.flatMap((definition) =>
    definition.patches.flatMap(({ location, sha256, strip }) =>
      location.kind === 'url' ? [{ url: location.url, sha256, strip }] : [],
    ),
  );
  return {
    image: [...image.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    additions: [...additions].sort(),
    sources: [...sources].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, want]) => want),
    patches: [...new Map(patches.map((patch) => [patch.url, patch])).values()].sort((a, b) => (a.url < b.url ? -1 : 1)),
  };
}

/** Wants as the lock remembers them: when this list changes, the lock is outdated. */
export function wantedTexts({ image, additions, sources, patches }: ContainerWants): string[] {
  return [
    ...image.map(({ name, version }) => `image debian/${name}${version === undefined ? '' : `=${version}`}`),
    ...additions.map((name) => `root debian/${name}`),
    ...sources.map((want) => `source debian/${debianSourceKey(want)}`),
    ...patches.map(
      ({ url, sha256, strip }) => `patch ${url} strip=${strip}${sha256 === undefined ? '' : ` sha256=${sha256}`}`,
    ),
  ].sort();
}

/** The packages that may enter the image: the requested ones and what they carry. */
function carriedPackages(definitions: Definitions): ResolvedPackage[] {
  const packages = new Map(definitions.packages.map((definition) => [definition.name, definition]));
  const seen = new Set<string>();
  const waiting = [...definitions.requested];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const atom of carriedDependencies(packages.get(name)!))
      if (atom.category !== 'debian') waiting.push(`${atom.category}/${atom.name}`);
  }
  return [...seen].map((name) => packages.get(name)!);
}

function debianNames(atoms: readonly Atom[]): string[] {
  return atoms.filter(({ category }) => category === 'debian').map(({ name }) => name);
}
