/** Sorts by the bytes of UTF-8 paths, which is the order of a layer. Returns a new array. */
export function sortByPath<T extends { readonly path: string }>(entries: readonly T[]): T[] {
  // Up to U+D7FF code units sort as bytes do; beyond, surrogate pairs (four bytes) would sort before U+E000.
  const arePlain = entries.every(({ path }) => !BEYOND_PLAIN.test(path));
  const compare = arePlain ? compareUnits : comparePaths;
  return [...entries].sort((a, b) => compare(a.path, b.path));
}

/** Compares two paths by their bytes: negative, zero or positive. */
export function comparePaths(a: string, b: string): number {
  return BEYOND_PLAIN.test(a) || BEYOND_PLAIN.test(b) ? Buffer.from(a).compare(Buffer.from(b)) : compareUnits(a, b);
}

const BEYOND_PLAIN = /[\ud800-\uffff]/;

function compareUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
