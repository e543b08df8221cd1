import type { Digest } from '../model/digest.ts';

export type MultiArch = 'no' | 'same' | 'foreign' | 'allowed';

/** A binary package as a `Packages` index describes it. Relations are kept as texts, already checked. */
export interface IndexedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly multiArch: MultiArch;
  readonly essential: boolean;
  /** `Important: yes`, a field older than `Protected`: such packages are preferred among providers. */
  readonly important: boolean;
  /** 1 `required` to 5 `extra`. */
  readonly priority: number;
  readonly preDepends: string;
  readonly depends: string;
  readonly provides: string;
  /** Conflicts and Breaks: with none of these. */
  readonly excludes: string;
  /** Relative to the root of the archive, below `pool/`. */
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
  readonly source: { readonly name: string; readonly version: string };
}

/** An indexed package together with where it is to be had. */
export interface AvailablePackage extends IndexedPackage {
  readonly suite: string;
  readonly archive: string;
  /** ISO 8601 in UTC: of the InRelease. */
  readonly date: string;
}
