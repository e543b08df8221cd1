import { readdirSync } from 'node:fs';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { systemErrorCode } from '../system/write-failure.ts';

/** The names in a directory; none where there is no such directory. Throws 'cannot-write' for one that cannot be read. */
export function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new BuilditError(
      'cannot-write',
      `Cannot read "${printable(directory)}": expected a directory that this user may read, found ${code}`,
      { hint: 'give this user access to it, or name another store with BUILDIT_STORE', cause: error },
    );
  }
}
