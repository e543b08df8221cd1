import type { Capability } from './capability.ts';
import type { Digest } from './digest.ts';
import type { LintAllowance } from './output-lint.ts';
import type { RegistryArtefact } from './registry.ts';
import type { SourcePosition } from './source-position.ts';
import type { TestDefinition } from './test-definition.ts';
import type { VersionRange } from './version-range.ts';

/**
 * Names a package, with an optional exact version or a range: `www-servers/nginx-1.22.1`, `dev-libs/openssl>=3.0,<4`,
 * `debian/libc6`. The category `debian` means a binary package of the repository's Debian suite.
 */
export interface Atom {
  readonly category: string;
  readonly name: string;
  /** Never together with `range`. */
  readonly version?: string;
  readonly range?: VersionRange;
}

export function atomText({ category, name, version, range }: Atom): string {
  return `${category}/${name}${version === undefined ? '' : `-${version}`}${range?.text ?? ''}`;
}

/** Where a source can be had besides its URL: the original tarball of a Debian source package, any suite. */
export type SourceMirror =
  | { readonly kind: 'debian'; readonly sourcePackage: string }
  | { readonly kind: 'url'; readonly url: string };

export type SourceLocation =
  /** `urls` are https, tried in order, then the mirrors. */
  | { readonly kind: 'remote'; readonly urls: readonly string[]; readonly mirrors: readonly SourceMirror[] }
  /** A file of a language's registry: where that is, the host's configuration or buildit's says. */
  | { readonly kind: 'registry'; readonly artefact: RegistryArtefact; readonly size?: number }
  /** `path` is absolute and inside the directory of the recipe. */
  | { readonly kind: 'file'; readonly path: string };

export interface PackageSource {
  readonly location: SourceLocation;
  /** Required for remote sources; of a file it is computed when the definition is read. */
  readonly sha256: Digest;
  /** What the file is called inside the build, and how its kind is told: `nginx-1.22.1.tar.gz`. */
  readonly fileName: string;
  /** `unpack` below the source tree; `keep` puts the file itself there, unopened; `patch` applies it as a diff. */
  readonly action: SourceAction;
  /** Leading path elements removed from each member when unpacked; 1 by default. */
  readonly strip: number;
  /** Directory below the source tree, `.` for the main source. */
  readonly directory: string;
  /** What earlier sources put there is removed first: Debian's `debian/` takes the place of upstream's. */
  readonly clears?: string | undefined;
  /** It is kept because neither the recipe nor its name tells otherwise: an archive is then an error. In no HASH. */
  readonly isUndecided?: true;
  /** A part of a Debian source package, unpacked as dpkg-source(1) does. In no HASH: the class tells it, too. */
  readonly isDebian?: true;
}

export type SourceAction = 'unpack' | 'keep' | 'patch';

/** Which files of a build's output are a part of its own. */
export interface SubpackageRule {
  readonly name: string;
  /** Globs of paths without a leading slash; a file belongs to the first rule that fits. */
  readonly files: readonly string[];
  /** What it needs at run time and no scan sees. */
  readonly run: readonly Atom[];
}

/** What a file of a package gives to every program that is started from it: permitted, and effective at once. */
export interface FileCapabilities {
  /** Clean and relative, as it is in the package: `usr/bin/ping`. */
  readonly path: string;
  /** In the order of their numbers, never empty. */
  readonly capabilities: readonly Capability[];
  readonly position?: SourcePosition;
}

/** The Debian source package that a package of `class: debian` is made of. */
export interface DebianSourceRequest {
  readonly name: string;
  /** An exact version; the newest by default. */
  readonly version?: string | undefined;
  /** Binary packages that an image of this package holds. */
  readonly binaries: readonly string[];
}

export type PatchLocation =
  | { readonly kind: 'file'; readonly path: string; readonly shownPath: string }
  | { readonly kind: 'url'; readonly url: string };

