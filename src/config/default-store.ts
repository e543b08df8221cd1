import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, findBaseDirectory } from '../system/user-directories.ts';

/**
 * Where everything is kept unless said otherwise: a place that every uid can pass through for root, whose builds run as
 * other users, else the user's cache. Undefined for a user without a home directory.
 */
export function findDefaultStore(environment: Environment): string | undefined {
  if (isRoot()) return '/var/cache/buildit';
  const cache = findBaseDirectory(environment, 'cache');
  return cache === undefined ? undefined : join(cache, 'buildit');
}

/** Uid 0 of the initial user namespace. `unshare -r` makes an ordinary user look like uid 0 as well. */
function isRoot(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch {
    return true;
  }
}
