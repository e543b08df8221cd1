import { lstatSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { readBytes } from '../document/read-text.ts';
import type { NewFile } from './write-new-files.ts';

const IGNORES_OUTPUT = /^\/?out\/?[ \t]*\r?$/m;
const MAXIMUM_BYTES = 1024 * 1024;

/**
 * Keeps what a container's builds put into `out/` out of git: a `.gitignore` where there is none. One that is there is the
 * user's; where it lacks the line, that is noted.
 */
export async function ignoreOutput(
  directory: string,
): Promise<{ readonly files: readonly NewFile[]; readonly notes: readonly string[] }> {
  const path = join(directory, '.gitignore');
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    return { files: [{ path, content: '/out/\n' }], notes: [] };
  }
  const text = await textOf(path).catch(() => '');
  return { files: [], notes: IGNORES_OUTPUT.test(text) ? [] : ['.gitignore: it lacks /out/, where the images go'] };
}

async function textOf(path: string): Promise<string> {
  const options = { name: path, maximumBytes: MAXIMUM_BYTES, code: 'input-invalid' } as const;
  return (await readBytes(await realpath(path), options)).toString('latin1');
}
