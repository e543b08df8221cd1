import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Where system programs lie that an ordinary user's PATH often leaves out. */
const USUAL_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * The absolute path of a program of the host, by its bare name: from PATH, then from the usual directories. Relative
 * directories in PATH are passed over, so that nothing in the directory at hand is ever run by accident.
 */
export function findProgram(
  name: string,
  { PATH = '' }: { readonly PATH?: string | undefined } = process.env,
): string | undefined {
  if (!/^[A-Za-z0-9][A-Za-z0-9+._-]*$/.test(name)) throw new TypeError(`"${name}" is not the name of a program`);
  const listed = PATH.split(delimiter).filter(isAbsolute);
  return [...listed, ...USUAL_DIRECTORIES].map((directory) => join(directory, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    // Most places have no such file, and an error costs more than an answer.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
