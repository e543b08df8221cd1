import type { Digest } from './digest.ts';
import type { KeptLayer } from './layer.ts';
import type { Hash } from './package-hash.ts';

export const RECORD_FORMAT = 2;

/** What the build (or conversion) of a HASH gave. Says what was measured, never what was declared outside the HASH. */
export interface PackageRecord {
  readonly format: typeof RECORD_FORMAT;
  readonly kind: 'build' | 'debian';
  readonly hash: Hash;
  /** As `hash`, with every member of the root replaced by what it contained. Absent for converted Debian packages. */
  readonly buildKey: Digest | undefined;
  readonly name: string;
  readonly version: string;
  readonly platform: string;
  /** One for each sub-package; the package itself is `main`. */
  readonly outputs: Readonly<Record<string, KeptLayer>>;
  /** Digests of sources and normalised patches, in order. */
  readonly sources: readonly Digest[];
  readonly patches: readonly Digest[];
  /** SOURCE_DATE_EPOCH of the build, seconds; the newest time in a converted package. */
  readonly sourceDate: number;
  readonly builder: string;
  /** ISO 8601 in UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Digest of the log's blob. */
  readonly log: Digest | undefined;
}
