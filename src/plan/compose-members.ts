import type { RepositoryDefinition } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { DebianPin, DebianSet } from '../model/lock.ts';
import { type Atom, atomText, carriedDependencies, type ResolvedPackage } from '../model/package.ts';
import type { CarriedClosures } from './carried-closures.ts';
import type { DebianClosures } from './debian-closures.ts';
import { orderPackages, reachable } from './order-packages.ts';

/** What a package is built in: Debian packages, and packages of our own in the order they are laid over those. */
export interface RootMembers {
  /** One list for all roots that have the same. */
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
export function rootMembers(definition: ResolvedPackage, closures: RootClosures): RootMembers {
  const direct = [...definition.dependencies.build, ...definition.dependencies.link];
  const own = closures.own.of(ownNames(direct));
  const debian = closures.debian.of(definition.root, [...debianNames(direct), ...own.debian], own.replaced);
  if (debian.unpinned !== undefined) throw unpinned(debian.unpinned, definition);
  return { debian: debian.pins, packages: own.members };
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

export function ownNames(atoms: readonly Atom[]): string[] {
  return atoms
    .filter(({ category }) => category !== 'debian')
    .map(({ category, name }) => atomText({ category, name }));
}

export function debianNames(atoms: readonly Atom[]): string[] {
  return atoms.filter(({ category }) => category === 'debian').map(({ name }) => name);
}

function unpinned(name: string, definition: ResolvedPackage): BuilditError {
  return new BuilditError(
    'lock-outdated',
    `Cannot compose the root of "${definition.name}": the lock does not pin debian/${name}`,
    {
      hint: 'buildit lock --root in the repository pins every build and link dependency',
      position: definition.position,
    },
  );
}
