import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { readSmallFile } from './read-small-file.ts';

const MAXIMUM_BYTES = 64 * 1024;

/**
 * Reads the file of a private key; undefined where there is none. As ssh does, refuses one of this user's own that
 * others may read. Public keys may be read by anyone.
 */
export async function readPrivateKeyFile(path: string): Promise<string | undefined> {
  const file = await readSmallFile(path, MAXIMUM_BYTES);
  if (file === undefined) return undefined;
  const { text, stats } = file;
  if (text.includes('PRIVATE KEY') && stats.uid === process.getuid?.() && (stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
    throw new BuilditError(
      'authentication-failed',
      `Cannot open the key "${printable(path)}": expected a file that only its owner may read, found mode ${mode}`,
      { hint: `chmod 600 ${printable(path)}` },
    );
  }
  return text;
}
