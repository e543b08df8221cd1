import { BuilditError } from '../model/errors.ts';
import { systemErrorCode } from '../system/write-failure.ts';

const FOUND: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'a file that is as large as is allowed',
};

/**
 * A reader may go away (`buildit plan | head`, a closed terminal), which is no failure: `gone`, or `hung-up` for a terminal.
 */
export function readerState({ code }: NodeJS.ErrnoException): 'gone' | 'hung-up' | 'reading' {
  if (code === 'EIO' || code === 'ENXIO') return 'hung-up';
  return code === 'EPIPE' || code === 'ECONNRESET' ? 'gone' : 'reading';
}

/** Why what a run prints cannot be written; one line, since the reader wants the output and not advice. */
export function outputFailure(name: 'standard output' | 'standard error', error: Error): BuilditError {
  const code = systemErrorCode(error);
  const found = FOUND[code ?? ''] ?? error.message;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new BuilditError(isFull ? 'disk-full' : 'cannot-write', `Cannot write "${name}": ${found}`, { cause: error });
}
