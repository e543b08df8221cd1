import { lstatSync, type Stats } from 'node:fs';
import { join, relative } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { systemErrorCode } from './write-failure.ts';

/**
 * Refuses ('cannot-write') a path of which an element below `base` is anything but a real directory: a link in somebody's
 * checkout must not decide where files are written or removed. `base` itself may be a link; elements may be missing.
 */
export function requireRealDirectories(base: string, path: string, hint?: string): void {
  let place = base;
  for (const element of relative(base, path).split('/')) {
    if (element === '') continue;
    if (element === '..') throw new TypeError(`"${path}" is not below "${base}"`);
    place = join(place, element);
    const stat = statOf(place);
    if (stat === undefined) return;
    if (!stat.isDirectory()) throw refusal(place, 'a directory', stat, hint);
  }
}

/** Refuses anything at a path but a regular file or nothing. */
export function requireFileOrNothing(path: string, hint?: string): void {
  const stat = statOf(path);
  if (stat !== undefined && !stat.isFile()) throw refusal(path, 'a file or nothing', stat, hint);
}

function refusal(path: string, expected: string, stat: Stats, hint: string | undefined): BuilditError {
  return new BuilditError(
    'cannot-write',
    `Cannot write to "${printable(path)}": expected ${expected}, found ${kindOf(stat)}`,
    {
      hint: hint ?? `remove it: rm ${printable(path)}`,
    },
  );
}

function kindOf(stat: Stats): string {
  if (stat.isSymbolicLink()) return 'a symbolic link';
  if (stat.isDirectory()) return 'a directory';
  if (stat.isFile()) return 'a file';
  return stat.isFIFO() ? 'a named pipe' : 'something else';
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemErrorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
