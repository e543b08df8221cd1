import { lstatSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { makeDirectory, writeNewFile } from '../system/files.ts';
import { requireRealDirectories } from '../system/real-directories.ts';
import { writeFailure } from '../system/write-failure.ts';

export type NewFile =
  /** Absolute. */
  | { readonly path: string; readonly content: string | Uint8Array; readonly mode?: number }
  | { readonly path: string; readonly kind: 'directory' };

/**
 * Writes files none of which may be there yet: all of them, or none. Directories may be there, but no links below the
 * directory that all of them lie in.
 */
export async function writeNewFiles(files: readonly NewFile[]): Promise<void> {
  for (const file of files) {
    if ('content' in file && lstatSync(file.path, { throwIfNoEntry: false }) !== undefined) throw isThere(file.path);
  }
  const base = commonDirectory(files.map(({ path }) => dirname(path)));
  for (const { path } of files) requireRealDirectories(base, dirname(path));
  const written: string[] = [];
  for (const file of files) {
    try {
      if ('kind' in file) makeDirectory(file.path);
      else {
        makeDirectory(dirname(file.path));
        await writeNewFile(file.path, file.content, file.mode ?? 0o644);
        written.push(file.path);
      }
    } catch (error) {
      for (const path of written) await rm(path, { force: true });
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw isThere(file.path);
      throw writeFailure(error, { path: file.path });
    }
  }
}

/** The deepest directory that all of these are or lie in. */
function commonDirectory(directories: readonly string[]): string {
  let common = directories[0] ?? '/';
  while (!directories.every((directory) => directory === common || directory.startsWith(join(common, '/')))) {
    common = dirname(common);
  }
  return common;
}

function isThere(path: string): BuilditError {
  return new BuilditError('usage', `Cannot write "${printable(path)}": expected no such file, found one`, {
    hint: 'name another directory, or remove the file first',
  });
}
