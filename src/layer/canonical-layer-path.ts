/**
 * Where a path lies once the base layer's links are followed: `bin sbin lib lib32 lib64 libx32` are links into `usr/`,
 * `var/run` and `var/lock` into `run/`. Undefined for those links themselves, which belong to the base layer alone.
 */
export function canonicalLayerPath(path: string): string | undefined {
  const slash = path.indexOf('/');
  const first = slash < 0 ? path : path.slice(0, slash);
  if (LINKS_INTO_USR.has(first)) return slash < 0 ? undefined : `usr/${path}`;
  if (first !== 'var') return path;
  if (path === 'var/run' || path === 'var/lock') return undefined;
  if (path.startsWith('var/run/')) return path.slice('var/'.length);
  if (path.startsWith('var/lock/')) return `run/${path.slice('var/'.length)}`;
  return path;
}

const LINKS_INTO_USR = new Set(['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']);
