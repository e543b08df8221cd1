import { readListing } from '../layer/listing.ts';
import type { SubpackageRule } from '../model/package.ts';
import { pathGlob } from '../model/path-glob.ts';
import { isDebugOutput, type PackageRecord } from '../model/record.ts';
import type { Store } from '../store/store.ts';

export interface UnmatchedPattern {
  /** The sub-package's. */
  readonly part: string;
  readonly pattern: string;
}

/**
 * Patterns of sub-packages that no file of what was built fits: misspelt, mostly. Those of the debug part are not meant,
 * which every package has.
 */
export async function unmatchedPatterns(
  store: Store,
  outputs: PackageRecord['outputs'],
  subpackages: readonly SubpackageRule[],
): Promise<readonly UnmatchedPattern[]> {
  const written = subpackages.filter(({ name }) => !isDebugOutput(name));
  if (written.length === 0) return [];
  const listings = await Promise.all(Object.values(outputs).map(({ listing }) => readListing(store, listing)));
  const paths = new Set(listings.flat().map(({ path }) => path));
  // A directory with files in it is in every layer that has one of them; an empty one is what a pattern may mean.
  const full = new Set([...paths].map((path) => path.slice(0, Math.max(0, path.lastIndexOf('/')))));
  const placed = [...paths].filter((path) => !full.has(path));
  return written.flatMap(({ name, files }) =>
    files.filter((pattern) => !placed.some(pathGlob(pattern)!)).map((pattern) => ({ part: name, pattern })),
  );
}
