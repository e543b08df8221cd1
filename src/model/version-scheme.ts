/** How the versions of a recipe are compared: `version-scheme` of pkg.yaml. */
export const VERSION_SCHEMES = ['debian', 'gentoo', 'loose', 'semver'] as const;
export type VersionScheme = (typeof VERSION_SCHEMES)[number];

/** What a scheme knows of versions. Every function takes any text; what is no version of the scheme sorts first. */
export interface VersionOrder {
  /** A version of the scheme, for messages: `1.2.3-rc.1`. */
  readonly example: string;
  /** Negative, zero or positive. A total preorder: different spellings of one version are equal. */
  compare(a: string, b: string): number;
  /** Tells whether a recipe of the scheme may have this version. */
  isVersion(text: string): boolean;
  /** Tells whether a range may name this: versions, and where the scheme is strict their beginnings such as `1.26`. */
  isOperand(text: string): boolean;
  /** The epoch and the numbers a version begins with, as written: `1:1.26.3-2` has the epoch 1 and 1, 26 and 3. */
  numbers(version: string): VersionNumbers;
  /** Compares such numbers as `compare` does. */
  compareNumbers(a: readonly string[], b: readonly string[]): number;
  /** Tells whether a version is one of the tries that came before the release `release`: `4.0-rc1` before `4.0`. */
  isTryOf(version: string, release: string): boolean;
}

export interface VersionNumbers {
  readonly epoch: string;
  readonly numbers: readonly string[];
}
