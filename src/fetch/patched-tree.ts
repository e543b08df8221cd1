import { constants } from 'node:fs';
import {
  chmod,
  lstat,
  lutimes,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rmdir,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

const MAXIMUM_FILE_BYTES = 256 << 20;

/** A regular file. Content is latin1, one character a byte. */
export interface FileNode {
  readonly kind: 'file';
  readonly content: string;
  readonly executable: boolean;
}

/** A symbolic link at the path itself, which is `at`; `target` is its text in latin1. */
export interface LinkNode {
  readonly kind: 'link';
  readonly at: string;
  readonly target: string;
}

/** What a patch finds at a path. */
export type TreeNode =
  | FileNode
  | LinkNode
  | { readonly kind: 'missing' }
  /** The parent `at` is a symbolic link. */
  | { readonly kind: 'behind-link'; readonly at: string }
  | { readonly kind: 'directory' }
  | { readonly kind: 'other' };

export type ChangedNode = FileNode | LinkNode | { readonly kind: 'missing' };

/** A source tree with changes that are not written yet. */
export interface PatchedTree {
  readonly directory: string;
  readonly changes: Map<string, ChangedNode>;
}

/** A tree to read alone. */
export interface TreeView {
  readonly directory: string;
  readonly changes: Pick<ReadonlyMap<string, ChangedNode>, 'get'>;
}

/** Reads what is at a clean relative path, with what was changed before; symbolic links are seen, never followed. */
export async function readNode({ directory, changes }: TreeView, path: string): Promise<TreeNode> {
  const changed = changes.get(path);
  if (changed !== undefined) return changed;
  const elements = path.split('/');
  for (let length = 1; length <= elements.length; length += 1) {
    const at = elements.slice(0, length).join('/');
    const parent = length < elements.length ? changes.get(at) : undefined;
    if (parent?.kind === 'missing') return { kind: 'missing' };
    if (parent?.kind === 'link') return { kind: 'behind-link', at };
    if (parent?.kind === 'file') return { kind: 'other' };
    const found = await lstat(join(directory, at)).catch(() => undefined);
    if (found === undefined) return newParentOf(changes, elements, length);
    if (found.isSymbolicLink()) {
      if (length < elements.length) return { kind: 'behind-link', at };
      return { kind: 'link', at, target: (await readlink(join(directory, at), 'buffer')).toString('latin1') };
    }
    if (length < elements.length && !found.isDirectory()) return { kind: 'other' };
    if (length === elements.length && found.isDirectory()) return { kind: 'directory' };
    if (length === elements.length && (!found.isFile() || found.size > MAXIMUM_FILE_BYTES)) return { kind: 'other' };
  }
  return readFileNode(join(directory, path));
}

/** Below what is not on disk, a change may still have put something else than a directory. */
function newParentOf(changes: TreeView['changes'], elements: readonly string[], missing: number): TreeNode {
  for (let length = missing; length < elements.length; length += 1) {
    const at = elements.slice(0, length).join('/');
    const parent = changes.get(at);
    if (parent?.kind === 'link') return { kind: 'behind-link', at };
    if (parent?.kind === 'file') return { kind: 'other' };
  }
  return { kind: 'missing' };
}

/** Whether the changes remove every file below a directory, so that something else can take its place. */
export async function isEmptied(tree: TreeView, path: string): Promise<boolean> {
  for (const entry of await readdir(join(tree.directory, path), { withFileTypes: true })) {
    const inside = `${path}/${entry.name}`;
    const isGone = entry.isDirectory() ? await isEmptied(tree, inside) : tree.changes.get(inside)?.kind === 'missing';
    if (!isGone) return false;
  }
  return true;
}

/** A path that the changes make a file or a link and a directory at once. */
export function contradiction({ changes }: PatchedTree): string | undefined {
  const kept = [...changes].filter(([, node]) => node.kind !== 'missing').map(([path]) => path);
  // With this separator, which no path holds, what lies below a path comes right behind it.
  const sorted = kept.map((path) => path.replaceAll('/', '\0')).sort();
  const at = sorted.findIndex((path, index) => sorted[index + 1]?.startsWith(`${path}\0`) === true);
  return at < 0 ? undefined : sorted[at]!.replaceAll('\0', '/');
}

async function readFileNode(path: string): Promise<FileNode> {
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
  // Parents come first: nothing is removed through a link that goes as well, or that takes the place of a directory.
  const removed = [...changes].flatMap(([path, node]) => (node.kind === 'missing' ? [path] : [])).sort();
  for (const path of removed) await unlink(join(directory, path)).catch(undefinedIfMissing);
  for (const path of removed) await removeEmptyParents(directory, path);
  for (const [path, node] of changes) {
    if (node.kind === 'missing') continue;
    await removeEmptyDirectory(join(directory, path));
    if (node.kind === 'file') await replaceFile(directory, path, node, time);
    else await replaceLink(directory, path, node, time);
  }
}

/** With the mode and time of the file, whatever the umask and the clock: what is taken back must be the same each time. */
async function backUp(directory: string, path: string, backups: string, time: number | undefined): Promise<void> {
  const backup = join(directory, backups, path);
  const original = join(directory, path);
  const there = await lstat(original).catch(undefinedIfMissing);
  const before = there?.isFile() === true ? await readFileNode(original) : undefined;
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
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}

async function replaceFile(
  directory: string,
  path: string,
  { content, executable }: FileNode,
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

async function replaceLink(
  directory: string,
  path: string,
  { target: text }: LinkNode,
  time: number | undefined,
): Promise<void> {
  const target = join(directory, path);
  const temporary = join(dirname(target), '.buildit-patched');
  await makeParents(directory, dirname(path));
  await symlink(Buffer.from(text, 'latin1'), temporary);
  if (time !== undefined) await lutimes(temporary, time, time);
  await rename(temporary, target);
}

/** Makes room where a directory was whose files are removed. What holds a file stays, and is in the way. */
async function removeEmptyDirectory(path: string): Promise<void> {
  const there = await lstat(path).catch(undefinedIfMissing);
  if (there?.isDirectory() !== true) return;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeEmptyDirectory(join(path, entry.name));
  }
  await rmdir(path);
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
    if (!(await lstat(join(directory, path))).isDirectory()) throw error;
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
