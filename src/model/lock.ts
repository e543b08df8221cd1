import type { Digest } from './digest.ts';

export const LOCK_FORMAT = 1;

/** One exact binary package of a Debian archive. Paths are relative to the archive's root, as its index names them. */
export interface DebianPin {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly suite: string;
  /** Which archive: `debian` or `debian-security`, the name the snapshot service knows. */
  readonly archive: string;
  /** Date of the InRelease that named it, ISO 8601 in UTC. */
  readonly date: string;
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
  /** Names in the same set this package needs (Pre-Depends and Depends, alternatives chosen), sorted. */
  readonly depends: readonly string[];
  /** Source package and its version, for `replaces`, licences and security matching. */
  readonly source: { readonly name: string; readonly version: string };
  readonly essential?: true;
  readonly multiArchSame?: true;
}

/** One version for each name: a set that is consistent in itself. Keys are package names. */
export type DebianSet = Readonly<Record<string, DebianPin>>;

/** Formats of Debian source packages (deb-src) that can be unpacked. */
export type DebianSourceFormat = '1.0' | '3.0 (native)' | '3.0 (quilt)';

/** One exact Debian source package, and what building it takes. */
export interface DebianSourcePin {
  readonly name: string;
  readonly version: string;
  readonly format: DebianSourceFormat;
  readonly suite: string;
  readonly archive: string;
  /** Date of the InRelease that named it, ISO 8601 in UTC. */
  readonly date: string;
  /** Its archives and its diff, by name; paths are relative to the archive's root. */
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: Digest }[];
  /** Binary packages it makes, sorted. */
  readonly binaries: readonly string[];
  /** Names that meet its Build-Depends in the roots, alternatives chosen, sorted. */
  readonly buildDepends: readonly string[];
}

/** By `debianSourceKey`. */
export type DebianSourceSet = Readonly<Record<string, DebianSourcePin>>;

/** The pin at a key of `debianSourceKey`: names of packages may be those of an object's own members. */
export function sourcePinAt(pins: DebianSourceSet | undefined, key: string): DebianSourcePin | undefined {
  return pins !== undefined && Object.hasOwn(pins, key) ? pins[key] : undefined;
}

/** How a lock names a source package that was asked for: `redis`, with an exact version `redis=5:7.0.15-1`. */
export function debianSourceKey({
  name,
  version,
}: {
  readonly name: string;
  readonly version?: string | undefined;
}): string {
  return version === undefined ? name : `${name}=${version}`;
}

/** buildit.lock of a repository: the exact packages of every root. Moved by `buildit lock --root` only. */
export interface RepositoryLock {
  readonly format: typeof LOCK_FORMAT;
  readonly kind: 'repository';
  /** What was asked for when this was written; a difference means that the lock is outdated. */
  readonly wanted: readonly string[];
  readonly roots: DebianSet;
  /** Debian source packages that recipes build. Absent where none does. */
  readonly sources?: DebianSourceSet | undefined;
}

export interface PatchPin {
  readonly sha256: Digest;
  readonly size: number;
  readonly normalisedSha256: Digest;
}

/** What a location of `--discover` was when it was first used. */
export interface DiscoveredPin {
  /** Full commit id, where the location is a git repository. */
  readonly revision: string | null;
  /** Fingerprints of the keys that counted at its binhosts: later runs take no others. */
  readonly signers: readonly string[];
  /** Full commit ids of offered recipes that lie in git repositories of their own, by name. */
  readonly recipes: Readonly<Record<string, string>>;
}

/** buildit.lock beside container.yaml. */
export interface ContainerLock {
  readonly format: typeof LOCK_FORMAT;
  readonly kind: 'container';
  /** Digest of each repository's lock when this was written. */
  readonly repositories: Readonly<Record<string, { readonly lock: Digest }>>;
  /** What was asked for; a difference means that the lock is outdated. */
  readonly wanted: readonly string[];
  /** The packages of the image. */
  readonly debian: DebianSet;
  /** What embedded recipes add to roots, resolved with the repository's pins fixed. */
  readonly additions: DebianSet;
  /** Replacements of pins that vanished from every archive: `NAME=OLD-VERSION` to the new pin. */
  readonly overrides: DebianSet;
  /** Debian source packages that embedded recipes build. Absent where none does. */
  readonly sources?: DebianSourceSet | undefined;
  /** Every patch by URL. */
  readonly patches: Readonly<Record<string, PatchPin>>;
  /** Chosen version of each recipe whose atom named none. */
  readonly versions: Readonly<Record<string, string>>;
  /** Which packages share a layer when there are more than the budget: lists of package names. */
  readonly layers: readonly (readonly string[])[];
  /** By location. Absent where nothing was discovered. */
  readonly discovered?: Readonly<Record<string, DiscoveredPin>> | undefined;
}
