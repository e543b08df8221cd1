import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { patchedPath } from '../model/patch-path.ts';
import { textLines } from '../model/text-lines.ts';
import { applyHunkAt, locateHunk, patchedText } from './locate-hunk.ts';
import { MAXIMUM_COMPARISONS, matchHunk } from './match-hunk.ts';
import { laboriousError, type Reject, rejectedError } from './patch-rejects.ts';
import { type FileNode, type LinkNode, type PatchedTree, readNode, writeChanges } from './patched-tree.ts';
import { type LooseSection, readLoosePatch } from './read-loose-patch.ts';

export interface LooseOptions {
  readonly shell?: string | undefined;
  /** Time of every file written, in seconds. */
  readonly time?: number | undefined;
  /** A directory of the tree that gets every patched file as it was before, for quilt(1). */
  readonly backups?: string | undefined;
  /** Files that a patch leaves empty are removed (`patch -E`). */
  readonly removesEmpty: boolean;
}

/**
 * Applies a patch (latin1, as it is in the source package) with the result of dpkg-source(1), which calls
 * `patch -t -F 0 -N -p1 -u -V never`: in memory first, then as a whole or not at all. No link is followed or changed.
 * Throws `input-invalid` or `patch-rejected` where dpkg-source fails.
 */
export async function applyLoosePatch(
  directory: string,
  { label, text }: { readonly label: string; readonly text: string },
  options: LooseOptions,
): Promise<void> {
  const patching: Patching = {
    label,
    tree: { directory, changes: new Map() },
    queue: new Map(),
    effort: { comparisons: MAXIMUM_COMPARISONS },
    removesEmpty: options.removesEmpty,
    isGit: false,
  };
  for (const section of readLoosePatch(text, label)) {
    const reject = await applySection(patching, section);
    if (patching.effort.comparisons <= 0) throw laboriousError(label);
    if (reject !== undefined) throw rejectedError(label, [reject], options.shell);
  }
  flush(patching);
  await writeChanges(patching.tree, options.time, options.backups);
}

interface Patching {
  readonly label: string;
  readonly tree: PatchedTree;
  /** What diffs of git write: others in the same run still see the files as they were before it. */
  readonly queue: Map<string, FileNode | LinkNode>;
  readonly effort: { comparisons: number };
  readonly removesEmpty: boolean;
  isGit: boolean;
}

const LINK_TYPE = 0o120000;
const FILE_TYPE = 0o100000;
const TYPE_BITS = 0o170000;

async function applySection(patching: Patching, section: LooseSection): Promise<Reject | undefined> {
  if (patching.isGit !== section.isGit) flush(patching);
  patching.isGit = section.isGit;
  const names = namesOf(patching, section);
  const chosen = await chooseFile(patching, section, names);
  if ('kind' in chosen) return chosen;
  const { inName, isThere } = chosen;
  const outName = section.move === undefined ? inName : names.newer!;
  const isTakenBefore = patching.queue.has(outName);
  if (isTakenBefore) flush(patching, outName);
  const found = await readNode(patching.tree, inName);
  const type = typeOf(section);
  if (type === undefined || (type !== FILE_TYPE && type !== LINK_TYPE)) return { kind: 'not-a-file', path: inName };
  if (found.kind === 'link' || found.kind === 'behind-link') return { kind: 'link', path: inName, at: found.at };
  if (found.kind === 'other' || found.kind === 'directory' || (isThere && type === LINK_TYPE))
    return { kind: 'not-a-file', path: inName };
  const before: FileNode = found.kind === 'file' ? found : { kind: 'file', content: '', executable: false };
  const result = applyHunks(patching, section, inName, before.content);
  if ('kind' in result) return result;
  return putResult(patching, section, { inName, outName, isThere, before, content: result.content, type });
}

interface Outcome {
  readonly inName: string;
  readonly outName: string;
  readonly isThere: boolean;
  readonly before: FileNode;
  readonly content: string;
  readonly type: number;
}

function putResult(
  patching: Patching,
  { oldAbsent, newAbsent, oldMode, newMode, isGit, move }: LooseSection,
  { inName, outName, isThere, before, content, type }: Outcome,
): Reject | undefined {
  const { tree, queue, removesEmpty } = patching;
  if (content === '' && (removesEmpty || newAbsent === 2 || type === LINK_TYPE)) {
    tree.changes.set(outName, { kind: 'missing' });
    return undefined;
  }
  if (newAbsent === 2) return { kind: 'rest', path: outName, line: textLines(content)[0]! };
  const setsMode = newMode !== 0 && newMode !== oldMode;
  const executable = setsMode ? (newMode & 0o111) !== 0 : before.executable;
  const node: FileNode | LinkNode =
    type === LINK_TYPE ? { kind: 'link', at: outName, target: content } : { kind: 'file', content, executable };
  if (isGit && oldAbsent !== 2) queue.set(outName, node);
  else tree.changes.set(outName, node);
  if (move === 'rename' && inName !== outName && isThere) tree.changes.set(inName, { kind: 'missing' });
  return undefined;
}

