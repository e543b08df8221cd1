import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/** Error codes of system calls that mean "no room left", for the file system or for this user. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** The error code of a failed system call (`ENOENT`), or undefined for any other thing that was thrown. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * What the user is told when writing `path` failed: `disk-full` with what was needed and what is left, `cannot-write`
 * for every other failed system call. Errors that are no failed system calls come back as they are.
 *
 * `neededBytes` is what the whole object takes, where that is known before it is written.
 */
export function writeFailure(
  error: unknown,
  { verb = 'write', path, neededBytes, freeBytes }: WriteAttempt,
): BuilditError | unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  const subject = `Cannot ${verb} "${printable(path)}"`;
  if (FULL.has(code)) {
    const needed = neededBytes === undefined ? 'room on the disk' : `at least ${sizeText(neededBytes)} of free space`;
    const left = code === 'EDQUOT' ? 'the quota used up' : freeBytes === undefined ? 'none' : sizeText(freeBytes);
    return new BuilditError('disk-full', `${subject}: expected ${needed}, found ${left}`, {
      hint: 'free some space there, run buildit gc, or name another place with BUILDIT_STORE',
      cause: error,
    });
  }
  const found = FOUND[code] ?? (error as Error).message;
  return new BuilditError('cannot-write', `${subject}: expected a place this user may write to, found ${found}`, {
    cause: error,
  });
}

export interface WriteAttempt {
  readonly verb?: string;
  readonly path: string;
  readonly neededBytes?: number | undefined;
  readonly freeBytes?: number | undefined;
}

const FOUND: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'a read-only file system',
  ENOENT: 'no such directory',
  ENOTDIR: 'a file where a directory belongs',
  EIO: 'a fault of the disk (EIO)',
};

/** `512 B`, `19.5 KiB`, `1.2 GiB`. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
