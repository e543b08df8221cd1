import type { RepositoryDefinition } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { DebianPin, DebianSet } from '../model/lock.ts';
import { type Atom, atomText, type ResolvedPackage } from '../model/package.ts';
import type { CarriedClosures } from './carried-closures.ts';
import type { DebianClosures } from './debian-closures.ts';
import { orderPackages, reachable } from './order-packages.ts';

/** What a package is built in: Debian packages, and packages of our own in the order they are laid over those. */
export interface RootMembers {
  readonly debian: readonly DebianPin[];
  /** Numbers of packages, as the closures give them, dependencies first. */
  readonly packages: Int32Array;
}

/** Closures that the roots of one plan have in common; those of Debian are within the repository's set. */
export interface RootClosures {
  readonly own: CarriedClosures;
  readonly debian: DebianClosures;
}

/**
 * The declared root of a package: the repository's build root, the build and link dependencies, and their declared link
 * and run closures. Debian packages that a member replaces are left out.
 */
export function rootMembers(
  definition: ResolvedPackage,
  repository: RepositoryDefinition,
  debian: DebianSet,
  closures: RootClosures,
): RootMembers {
  const direct = [...definition.dependencies.build, ...definition.dependencies.link];
  const own = closures.own.of(ownNames(direct));
  const wanted = [...baseNames(definition, repository, closures.debian), ...debianNames(direct), ...own.debian];
  refuseUnpinned(wanted, debian, definition);
  const names = closures.debian.of(wanted, own.replaced);
  return { debian: names.map((name) => debian[name]!), packages: own.members };
}

/** The declared run closure of what an image asks for, in the same two kinds. */
export function imagePackages(requested: readonly string[], packages: ReadonlyMap<string, ResolvedPackage>): string[] {
  return orderPackages(requested, (name) => ownNames(carriedDependencies(packages.get(name)!)));
}

/**
 * The part of a root that what is built may need at run time: what it carries, with the closures of that, and the
 * repository's declared runtime.
 */
export function declaredMembers(
  definition: ResolvedPackage,
  repository: RepositoryDefinition,
  packages: ReadonlyMap<string, ResolvedPackage>,
  debian: DebianSet,
): { readonly debian: readonly string[]; readonly packages: readonly string[] } {
  const direct = carriedDependencies(definition);
  const own = imagePackages(ownNames(direct), packages);
  const wanted = [
    ...repository.debian.runtime,
    ...debianNames(direct),
    ...own.flatMap((name) => debianNames(carriedDependencies(packages.get(name)!))),
  ];
  return { packages: own, debian: reachable(wanted, (name) => debian[name]?.depends ?? []) };
}

/** Link and run dependencies: what goes where the package goes. */
export function carriedDependencies({ dependencies }: ResolvedPackage): readonly Atom[] {
  return [...dependencies.link, ...dependencies.run];
}

export function ownNames(atoms: readonly Atom[]): string[] {
  return atoms
    .filter(({ category }) => category !== 'debian')
    .map(({ category, name }) => atomText({ category, name }));
}

export function debianNames(atoms: readonly Atom[]): string[] {
  return atoms.filter(({ category }) => category === 'debian').map(({ name }) => name);
}

function baseNames(
  definition: ResolvedPackage,
  repository: RepositoryDefinition,
  { essential }: DebianClosures,
): readonly string[] {
  if (definition.root === 'minimal') return repository.debian.minimal;
  return [...essential, ...repository.debian.toolchain];
}

function refuseUnpinned(wanted: readonly string[], debian: DebianSet, definition: ResolvedPackage): void {
  for (const name of wanted) {
    if (Object.hasOwn(debian, name)) continue;
    throw new BuilditError(
      'lock-outdated',
      `Cannot compose the root of "${definition.name}": the lock does not pin debian/${name}`,
      {
        hint: 'buildit lock --root in the repository pins every build and link dependency',
        position: definition.position,
      },
    );
  }
}
