import type { Definitions } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import { type DebianSourceSet, debianSourceKey, sourcePinAt } from '../model/lock.ts';
import type { Atom, ResolvedPackage } from '../model/package.ts';
import { refuseUnknownBinary } from '../model/refuse-unknown-binary.ts';
import { debianSources } from './debian-sources.ts';

/** Pins of source packages: of each repository's lock by its name, and of the container's lock. */
export interface SourcePins {
  readonly repositories: Readonly<Record<string, DebianSourceSet | undefined>>;
  readonly container: DebianSourceSet | undefined;
}

/**
 * Completes packages of `class: debian` with what a lock pins: the version, the sources, what they are built with, and the
 * binary packages they stand in for. Pure.
 */
export function pinDebianSources(definitions: Definitions, pins: SourcePins): Definitions {
  if (definitions.packages.every(({ debianSource }) => debianSource === undefined)) return definitions;
  return { ...definitions, packages: definitions.packages.map((definition) => pinned(definition, pins)) };
}

function pinned(definition: ResolvedPackage, pins: SourcePins): ResolvedPackage {
  const { debianSource, dependencies } = definition;
  if (debianSource === undefined) return definition;
  const key = debianSourceKey(debianSource);
  const pin = sourcePinAt(pins.repositories[definition.repository], key) ?? sourcePinAt(pins.container, key);
  if (pin === undefined) {
    throw new BuilditError('lock-outdated', `Cannot plan "${definition.name}": no lock pins the source debian/${key}`, {
      position: definition.position,
      hint: 'buildit lock',
    });
  }
  refuseUnknownBinary(definition, pin);
  const needed = pin.buildDepends.map(debianAtom);
  const own = dependencies.build.filter(
    ({ name, category }) => category !== 'debian' || !pin.buildDepends.includes(name),
  );
  return {
    ...definition,
    version: pin.version,
    // Sources of other formats hold patches as files like others: their own rules apply them, if at all.
    series: pin.format === '3.0 (quilt)' ? definition.series : undefined,
    sources: debianSources(pin),
    dependencies: { ...dependencies, build: [...needed, ...own].sort(byName) },
    replaces: pin.binaries.map(debianAtom),
  };
}

function debianAtom(name: string): Atom {
  return { category: 'debian', name };
}

function byName(a: Atom, b: Atom): number {
  return a.name < b.name ? -1 : 1;
}
