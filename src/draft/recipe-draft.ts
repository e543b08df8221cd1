/** Keys of pkg.yaml in the order they are written. */
export const DRAFT_FIELDS = [
  ...['name', 'description', 'homepage', 'license', 'version', 'source', 'class', 'flags', 'configure'],
  ...['dependencies', 'environment', 'phases', 'patches', 'test', 'update', 'security'],
] as const;
export type DraftField =
  | ('name' | 'description' | 'homepage' | 'license' | 'version' | 'source' | 'class' | 'flags' | 'configure')
  | ('dependencies' | 'environment' | 'phases' | 'patches' | 'test' | 'update' | 'security');

/** Something a person has to look at, written above the field it is about. */
export interface DraftNote {
  readonly at: DraftField;
  /** `todo`: something is missing or was not understood; `check`: a guess; `remark`: a word of explanation. */
  readonly kind: 'todo' | 'check' | 'remark';
  readonly text: string;
}

export interface DraftSource {
  /** With `{{version}}` in place of the version. */
  readonly url?: string | undefined;
  /** A file inside the directory, in place of a URL. */
  readonly file?: string | undefined;
  readonly sha256?: string | undefined;
  readonly filename?: string | undefined;
  /** Directory below the source tree. */
  readonly directory?: string | undefined;
}

export type DependencyKind = 'build' | 'link' | 'run' | 'test';
export type DraftDependencies = Readonly<Partial<Record<DependencyKind, readonly string[]>>>;

export interface DraftFlag {
  readonly default: boolean;
  readonly description?: string | undefined;
  readonly on?: readonly string[] | undefined;
  readonly off?: readonly string[] | undefined;
  readonly dependencies?: DraftDependencies | undefined;
  /** Flags that must be on, and flags that must be off. */
  readonly requires?: readonly string[] | undefined;
  readonly conflicts?: readonly string[] | undefined;
}

export const DRAFT_PHASES = ['prepare', 'configure', 'build', 'check', 'install'] as const;
export type DraftPhase = (typeof DRAFT_PHASES)[number];

/** A recipe that nobody has looked at yet. What is undefined or empty is left out. */
export interface RecipeDraft {
  /** `category/name`. */
  readonly name: string;
  readonly description?: string | undefined;
  readonly homepage?: string | undefined;
  /** SPDX. */
  readonly license?: string | undefined;
  readonly version: string;
  readonly sources: readonly DraftSource[];
  readonly class: string;
  readonly flags?: Readonly<Record<string, DraftFlag>> | undefined;
  readonly configure?: readonly string[] | undefined;
  readonly dependencies?: DraftDependencies | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly phases?: Readonly<Partial<Record<DraftPhase, string>>> | undefined;
  /** Path or URL to what it is for. */
  readonly patches?: Readonly<Record<string, string>> | undefined;
  readonly notes: readonly DraftNote[];
}