/** Undefined where the two sides are of different types. */
function typeOf({ oldMode, newMode }: LooseSection): number | undefined {
  const [older, newer] = [oldMode & TYPE_BITS, newMode & TYPE_BITS];
  if (older !== 0 && newer !== 0 && older !== newer) return undefined;
  return older || newer || FILE_TYPE;
}

/** Brings queued files into the tree, up to and including one of them. */
function flush({ tree, queue }: Patching, last?: string): void {
  for (const [path, node] of [...queue]) {
    tree.changes.set(path, node);
    queue.delete(path);
    if (path === last) return;
  }
}

interface Names {
  readonly older: string | undefined;
  readonly newer: string | undefined;
}

function namesOf({ label }: Patching, { line, oldName, newName }: LooseSection): Names {
  const [older, newer] = [oldName, newName].map((name) => {
    const path = name === undefined ? undefined : patchedPath(name);
    if (name === undefined || path !== undefined) return path;
    throw new BuilditError(
      'input-invalid',
      `Cannot read patch "${printable(label)}": expected paths inside the source, found the name "${printable(name.slice(0, 200))}" (line ${line})`,
    );
  });
  return { older, newer };
}

/** The file that a section is about, as POSIX and patch(1) choose it, or why there is none. */
async function chooseFile(
  { tree }: Patching,
  { oldAbsent, newAbsent, move }: LooseSection,
  { older, newer }: Names,
): Promise<{ readonly inName: string; readonly isThere: boolean } | Reject> {
  const names = [...new Set([older, newer].filter((name) => name !== undefined))];
  const there: { readonly name: string; readonly isEmpty: boolean }[] = [];
  for (const name of names) {
    const node = await readNode(tree, name);
    if (node.kind === 'link' || node.kind === 'behind-link') return { kind: 'link', path: name, at: node.at };
    if (node.kind === 'other' || node.kind === 'directory') return { kind: 'not-a-file', path: name };
    if (node.kind === 'file') there.push({ name, isEmpty: node.content === '' });
  }
  const path = names[0]!;
  if (move !== undefined && (older === undefined || newer === undefined)) return { kind: 'missing', path };
  const best = bestName(there.map(({ name }) => name));
  const isEmpty = there.find(({ name }) => name === best)?.isEmpty ?? true;
  if (looksReversed(best !== undefined, isEmpty, oldAbsent, newAbsent)) {
    return { kind: best === undefined || isEmpty ? 'missing' : 'exists', path: best ?? path };
  }
  if (best !== undefined) return { inName: best, isThere: true };
  const created = bestName(names);
  return oldAbsent > 0 && created !== undefined ? { inName: created, isThere: false } : { kind: 'missing', path };
}

/** Whether a patch would create what is there, or remove what is not: patch(1) takes it for one that is applied already. */
function looksReversed(isThere: boolean, isEmpty: boolean, oldAbsent: number, newAbsent: number): boolean {
  if (!isEmpty) return oldAbsent === 2;
  const [own, other] = isThere ? [oldAbsent, newAbsent] : [newAbsent, oldAbsent];
  return newAbsent > 0 && !(own === 1 && other === 2);
}

/** With the fewest directories, then the shortest last element, then the shortest, then the first. */
function bestName(names: readonly string[]): string | undefined {
  const key = (name: string) => [name.split('/').length, name.length - name.lastIndexOf('/'), name.length];
  return names.toSorted((a, b) => {
    const [left, right] = [key(a), key(b)];
    const at = left.findIndex((value, index) => value !== right[index]);
    return at < 0 ? 0 : left[at]! - right[at]!;
  })[0];
}

function applyHunks(
  { effort }: Patching,
  { hunks, oldAbsent }: LooseSection,
  path: string,
  content: string,
): { readonly content: string } | Reject {
  const old = textLines(content);
  const patched = { old, lines: [], done: 0 };
  let offset = 0;
  for (const [index, hunk] of hunks.entries()) {
    const at = locateHunk(old, hunk, { done: patched.done, offset }, effort);
    const isMisplaced = at === 1 && oldAbsent === 2 && content !== '';
    if (at === undefined || isMisplaced || !applyHunkAt(patched, hunk, at)) {
      return mismatch({ hunk: index + 1, of: hunks.length, path }, old, hunk, offset);
    }
    offset = at - (hunk.oldStart + (hunk.lines.every(({ kind }) => kind === 'added') ? 1 : 0));
  }
  return { content: patchedText(patched) };
}

function mismatch(
  place: { readonly hunk: number; readonly of: number; readonly path: string },
  old: readonly string[],
  hunk: LooseSection['hunks'][number],
  offset: number,
): Reject {
  const expected = Math.max(0, hunk.oldStart - 1 + offset);
  const effort = { comparisons: MAXIMUM_COMPARISONS };
  const match = matchHunk(old, hunk, { expected, from: 0, effort });
  if (match.kind === 'none') {
    const { line, wanted } = match;
    return { kind: 'mismatch', ...place, line: line + 1, expected: wanted, found: old[line] };
  }
  if (match.kind === 'pinned') return { kind: 'pinned', ...place, line: match.at + 1, end: match.end };
  return { kind: 'mismatch', ...place, line: expected + 1, expected: hunk.lines[0]?.text, found: old[expected] };
}
