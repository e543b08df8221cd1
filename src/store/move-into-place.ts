import { lstat, rename } from 'node:fs/promises';
import { removeTree } from '../system/remove-tree.ts';
import { systemErrorCode } from '../system/write-failure.ts';

/** Renames a finished file into its place. A directory that lies there is no file of the store, and makes way. */
export async function moveIntoPlace(temporary: string, path: string): Promise<void> {
  try {
    await rename(temporary, path);
  } catch (error) {
    const isTaken = ['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(error) ?? '');
    if (!isTaken || !(await lstat(path)).isDirectory()) throw error;
    await removeTree(path);
    await rename(temporary, path);
  }
}
