import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeFileDurably } from '../system/files.ts';
import { acquireLock } from '../system/lock.ts';
import { systemErrorCode, writeFailure } from '../system/write-failure.ts';
import { readSmallFile } from './read-small-file.ts';

const MAXIMUM_BYTES = 4 * 1024 * 1024;

/**
 * Changes a text file as a whole: what `edit` gives for its text (empty where there is no file) replaces it, or nothing
 * happens where that is the same. Two who edit at once wait for each other. A symbolic link stays, and so does the mode.
 */
export async function editLines<Result>(
  path: string,
  edit: (text: string) => { readonly text: string; readonly result: Result },
): Promise<Result> {
  const real = await realPathOf(path);
  const release = await lockBeside(real);
  try {
    const file = await readSmallFile(real, MAXIMUM_BYTES);
    const { text, result } = edit(file?.text ?? '');
    if (text !== (file?.text ?? '')) await writeFileDurably(real, text, { mode: (file?.stats.mode ?? 0o644) & 0o777 });
    return result;
  } finally {
    release();
  }
}

async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return path;
    throw error;
  }
}

async function lockBeside(path: string): Promise<() => void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw writeFailure(error, { path });
  }
  const lock = await acquireLock(join(dirname(path), `.${basename(path)}.lock`), 'exclusive');
  return () => lock.release();
}

/** The text with one more line at its end. */
export function withLine(text: string, line: string): string {
  return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${line}\n`;
}
