import type { ResolvedPackage } from './package.ts';
import type { Platform } from './platform.ts';
import type { SourcePosition } from './source-position.ts';
import type { TestDefinition } from './test-definition.ts';

/** Owner of a file in an image, by name or number; names are looked up in the image's passwd and group. */
export interface FileOwner {
  readonly user: string;
  readonly group: string;
}

export type ContainerPackage =
  | {
      readonly kind: 'embedded';
      readonly shownPath: string;
      readonly directory: string;
      /** Parts of it that the image gets besides the package itself. */
      readonly subpackages: readonly string[];
    }
  | {
      readonly kind: 'repository';
      readonly name: string;
      /** A version, or a range such as `~1.26`. */
      readonly version: string | undefined;
      readonly with: readonly string[];
      readonly without: readonly string[];
      readonly subpackages: readonly string[];
    }
  | { readonly kind: 'debian'; readonly name: string; readonly version: string | undefined };

export interface OciConfig {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly user?: string;
  readonly workingDirectory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
}

export type LayerCompression = 'zstd' | 'gzip' | 'none';

export type ImageDefinition =
  | {
      readonly kind: 'aci' /** The manifest after templating: JSON text. */;
      readonly manifest: string;
      readonly position: SourcePosition;
    }
  | {
      readonly kind: 'oci';
      readonly config: OciConfig;
      readonly compression: LayerCompression;
      /** Layers of the image at most, 1 to 125: moby takes no more. */
      readonly layerBudget: number;
      readonly tags: readonly string[];
      readonly annotations: Readonly<Record<string, string>>;
      readonly position: SourcePosition;
    };

/** What a container's steps do besides packages, in the order written. Modes are numbers (0o644). */
export type FileStep =
  | {
      readonly kind: 'sync';
      /** Absolute; a file or a directory inside the container directory. */
      readonly source: string;
      readonly dest: string;
      readonly recursive: boolean;
      readonly mode: number | undefined;
      readonly directoryMode: number;
      readonly owner: FileOwner;
      readonly exclude: readonly string[];
      /** Files are rendered with the container's variables. */
      readonly template: boolean;
      readonly position: SourcePosition;
    }
  | {
      readonly kind: 'file';
      readonly dest: string;
      readonly content: string;
      readonly mode: number;
      readonly owner: FileOwner;
      readonly position: SourcePosition;
    }
  | {
      readonly kind: 'directory';
      readonly dest: string;
      readonly mode: number;
      readonly owner: FileOwner;
      readonly position: SourcePosition;
    }
  | { readonly kind: 'link'; readonly dest: string; readonly target: string; readonly position: SourcePosition }
  | {
      readonly kind: 'user';
      readonly name: string;
      readonly uid: number;
      readonly gid: number;
      readonly home: string;
      readonly shell: string;
      readonly position: SourcePosition;
    };

/** What an image begins with unless `base:` says otherwise. */
export const DEFAULT_BASE = 'sys-apps/baselayout';

/** container.yaml, validated and templated. */
export interface ContainerDefinition {
  /** Absolute path of the directory that holds container.yaml. */
  readonly directory: string;
  readonly author: string | undefined;
  readonly name: string;
  readonly version: string;
  readonly platform: Platform;
  readonly variables: Readonly<Record<string, string>>;
  /** `false` for `base: none`, else the name of the base package (`sys-apps/baselayout`). */
  readonly base: string | false;
  readonly packages: readonly (ContainerPackage & { readonly position: SourcePosition })[];
  readonly steps: readonly FileStep[];
  readonly images: readonly ImageDefinition[];
  /** Tried on the finished image; absent where there are none. */
  readonly tests?: readonly TestDefinition[] | undefined;
}

/** `Sysadmin42/nginx-production-1.7.6-p1`, as the transcript names a container. */
export function containerTitle({ author, name, version }: ContainerDefinition): string {
  return `${author === undefined ? '' : `${author}/`}${name}-${version}`;
}

/** A repository of recipes as its repository.yaml says. */
export interface RepositoryDefinition {
  readonly name: string;
  readonly directory: string;
  readonly debian: {
    /** Suites of the build root, in order of preference: `[bookworm]`. */
    readonly suites: readonly string[];
    /** Suites that images are resolved from: the same, or with updates and security besides. */
    readonly imageSuites: readonly string[];
    readonly components: readonly string[];
    /** The toolchain: names of Debian packages, Essential ones are added. */
    readonly toolchain: readonly string[];
    /** The least root: a shell and core utilities, for packages with `root: minimal`, and for packing output. */
    readonly minimal: readonly string[];
    /** The C and C++ runtime that any package may need without declaring it: `[libc6, libgcc-s1, libstdc++6]`. */
    readonly runtime: readonly string[];
    /** Programs buildit itself may need where the host has none: `[bubblewrap, util-linux]`. */
    readonly tools: readonly string[];
  };
  readonly use: { readonly with: readonly string[]; readonly without: readonly string[] };
}

/** A container and everything it is made of, with every choice made that needs no network. */
export interface Definitions {
  readonly container: ContainerDefinition;
  readonly repositories: readonly RepositoryDefinition[];
  /** All packages built from recipes: those of the container and, transitively, their dependencies. */
  readonly packages: readonly ResolvedPackage[];
  /** Names in `packages` that the container asks for itself, in its order; the base first where there is one. */
  readonly requested: readonly string[];
  /** Parts of packages that the container asks for besides the packages themselves. */
  readonly requestedParts?: readonly {
    readonly name: string;
    readonly part: string;
    readonly position: SourcePosition;
  }[];
  /** Debian packages the container asks for itself. */
  readonly debianRequested: readonly {
    readonly name: string;
    readonly version: string | undefined;
    readonly position: SourcePosition;
  }[];
}
