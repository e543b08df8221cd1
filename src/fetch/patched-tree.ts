import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, rename, rmdir, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

const MAXIMUM_FILE_BYTES = 256 << 20;

/** What a patch finds at a path. Content is latin1, one character a byte. */
export type TreeNode =
  | { readonly kind: 'file'; readonly content: string; readonly executable: boolean }
  | { readonly kind: 'missing' }
  /** `at` is the symbolic link: the path itself or one of its parents. */
  | { readonly kind: 'link'; readonly at: string }
  | { readonly kind: 'other' };

/** A source tree with changes that are not written yet. */
export interface PatchedTree {
  readonly directory: string;
  readonly changes: Map<string, Extract<TreeNode, { kind: 'file' | 'missing' }>>;
}

/** Reads what is at a clean relative path, with what was changed before; symbolic links are seen, never followed. */
export async function readNode({ directory, changes }: PatchedTree, path: string): Promise<TreeNode> {
  const changed = changes.get(path);
  if (changed !== undefined) return changed;
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    if (changes.get(parent)?.kind === 'file') return { kind: 'other' };
  }
  const elements = path.split('/');
  for (let length = 1; length <= elements.length; length += 1) {
    const at = elements.slice(0, length).join('/');
    const found = await lstat(join(directory, at)).catch(() => undefined);
    if (found === undefined) return { kind: 'missing' };
    if (found.isSymbolicLink()) return { kind: 'link', at };
    if (length < elements.length && !found.isDirectory()) return { kind: 'other' };
    if (length === elements.length && (!found.isFile() || found.size > MAXIMUM_FILE_BYTES)) return { kind: 'other' };
  }
  return readFileNode(join(directory, path));
}

async function readFileNode(path: string): Promise<Extract<TreeNode, { kind: 'file' }>> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { mode } = await file.stat();
    return { kind: 'file', content: (await file.readFile()).toString('latin1'), executable: (mode & 0o111) !== 0 };
  } finally {
    await file.close();
  }
}

/**
 * Writes the changes. Files are replaced, never written in place: the tree may share them with the store. `time` is
 * given to every file written, in seconds, so that a build sees the same times each time. `backups` is a directory of the
 * tree that gets what was there before, as patch(1) leaves it for quilt: an empty file where there was none.
 */
export async function writeChanges(
  { directory, changes }: PatchedTree,
  time: number | undefined,
  backups?: string,
): Promise<void> {
  if (backups !== undefined) for (const path of changes.keys()) await backUp(directory, path, backups, time);
  const removed = [...changes].filter(([, node]) => node.kind === 'missing').map(([path]) => path);
  for (const path of removed) await unlink(join(directory, path)).catch(ignoreMissing);
  for (const [path, node] of changes) if (node.kind === 'file') await replaceFile(directory, path, node, time);
  for (const path of removed) await removeEmptyParents(directory, path);
}

/** With the mode and time of the file, whatever the umask and the clock: what is taken back must be the same each time. */
async function backUp(directory: string, path: string, backups: string, time: number | undefined): Promise<void> {
  const backup = join(directory, backups, path);
  const original = join(directory, path);
  const there = await lstat(original).catch(undefinedIfMissing);
  const before = there === undefined ? undefined : await readFileNode(original);
  try {
    await makeParents(directory, dirname(`${backups}/${path}`));
    await writeFile(backup, Buffer.from(before?.content ?? '', 'latin1'), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!['EEXIST', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new BuilditError(
      'input-invalid',
      `Cannot apply a patch: "${printable(`${backups}/${path}`)}" is there already`,
    );
  }
  await chmod(backup, before?.executable === true ? 0o755 : 0o644);
  const modified = there?.mtime ?? time;
  if (modified !== undefined) await utimes(backup, modified, modified);
}

function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  ignoreMissing(error);
}

async function replaceFile(
  directory: string,
  path: string,
  { content, executable }: Extract<TreeNode, { kind: 'file' }>,
  time: number | undefined,
): Promise<void> {
  const target = join(directory, path);
  const temporary = join(dirname(target), '.buildit-patched');
  await makeParents(directory, dirname(path));
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(Buffer.from(content, 'latin1'));
  } finally {
    await file.close();
  }
  await chmod(temporary, executable ? 0o755 : 0o644);
  if (time !== undefined) await utimes(temporary, time, time);
  await rename(temporary, target);
}

/** Missing directories get the mode 0755, whatever the umask. */
async function makeParents(directory: string, path: string): Promise<void> {
  if (path === '.') return;
  await makeParents(directory, dirname(path));
  try {
    await mkdir(join(directory, path));
    await chmod(join(directory, path), 0o755);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

async function removeEmptyParents(directory: string, path: string): Promise<void> {
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    try {
      await rmdir(join(directory, parent));
    } catch {
      return;
    }
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
