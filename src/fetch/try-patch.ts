import { diffsOf } from '../model/normalise-patch.ts';
import { type FilePatch, newLines, oldLines } from '../model/patch.ts';
import { textLines } from '../model/text-lines.ts';
import { isLinkInside } from './link-inside.ts';
import { type Effort, expectedPlace, MAXIMUM_COMPARISONS, matchHunk, replaceLines, reverseHunk } from './match-hunk.ts';
import type { Reject } from './patch-rejects.ts';
import {
  type ChangedNode,
  contradiction,
  type FileNode,
  isEmptied,
  type LinkNode,
  type PatchedTree,
  readNode,
  type TreeNode,
  type TreeView,
} from './patched-tree.ts';

export interface PatchAttempt {
  readonly tree: PatchedTree;
  readonly rejects: Reject[];
  readonly moved: string[];
  readonly effort: Effort;
}

/** Works out what a patch changes, without changing anything. */
export async function tryPatch(directory: string, files: readonly FilePatch[]): Promise<PatchAttempt> {
  const tree: PatchedTree = { directory, changes: new Map() };
  const attempt: PatchAttempt = { tree, rejects: [], moved: [], effort: { comparisons: MAXIMUM_COMPARISONS } };
  for (const diff of diffsOf(files)) await tryDiff(attempt, diff);
  const both = attempt.rejects.length === 0 ? contradiction(tree) : undefined;
  if (both !== undefined) attempt.rejects.push({ kind: 'not-a-file', path: both });
  return attempt;
}

/** One diff: old sides are read from the tree before it, then all new sides are put into the tree. */
async function tryDiff(attempt: PatchAttempt, files: readonly FilePatch[]): Promise<void> {
  const { tree, rejects } = attempt;
  const vacated = new Set(files.flatMap((file) => (isVacating(file) ? [file.oldPath] : [])));
  const diff: Diff = { ...attempt, written: new Map(), vacated, after: withoutVacated(tree, vacated), directories: [] };
  for (const file of files) await tryFile(diff, file);
  for (const path of vacated) if (!diff.written.has(path)) tree.changes.set(path, { kind: 'missing' });
  for (const [path, node] of diff.written) tree.changes.set(path, node);
  for (const path of diff.directories) {
    if (!(await isEmptied(tree, path))) rejects.push({ kind: 'not-a-file', path });
  }
}

interface Diff extends PatchAttempt {
  readonly written: Map<string, FileNode | LinkNode>;
  /** Names that the diff removes or renames, whether it has come to that or not. */
  readonly vacated: ReadonlySet<string>;
  /** The tree in which new names must be free. */
  readonly after: TreeView;
  /** Directories that become files. */
  readonly directories: string[];
}

function isVacating({ kind }: FilePatch): boolean {
  return kind === 'delete' || kind === 'rename';
}

function withoutVacated({ directory, changes }: PatchedTree, vacated: ReadonlySet<string>): TreeView {
  const missing: ChangedNode = { kind: 'missing' };
  return { directory, changes: { get: (path) => (vacated.has(path) ? missing : changes.get(path)) } };
}

async function tryFile(diff: Diff, file: FilePatch): Promise<void> {
  const { rejects, written } = diff;
  const { kind, oldPath, newPath } = file;
  const older = await oldSide(diff, file);
  const newer = kind === 'modify' || kind === 'delete' ? older : (written.get(newPath) ?? (await newSide(diff, file)));
  const obstacle = obstacleTo(file, older, newer);
  if (obstacle !== undefined) {
    rejects.push(obstacle);
    return;
  }
  if (kind !== 'delete' && newer.kind === 'directory') diff.directories.push(newPath);
  const lines = textLines(contentOf(kind === 'create' ? newer : older));
  applyHunks(diff, file, lines);
  if (kind === 'delete') {
    written.delete(oldPath);
    if (lines.length > 0 && rejects.every(({ path }) => path !== oldPath)) {
      rejects.push({ kind: 'rest', path: oldPath, line: lines[0]! });
    }
    return;
  }
  const node = resultOf(file, older, lines.join(''));
  if (node.kind === 'link' && !isLinkInside(node)) {
    rejects.push({ kind: 'link-outside', path: newPath, target: node.target });
    return;
  }
  if (kind === 'rename' && older === written.get(oldPath)) written.delete(oldPath);
  written.set(newPath, node);
}

