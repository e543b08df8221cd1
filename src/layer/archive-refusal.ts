import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/** An archive that is not taken: it is damaged, or says something that must not be done. */
export function archiveRefusal(object: string, expected: string, found: string, cause?: unknown): BuilditError {
  const name = printable(object).slice(0, 300);
  return new BuilditError(
    'archive-refused',
    `Cannot unpack "${name}": expected ${expected}, found ${printable(found).slice(0, 300)}`,
    cause === undefined ? {} : { cause },
  );
}
