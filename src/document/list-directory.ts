import { type Dirent, readdirSync, statSync } from 'node:fs';
import type { Witness } from '../system/witness.ts';

/**
 * The entries of a directory, none where it is missing, undefined where the path is something else. Nothing but a
 * directory is shown to the witness as one: looking into a pipe would wait for its writer.
 */
export async function listDirectory(
  path: string,
  witness: Witness | undefined,
): Promise<readonly Dirent[] | undefined> {
  try {
    const status = statSync(path);
    if (!status.isDirectory()) return undefined;
    witness?.listed(path);
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return undefined;
    witness?.missing(path);
    return [];
  }
}
