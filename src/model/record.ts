import type { Digest } from './digest.ts';
import type { ElfFacts, KeptLayer } from './layer.ts';
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

/**
 * The layers that a package brings into a root where others are built: the package itself, then its sub-packages by name.
 * Debug files are left out, since nothing is built with them.
 */
export function rootLayers({ outputs }: Pick<PackageRecord, 'outputs'>): readonly KeptLayer[] {
  const names = Object.keys(outputs).filter((name) => name !== 'main' && !isDebugOutput(name));
  const layers = ['main', ...names.sort()].map((name) => outputs[name]);
  return layers.filter((layer) => layer !== undefined);
}

/** Facts of all ELF files of a package that others may be linked to. */
export function rootElf(record: Pick<PackageRecord, 'outputs'>): readonly ElfFacts[] {
  return rootLayers(record).flatMap(({ elf }) => elf);
}

/** `debug` of a recipe, `redis-server-dbgsym` of a Debian source package. */
export function isDebugOutput(name: string): boolean {
  return name === 'debug' || name.endsWith('-dbgsym');
}
