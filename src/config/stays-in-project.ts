import { lstatSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { cleanRelativePath } from '../document/resolve-inside.ts';

/**
 * Whether a path that a project's file names stays below that file's directory: relative, without `..` and `~`, and no
 * link on its way leads out. What is not there yet may be made there.
 */
export function staysInProject(directory: string, written: string): boolean {
  const clean = written.startsWith('~') ? undefined : cleanRelativePath(written);
  if (clean === undefined) return false;
  const root = realpathSync.native(directory);
  let place = root;
  for (const element of clean.split('/')) {
    place = join(place, element);
    if (lstatSync(place, { throwIfNoEntry: false }) === undefined) return true;
    const real = resolved(place);
    if (real === undefined || !real.startsWith(root === sep ? sep : root + sep)) return false;
  }
  return true;
}

/** Undefined for a link that leads nowhere, to itself, or where this user may not look. */
function resolved(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
