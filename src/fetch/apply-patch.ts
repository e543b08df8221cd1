import type { BuilditError } from '../model/errors.ts';
import { parsePatch } from '../model/parse-patch.ts';
import { type FilePatch, type Hunk, newLines, oldLines } from '../model/patch.ts';
import {
  type Effort,
  expectedPlace,
  type HunkMatch,
  MAXIMUM_COMPARISONS,
  matchHunk,
  replaceLines,
  reverseHunk,
} from './match-hunk.ts';
import { alreadyAppliedError, laboriousError, type Reject, rejectedError } from './patch-rejects.ts';
import { type PatchedTree, readNode, type TreeNode, writeChanges } from './patched-tree.ts';

export interface PatchToApply {
  /** Names the patch in messages: `pkgs/nginx/patches/port-crypt.patch`. */
  readonly label: string;
  /** Normalised (see `normalisePatch`), latin1. */
  readonly text: string;
}

export interface ApplyOptions {
  /** What `buildit shell` is given to open the tree: `pkgs/nginx`. */
  readonly shell?: string | undefined;
  /** Time of every file written, in seconds; the current time by default. */
  readonly time?: number | undefined;
  /** Of several places where a hunk fits the nearest is taken, as patch(1) does; else that is a reject. */
  readonly nearest?: boolean | undefined;
  /** A directory of the tree that gets every changed file as it was before, for quilt(1). */
  readonly backups?: string | undefined;
  /** Told when a hunk lies elsewhere than its patch says. */
  readonly onNotice?: ((text: string) => void) | undefined;
}

/**
 * Applies patches to a source tree in order, each as a whole or not at all, byte for byte (fuzz 0); a hunk may have
 * moved when its lines are found exactly once. Nothing outside the tree is touched and no symbolic link followed.
 * Throws `patch-rejected` with every hunk that does not fit.
 */
export async function applyPatches(
  directory: string,
  patches: readonly PatchToApply[],
  options: ApplyOptions = {},
): Promise<void> {
  for (const patch of patches) await applyPatch(directory, patch, options);
}

async function applyPatch(directory: string, patch: PatchToApply, options: ApplyOptions): Promise<void> {
  const { moved, error } = await attemptPatch(directory, patch, options);
  if (error !== undefined) throw error;
  if (moved.length > 0) options.onNotice?.(`"${patch.label}" fits elsewhere than it says: ${moved.join(', ')}`);
}

/** How one patch fared with a tree. */
export interface PatchOutcome {
  readonly files: readonly FilePatch[];
  /** Hunks that lie elsewhere than the patch says: `hunk 1 of src/x.c by 3 lines`. */
  readonly moved: readonly string[];
  /** What does not fit, where that can be told by hunk. */
  readonly rejects: readonly Reject[];
  /** Every change is in the tree already. */
  readonly isApplied: boolean;
  /** What keeps it from being applied; undefined: it was. */
  readonly error: BuilditError | undefined;
}

/** Applies a patch as a whole, or tells what is in its way and changes nothing. */
export async function attemptPatch(
  directory: string,
  { label, text }: PatchToApply,
  options: Pick<ApplyOptions, 'shell' | 'time' | 'nearest' | 'backups'> = {},
): Promise<PatchOutcome> {
  const files = parsePatch(text, 0, label);
  const { tree, rejects, moved, effort } = await tryPatch(directory, files, options.nearest);
  const outcome = { files, moved, rejects, isApplied: false };
  if (effort.comparisons <= 0) return { ...outcome, error: laboriousError(label) };
  if (rejects.length > 0) {
    const backwards = await tryPatch(directory, reversed(files));
    const paths = [...new Set(files.map(({ newPath }) => newPath))];
    const isApplied = backwards.rejects.length === 0;
    const error = isApplied ? alreadyAppliedError(label, paths) : rejectedError(label, rejects, options.shell);
    return { ...outcome, isApplied, error };
  }
  await writeChanges(tree, options.time, options.backups);
  return { ...outcome, error: undefined };
}

interface Attempt {
  readonly tree: PatchedTree;
  readonly rejects: Reject[];
  readonly moved: string[];
  readonly effort: Effort;
  readonly nearest: boolean;
}

