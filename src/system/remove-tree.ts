import { randomBytes } from 'node:crypto';
import { chmodSync, type Dirent, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { systemErrorCode, writeFailure } from './write-failure.ts';

/** The kernel takes paths of 4095 bytes; a build may nest deeper than that. */
const LONGEST_PATH_BYTES = 2000;
const ENTRIES_BETWEEN_PAUSES = 512;

/**
 * Removes a file or a directory with everything in it; nothing there is fine. Symbolic links are removed, never
 * followed. Directories without permissions (0000), names that are no UTF-8 and trees deeper than a path can name are
 * removed too. Nothing may be writing there at the same time.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (stat.isDirectory()) await removeDirectory(Buffer.from(path));
    else unlinkSync(path);
  } catch (error) {
    throw writeFailure(error, { verb: 'remove', path });
  }
}

/** Depth first with a stack of its own, since a hostile tree may be nested thousands of times. */
async function removeDirectory(top: Buffer): Promise<void> {
  const open: Buffer[] = [top];
  let handled = 0;
  while (open.length > 0) {
    const directory = open.at(-1)!;
    let isEmpty = true;
    for (const entry of entriesOf(directory)) {
      const path = Buffer.concat([directory, Buffer.from('/'), entry.name]);
      if (entry.isDirectory()) {
        open.push(path.length > LONGEST_PATH_BYTES ? raise(path, top) : path);
        isEmpty = false;
      } else unlinkSync(path);
      handled += 1;
      if (handled % ENTRIES_BETWEEN_PAUSES === 0) await pause();
    }
    if (isEmpty) {
      rmdirSync(directory);
      open.pop();
    }
  }
}

function entriesOf(directory: Buffer): readonly Dirent<Buffer>[] {
  permitEverything(directory);
  return readdirSync(directory, { withFileTypes: true, encoding: 'buffer' });
}

/** Moves a directory that lies too deep to be named to the top of the tree that is being removed. */
function raise(path: Buffer, top: Buffer): Buffer {
  permitEverything(path);
  const raised = Buffer.concat([top, Buffer.from(`/${randomBytes(8).toString('hex')}`)]);
  renameSync(path, raised);
  return raised;
}

/** Where that is not allowed, what comes next may be all the same, or says better what is wrong. */
function permitEverything(directory: Buffer): void {
  try {
    chmodSync(directory, 0o700);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
}

function pause(): Promise<void> {
  return new Promise((resume) => setImmediate(resume));
}