/** A rename and a copy mean the file before the diff; where there was none, the one that the diff has made. */
async function oldSide({ tree, written, after }: Diff, { kind, oldPath }: FilePatch): Promise<TreeNode> {
  if (kind === 'create') return written.get(oldPath) ?? (await readNode(after, oldPath));
  const isMove = kind === 'rename' || kind === 'copy';
  const own = written.get(oldPath);
  if (own !== undefined && !isMove) return own;
  const before = await readNode(tree, oldPath);
  return own !== undefined && before.kind === 'missing' ? own : before;
}

function newSide({ after }: Diff, { newPath }: FilePatch): Promise<TreeNode> {
  return readNode(after, newPath);
}

function contentOf(node: TreeNode): string {
  if (node.kind === 'link') return node.target;
  return node.kind === 'file' ? node.content : '';
}

function resultOf(
  { kind, newPath, executable, isLink }: FilePatch,
  older: TreeNode,
  text: string,
): FileNode | LinkNode {
  const staysLink = isLink === true || (kind !== 'create' && older.kind === 'link');
  if (staysLink) return { kind: 'link', at: newPath, target: text };
  const before = older.kind === 'file' && older.executable;
  return { kind: 'file', content: text, executable: executable ?? before };
}

/** What is in the way of a change, whatever its hunks say. */
function obstacleTo(file: FilePatch, older: TreeNode, newer: TreeNode): Reject | undefined {
  const { kind, oldPath, newPath } = file;
  const isCreation = kind === 'create';
  const old = isCreation ? undefined : obstacleAt(file, oldPath, older);
  if (old !== undefined) return old;
  if (!isCreation && older.kind === 'missing') return { kind: 'missing', path: oldPath };
  if (kind === 'modify' || kind === 'delete' || newer.kind === 'directory' || newer.kind === 'missing')
    return undefined;
  if (newer.kind === 'behind-link') return { kind: 'link', path: newPath, at: newer.at };
  if (newer.kind === 'link')
    return isCreation && file.isLink !== true
      ? { kind: 'link', path: newPath, at: newer.at }
      : { kind: 'exists', path: newPath };
  if (newer.kind === 'other') return { kind: 'not-a-file', path: newPath };
  return isCreation && newer.content === '' && file.isLink !== true ? undefined : { kind: 'exists', path: newPath };
}

function obstacleAt({ kind, isLink, hunks }: FilePatch, path: string, node: TreeNode): Reject | undefined {
  switch (node.kind) {
    case 'behind-link':
      return { kind: 'link', path, at: node.at };
    case 'link': {
      const isWhole = hunks.length === 0 && (kind === 'rename' || kind === 'copy');
      return isLink === true || isWhole ? undefined : { kind: 'link', path, at: node.at };
    }
    case 'file':
      return isLink === true ? { kind: 'not-a-link', path } : undefined;
    case 'directory':
    case 'other':
      return { kind: 'not-a-file', path };
    case 'missing':
      return undefined;
  }
}

function applyHunks({ rejects, moved, effort }: PatchAttempt, { hunks, oldPath }: FilePatch, lines: string[]): void {
  let shift = 0;
  let from = 0;
  hunks.forEach((hunk, index) => {
    const place = { hunk: index + 1, of: hunks.length, path: oldPath };
    const expected = expectedPlace(hunk) + shift;
    const match = matchHunk(lines, hunk, { expected, from, effort });
    if (match.kind === 'found') {
      replaceLines(lines, hunk, match.at);
      if (match.at !== expected) moved.push(`hunk ${place.hunk} of ${oldPath} by ${match.at - expected} lines`);
      shift += match.at - expected + newLines(hunk).length - oldLines(hunk).length;
      from = match.at + newLines(hunk).length;
      return;
    }
    const there = matchHunk(lines, reverseHunk(hunk, hunk.oldStart), { expected, from, effort });
    if (there.kind === 'found' && newLines(hunk).length > 0) {
      rejects.push({ kind: 'applied', ...place, line: there.at + 1 });
      shift += newLines(hunk).length - oldLines(hunk).length;
    } else if (match.kind === 'ambiguous') {
      rejects.push({ kind: 'ambiguous', ...place, line: expected + 1, lines: match.places.map((at) => at + 1) });
    } else if (match.kind === 'pinned') {
      rejects.push({ kind: 'pinned', ...place, line: match.at + 1, end: match.end });
    } else {
      const found = lines[match.line];
      rejects.push({ kind: 'mismatch', ...place, line: match.line + 1, expected: match.wanted, found });
    }
  });
}
