import { randomBytes } from 'node:crypto';
import { chmodSync, constants, existsSync, mkdirSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode, writeFailure } from './write-failure.ts';

export { removeTree } from './remove-tree.ts';

/**
 * Replaces the file at `path` by one with this content: after a crash at any moment it is there whole, old or new. The
 * mode is what is given, whatever the umask (0644 by default). A symbolic link at `path` is replaced, not followed. What
 * a process that died meanwhile has left beside it is removed.
 */
export async function writeFileDurably(
  path: string,
  bytes: Uint8Array | string,
  { mode = 0o644 }: { readonly mode?: number } = {},
): Promise<void> {
  const temporary = join(dirname(path), `${temporaryPrefix(path)}${ownMark()}.tmp`);
  try {
    removeAbandonedBeside(path);
    await writeNewFile(temporary, bytes, mode);
    await renameDurably(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    const neededBytes = Buffer.byteLength(bytes);
    throw writeFailure(error, { path, neededBytes, freeBytes: freeBytesIfKnown(dirname(path)) });
  }
}

/** Temporary files beside `path` are called this, twelve hexadecimal digits and `.tmp`. */
function temporaryPrefix(path: string): string {
  return `.${basename(path).slice(0, 200)}.`;
}

/** Twelve hexadecimal digits: six for this process (numbers end at 2^22, see proc_sys_kernel(5)), six by chance. */
function ownMark(): string {
  return process.pid.toString(16).padStart(6, '0') + randomBytes(3).toString('hex');
}

function removeAbandonedBeside(path: string): void {
  const prefix = temporaryPrefix(path);
  for (const name of readdirSync(dirname(path)).filter((entry) => entry.startsWith(prefix))) {
    const writer = /^([0-9a-f]{6})[0-9a-f]{6}\.tmp$/.exec(name.slice(prefix.length))?.[1];
    if (writer !== undefined && !isAlive(Number.parseInt(writer, 16)))
      rmSync(join(dirname(path), name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) !== 'ESRCH';
  }
}

/** Creates a file that must not be there yet, with exactly this mode, and brings it to the disk. */
export async function writeNewFile(path: string, bytes: Uint8Array | string, mode: number): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Renames a file that is on the disk already, and brings its new name there too. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
}

/** Brings the names in a directory to the disk. File systems that cannot do that are left alone. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } catch (error) {
    if (systemErrorCode(error) !== 'EINVAL') throw error;
  } finally {
    await directory.close();
  }
}

/**
 * Makes a directory and its missing parents so that every user can pass through them, whatever the umask: builds that
 * root started run as other users. Directories that are there already are left alone.
 */
export function makeTraversableDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (dirname(path) !== path) makeTraversableDirectory(dirname(path));
  makeDirectory(path);
  chmodSync(path, 0o755);
}

/** Bytes this user may still write to the file system of `path`; where it is not there yet, of its nearest parent. */
export async function freeBytes(path: string): Promise<number> {
  for (let place = path; ; place = dirname(place)) {
    try {
      const { bavail, bsize } = statfsSync(place);
      return bavail * bsize;
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT' || place === dirname(place)) throw error;
    }
  }
}

/** As `freeBytes`, for messages about a failure: undefined where it cannot be told. */
export function freeBytesIfKnown(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/**
 * Makes a directory with its parents. Node's own `recursive` never ends where a parent is there and the system still
 * says ENOENT, as in /proc.
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path || existsSync(dirname(path))) throw error;
    makeDirectory(dirname(path));
    mkdirSync(path);
  }
}