/** Works out what a patch changes, without changing anything. */
async function tryPatch(directory: string, files: readonly FilePatch[], nearest = false): Promise<Attempt> {
  const effort = { comparisons: MAXIMUM_COMPARISONS };
  const attempt: Attempt = { tree: { directory, changes: new Map() }, rejects: [], moved: [], effort, nearest };
  for (const file of files) await tryFile(attempt, file);
  return attempt;
}

async function tryFile(attempt: Attempt, file: FilePatch): Promise<void> {
  const { tree, rejects } = attempt;
  const { kind, oldPath, newPath } = file;
  const older = await readNode(tree, oldPath);
  const newer = oldPath === newPath ? older : await readNode(tree, newPath);
  const obstacle = obstacleTo(file, older, newer);
  if (obstacle !== undefined) {
    rejects.push(obstacle);
    return;
  }
  const before = older.kind === 'file' ? older : { content: '', executable: false };
  const lines = splitLines(before.content);
  applyHunks(attempt, file, lines);
  if (kind === 'delete' && lines.length > 0 && rejects.every(({ path }) => path !== oldPath)) {
    rejects.push({ kind: 'rest', path: oldPath, line: lines[0]! });
  }
  if (kind === 'delete' || kind === 'rename') tree.changes.set(oldPath, { kind: 'missing' });
  if (kind === 'delete') return;
  tree.changes.set(newPath, {
    kind: 'file',
    content: lines.join(''),
    executable: file.executable ?? before.executable,
  });
}

/** What is in the way of a change, whatever its hunks say. */
function obstacleTo({ kind, oldPath, newPath }: FilePatch, older: TreeNode, newer: TreeNode): Reject | undefined {
  for (const [path, node] of [[oldPath, older] as const, [newPath, newer] as const]) {
    if (node.kind === 'link') return { kind: 'link', path, at: node.at };
    if (node.kind === 'other') return { kind: 'not-a-file', path };
  }
  if (kind === 'create') {
    const taken = older.kind === 'file' && older.content !== '';
    return taken ? { kind: 'exists', path: newPath } : undefined;
  }
  if (older.kind === 'missing') return { kind: 'missing', path: oldPath };
  return oldPath !== newPath && newer.kind === 'file' ? { kind: 'exists', path: newPath } : undefined;
}

function applyHunks(
  { rejects, moved, effort, nearest }: Attempt,
  { hunks, oldPath }: FilePatch,
  lines: string[],
): void {
  let shift = 0;
  let from = 0;
  hunks.forEach((hunk, index) => {
    const place = { hunk: index + 1, of: hunks.length, path: oldPath };
    const expected = expectedPlace(hunk) + shift;
    const found = matchHunk(lines, hunk, { expected, from, effort });
    const match = nearest && found.kind === 'ambiguous' ? nearestOf(found.places, expected) : found;
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

function nearestOf(places: readonly number[], expected: number): HunkMatch {
  const [at] = places.toSorted((a, b) => Math.abs(a - expected) - Math.abs(b - expected));
  return { kind: 'found', at: at! };
}

/** Lines with their ends; the last one may lack it. */
function splitLines(content: string): string[] {
  return content.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** The patch that takes this one back. Executable bits are left alone: they do not tell what was applied. */
function reversed(files: readonly FilePatch[]): FilePatch[] {
  const kinds = { modify: 'modify', create: 'delete', delete: 'create', rename: 'rename', copy: 'delete' } as const;
  return files.toReversed().map(({ kind, oldPath, newPath, hunks }) => ({
    kind: kinds[kind],
    oldPath: newPath,
    newPath: kind === 'copy' ? newPath : oldPath,
    executable: undefined,
    hunks: reversedHunks(hunks),
  }));
}

function reversedHunks(hunks: readonly Hunk[]): Hunk[] {
  let shift = 0;
  return hunks.map((hunk) => {
    const added = newLines(hunk).length;
    const removed = oldLines(hunk).length;
    const start = hunk.oldStart + shift + (removed === 0 ? 1 : 0) - (added === 0 ? 1 : 0);
    shift += added - removed;
    return reverseHunk(hunk, Math.max(0, start));
  });
}
