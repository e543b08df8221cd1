import type { JsonValue } from './canonical-json.ts';
import type { ContainerDefinition } from './container.ts';
import type { DebianPin } from './lock.ts';
import type { ResolvedPackage } from './package.ts';
import type { Hash } from './package-hash.ts';

/** A Debian binary package that becomes a layer as it is. */
export interface ConvertStep {
  readonly kind: 'debian';
  readonly name: string;
  readonly version: string;
  readonly hash: Hash;
  readonly pin: DebianPin;
}

/** A package built from source. */
export interface BuildStep {
  readonly kind: 'build';
  readonly name: string;
  readonly version: string;
  readonly hash: Hash;
  readonly package: ResolvedPackage;
  /** HASHes of the members of its root in composition order: later ones win. */
  readonly root: readonly Hash[];
  /** What the HASH is made of, for `buildit hash --explain`; digestOfJson(inputs) === hash. */
  readonly inputs: { readonly [key: string]: JsonValue };
}

export type PlanStep = ConvertStep | BuildStep;

/** An output of a build that takes the place of a package of the archive: the same relations, other files. */
export interface StandIn {
  /** The build's HASH. */
  readonly hash: Hash;
  readonly output: string;
}

/** Everything an image needs, dependencies before dependants, ties broken by name. Pure data. */
export interface Plan {
  readonly container: ContainerDefinition;
  readonly steps: readonly BuildStep[];
  /** All Debian packages of roots and image, by HASH. */
  readonly conversions: ReadonlyMap<Hash, ConvertStep>;
  readonly stepsByHash: ReadonlyMap<Hash, PlanStep>;
  /** Debian packages of the image that are built here from their source package, by the HASH of the archive's package. */
  readonly standIns: ReadonlyMap<Hash, StandIn>;
  /** HASHes of what the image asks for itself: base, requested packages, Debian packages. */
  readonly requested: readonly Hash[];
  /** Everything that may enter the image: the requested ones and the declared run closure, HASHes. */
  readonly imageCandidates: readonly Hash[];
}
