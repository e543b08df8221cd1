import { BuilditError, BuilditErrors, type ErrorCode } from '../model/errors.ts';

const SYSTEM_ERRORS: Readonly<Record<string, { code: ErrorCode; found: string; hint: string }>> = {
  ENOSPC: {
    code: 'disk-full',
    found: 'no space left on the device',
    hint: '`buildit gc` frees what nothing refers to; --store=DIR uses another disk',
  },
  EDQUOT: {
    code: 'disk-full',
    found: 'the disk quota is used up',
    hint: '`buildit gc` frees what nothing refers to; --store=DIR uses another disk',
  },
  EIO: {
    code: 'cannot-write',
    found: 'a fault of the disk or the terminal (EIO)',
    hint: '`dmesg` shows whether a disk is at fault',
  },
  EFBIG: {
    code: 'cannot-write',
    found: 'a file that is as large as is allowed',
    hint: '`ulimit -f` shows the limit of this shell',
  },
  EROFS: { code: 'cannot-write', found: 'a read-only file system', hint: 'choose a place that can be written' },
  EACCES: { code: 'cannot-write', found: 'no permission', hint: 'check the owner and the mode of the path' },
  EPERM: { code: 'cannot-write', found: 'no permission', hint: 'check the owner and the mode of the path' },
  ENAMETOOLONG: { code: 'input-invalid', found: 'a name that is too long', hint: 'use a shorter path' },
  EMFILE: {
    code: 'busy',
    found: 'too many open files',
    hint: 'raise the limit with `ulimit -n 4096`, or use a smaller --jobs',
  },
};

/**
 * Turns what was thrown into errors a person can act upon. Failures of the file system that no stage explained are put
 * into words here; anything else unknown is a bug and stays as it is.
 */
export function understoodErrors(error: unknown): readonly BuilditError[] | undefined {
  if (error instanceof BuilditErrors) return error.errors;
  if (error instanceof BuilditError) return [error];
  const understood = systemError(error);
  return understood === undefined ? undefined : [understood];
}

function systemError(error: unknown): BuilditError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : SYSTEM_ERRORS[code];
  if (known === undefined) return undefined;
  return new BuilditError(known.code, `Cannot ${syscall ?? 'use'} "${path ?? 'a file'}": ${known.found}`, {
    hint: known.hint,
    cause: error,
  });
}