export interface PackagePatch {
  readonly location: PatchLocation;
  readonly description: string;
  readonly fixes: readonly string[];
  readonly strip: number;
  /** Of the raw bytes; undefined for a URL that neither the definition nor a lock has pinned yet. */
  readonly sha256: Digest | undefined;
  /** Of the normalised patch (see `normalisePatch`), known for files when read, for URLs from the lock. */
  readonly normalisedSha256: Digest | undefined;
  /** It is the user's own, from beside the user's configuration: of no definition. */
  readonly ofUser?: true;
  readonly position?: SourcePosition;
}

export const PHASE_NAMES = ['prepare', 'configure', 'build', 'check', 'install', 'licenses', 'strip'] as const;
export type PhaseName = (typeof PHASE_NAMES)[number];

export interface PackageUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** One file of the recipe's `files/` directory, visible in the build as `$FILESDIR/path`. */
export interface RecipeFile {
  readonly path: string;
  readonly absolutePath: string;
  readonly sha256: Digest;
  readonly executable: boolean;
}

/** Where a definition came from, for messages and for the transcript. */
export type PackageOrigin =
  /** `shownPath` as written in container.yaml: `./pkgs/nginx`. */
  | { readonly kind: 'embedded'; readonly shownPath: string; readonly directory: string }
  | { readonly kind: 'repository'; readonly repository: string; readonly directory: string };

/** A flag after `use`: whether it was asked for, and whether it has an effect at this version (`when`). */
export interface ResolvedFlag {
  readonly enabled: boolean;
  readonly applies: boolean;
}

/**
 * One package with every choice made: version, flags, derivation, templates. Immutable and complete; what is built
 * depends on nothing else but the lock.
 */
export interface ResolvedPackage {
  /** `category/name`. */
  readonly name: string;
  readonly version: string;
  readonly origin: PackageOrigin;
  readonly author: string | undefined;
  readonly description: string | undefined;
  readonly homepage: string | undefined;
  readonly license: string | undefined;
  /** The repository whose build root and lock this package is built with. */
  readonly repository: string;
  /** `toolchain`: the repository's whole build root; `minimal`: its shell and core utilities only. */
  readonly root: 'toolchain' | 'minimal';
  readonly sources: readonly PackageSource[];
  readonly patches: readonly PackagePatch[];
  /** What the lock pins as the sources, for `class: debian`. */
  readonly debianSource?: DebianSourceRequest | undefined;
  /** A list of patches inside the source tree that are applied before any other: `debian/patches/series`. */
  readonly series?: string | undefined;
  /** Parts that are layers of their own, in the order their patterns are tried. Absent where there are none. */
  readonly subpackages?: readonly SubpackageRule[] | undefined;
  /** Files with capabilities, sorted by path. Absent where there are none. */
  readonly capabilities?: readonly FileCapabilities[] | undefined;
  /** It begins the image in place of baselayout, so that the links of a merged /usr are its own. */
  readonly replacesBase?: true;
  /** `debs`: the build leaves binary packages in $DESTDIR, and each becomes an output. `tree` by default. */
  readonly outputs?: 'tree' | 'debs' | undefined;
  readonly files: readonly RecipeFile[];
  readonly class: string;
  readonly flags: Readonly<Record<string, ResolvedFlag>>;
  /** In the order they run; a phase without work is absent. `check` never changes the HASH. */
  readonly phases: Readonly<Partial<Record<PhaseName, string>>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly dependencies: {
    readonly build: readonly Atom[];
    readonly link: readonly Atom[];
    readonly run: readonly Atom[];
    readonly test: readonly Atom[];
  };
  /** Atoms of Debian packages this one stands in for, in images. */
  readonly replaces: readonly Atom[];
  readonly users: readonly PackageUser[];
  readonly tests: readonly TestDefinition[];
  /** What a finished build would be refused for, and why it is meant to be so. Absent where there is nothing. */
  readonly allowed?: readonly LintAllowance[] | undefined;
  /** Things to tell the user once: a flag without effect, a deprecated spelling. */
  readonly notices: readonly string[];
  readonly position?: SourcePosition;
}

/** Link and run dependencies, those of its parts too: what goes where the package goes. */
export function carriedDependencies({ dependencies, subpackages = [] }: ResolvedPackage): readonly Atom[] {
  return [...dependencies.link, ...dependencies.run, ...subpackages.flatMap(({ run }) => run)];
}
