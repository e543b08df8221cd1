import type { BuilditError } from './errors.ts';
import {
  changesSomething,
  extendedLine,
  type GitHeader,
  gitHeader,
  modesOf,
  movedNames,
  moveOf,
  NO_GIT_HEADER,
} from './git-header.ts';
import type { FilePatch, Hunk } from './patch.ts';
import { type HeaderName, patchedPath, readHeaderName, stripped } from './patch-path.ts';
import { isBinaryChange, otherKindOfDiff, startsCommit } from './patch-prose.ts';
import { patchRefusal, shownName } from './patch-refusal.ts';
import { lineAt, type PatchReader, readHunks, withoutReturn } from './read-hunk.ts';

export const MAXIMUM_PATCH_BYTES = 10 << 20;
const MAXIMUM_FILES = 10_000;
/** PATH_MAX of Linux. */
const MAXIMUM_NAME_BYTES = 4096;

interface Reader extends PatchReader {
  readonly strip: number;
  /** The diff of git that is read, and what it has written so far. */
  diff: number;
  written: Set<string>;
  /** In a normalised patch: how many more files belong to a diff that is marked as one. */
  readonly isNormalised: boolean;
  marked: number;
  /** Only empty lines stand since the names of a file, or since a hunk. */
  isOpen: boolean;
}

/**
 * Reads a unified diff, plain or git's, strictly: one of which a part would be left out (a damaged hunk, a binary patch
 * below a header of git) is refused with code `input-invalid`. All other text around the diffs is skipped; only where it
 * holds no unified diff it is refused, by the kind of diff that it holds.
 */
export function parsePatch(text: string, strip: number, label = 'the patch'): readonly FilePatch[] {
  return readFiles(text, { strip, label, isNormalised: false });
}

/** Reads what `normalisePatch` writes: each file is changed as those before it left it, but in diffs that it marks. */
export function parseNormalisedPatch(text: string, label = 'the patch'): readonly FilePatch[] {
  return readFiles(text, { strip: 0, label, isNormalised: true });
}

/** Stands above the files of a diff of git whose old names mean the files before that diff. */
export function diffMark(files: number): string {
  return `# one diff of ${files} files`;
}

function readFiles(
  text: string,
  options: { readonly strip: number; readonly label: string; readonly isNormalised: boolean },
): readonly FilePatch[] {
  const start = { label: options.label, at: 0 };
  if (text.length > MAXIMUM_PATCH_BYTES) throw patchRefusal(start, `more than ${MAXIMUM_PATCH_BYTES} bytes`);
  const lines = text.endsWith('\n') ? text.slice(0, -1).split('\n') : text.split('\n');
  const fresh = { at: 0, hunks: 0, diff: 0, written: new Set<string>(), marked: 0, isOpen: false };
  const reader: Reader = { lines, ...options, ...fresh };
  const files: FilePatch[] = [];
  while (reader.at < lines.length) {
    const file = readPart(reader);
    if (file === undefined) continue;
    files.push(options.isNormalised ? inMarkedDiff(reader, file) : file);
    if (files.length > MAXIMUM_FILES) throw patchRefusal(reader, `more than ${MAXIMUM_FILES} files`);
  }
  if (files.length > 0) return files;
  const { found, at } = otherKindOfDiff(lines) ?? { found: 'no change', at: 0 };
  throw patchRefusal({ ...start, at }, found, found === 'a binary patch' ? BINARY_HINT : undefined);
}

function inMarkedDiff(reader: Reader, { diff: _, ...file }: FilePatch): FilePatch {
  if (reader.marked === 0) return file;
  reader.marked -= 1;
  return { ...file, diff: reader.diff };
}

const BINARY_HINT = 'put the file below files/ of the recipe, and copy it from "$FILESDIR" in the phase `prepare`';

/** Reads the next file, or one line of text. */
function readPart(reader: Reader): FilePatch | undefined {
  const line = lineAt(reader);
  if (line.startsWith('diff --git ')) return inDiff(reader, gitFilePatch(reader));
  if (isFileHeader(reader)) {
    if (!reader.isNormalised) endDiff(reader);
    return filePatch(reader, NO_GIT_HEADER);
  }
  if (reader.isOpen && line.startsWith('@@ -')) throw patchRefusal(reader, 'a hunk that belongs to no file');
  if (line.trim() !== '') reader.isOpen = isNames(reader);
  if (reader.isNormalised) readMark(reader, line);
  else if (startsCommit(line)) endDiff(reader);
  reader.at += isNames(reader) ? 2 : 1;
  return undefined;
}

function readMark(reader: Reader, line: string): void {
  const count = Number(/^# one diff of (\d{1,5}) files$/.exec(line)?.[1] ?? 0);
  if (count === 0) return;
  endDiff(reader);
  reader.marked = count;
}

function endDiff(reader: Reader): void {
  reader.diff += 1;
  reader.written = new Set();
}

/** A diff writes each name once: where one comes again, another diff has begun. */
function inDiff(reader: Reader, file: FilePatch | undefined): FilePatch | undefined {
  if (file === undefined) return undefined;
  if (reader.isNormalised) return { ...file, diff: reader.diff };
  if (file.kind !== 'delete') {
    if (reader.written.has(file.newPath)) endDiff(reader);
    reader.written.add(file.newPath);
  }
  return { ...file, diff: reader.diff };
}

function gitFilePatch(reader: Reader): FilePatch | undefined {
  const text = lineAt(reader).slice('diff --git '.length);
  const values = new Map<string, string>();
  reader.isOpen = true;
  for (reader.at += 1; reader.at < reader.lines.length; reader.at += 1) {
    const [key, value] = extendedLine(lineAt(reader)) ?? [];
    if (key === undefined) break;
    values.set(key, value!);
  }
  const header = gitHeader(text, reader.strip, values);
  if (isFileHeader(reader) && isOfGitHeader(reader, header)) return filePatch(reader, header);
  if (isBinaryChange(lineAt(reader))) throw patchRefusal(reader, 'a binary patch', BINARY_HINT);
  if (!changesSomething(header)) return undefined;
  const move = moveOf(header);
  if (move !== undefined) return movedFile(reader, header, move, []);
  if (header.names === undefined) throw patchRefusal(reader, 'a header of git whose names are unclear');
  const path = cleanPath(reader, header.names[1], reader.strip);
  return { ...existenceOf(header, false, false), ...pathsOf(path), ...modeFields(reader, header), hunks: [] };
}

/** A header that only changes a mode or a name, or an empty file, may stand right above another file's names. */
function isOfGitHeader(reader: Reader, header: GitHeader): boolean {
  const [older, newer] = [reader.at, reader.at + 1].map((at) => headerName(reader, at));
  const isOne = ({ name, absent }: HeaderName, own: readonly (string | undefined)[]) =>
    absent || own.includes(stripped(name, reader.strip));
  const move = moveOf(header);
  if (move !== undefined) {
    const { from, to, prefix } = movedNames(reader, header, move);
    const own = [from, to].map((name) => stripped(name, Math.max(0, reader.strip - prefix)));
    // What is moved exists on both sides: `/dev/null` begins another file, which is made or removed.
    return !older!.absent && !newer!.absent && isOne(older!, [own[0]]) && isOne(newer!, [own[1]]);
  }
  const { names, values } = header;
  if (names === undefined || ![...values.keys()].some((key) => key.endsWith(' mode'))) return true;
  const own = names.map((name) => stripped(name, reader.strip));
  return isOne(older!, own) && isOne(newer!, own);
}

function filePatch(reader: Reader, header: GitHeader): FilePatch {
  const older = headerName(reader, reader.at);
  const newer = headerName(reader, reader.at + 1);
  reader.at += 2;
  const hunks = readHunks(reader);
  reader.isOpen = true;
  const move = moveOf(header);
  if (move !== undefined) return movedFile(reader, header, move, hunks);
  if (older.absent && newer.absent) throw patchRefusal(reader, 'a change from nothing to nothing');
  const name = newer.absent || newer.name === '/dev/null' ? older.name : newer.name;
  const fromNothing = older.absent || (hunks.length === 1 && hunks[0]!.oldStart === 0 && addsOnly(hunks[0]!));
  return {
    ...existenceOf(header, fromNothing, newer.absent),
    ...pathsOf(cleanPath(reader, name, reader.strip)),
    ...modeFields(reader, header),
    hunks,
  };
}

function addsOnly(hunk: Hunk): boolean {
  return hunk.lines.every(({ kind }) => kind === 'added');
}

function existenceOf({ values }: GitHeader, fromNothing: boolean, toNothing: boolean): Pick<FilePatch, 'kind'> {
  if (values.has('deleted file mode') || toNothing) return { kind: 'delete' };
  return { kind: values.has('new file mode') || fromNothing ? 'create' : 'modify' };
}

function pathsOf(path: string): Pick<FilePatch, 'oldPath' | 'newPath'> {
  return { oldPath: path, newPath: path };
}

function modeFields(reader: Reader, header: GitHeader): Pick<FilePatch, 'executable' | 'isLink'> {
  const { isLink, executable } = modesOf(reader, header);
  return isLink ? { executable, isLink } : { executable };
}

function movedFile(reader: Reader, header: GitHeader, kind: 'rename' | 'copy', hunks: readonly Hunk[]): FilePatch {
  const { from, to, prefix } = movedNames(reader, header, kind);
  const strip = Math.max(0, reader.strip - prefix);
  const [oldPath, newPath] = [cleanPath(reader, from, strip), cleanPath(reader, to, strip)];
  return { kind, oldPath, newPath, ...modeFields(reader, header), hunks };
}

function cleanPath(reader: Reader, name: string, strip: number): string {
  if (name.length > MAXIMUM_NAME_BYTES) throw patchRefusal(reader, `a name of more than ${MAXIMUM_NAME_BYTES} bytes`);
  const rest = stripped(name, strip);
  if (rest === undefined) throw shortName(reader, name, strip);
  const path = patchedPath(rest);
  if (path !== undefined) return path;
  throw patchRefusal(reader, `the name "${shownName(rest)}", which is not a path inside the source`);
}

function headerName(reader: Reader, at: number): HeaderName {
  const name = readHeaderName(withoutReturn(reader.lines[at]!).slice(4));
  if (name === undefined) throw patchRefusal({ ...reader, at }, 'a name with an open quote');
  return name;
}

/** `--- old` with `+++ new` and a hunk below it. */
function isFileHeader(reader: Reader): boolean {
  return isNames(reader) && reader.lines[reader.at + 2]?.startsWith('@@ -') === true;
}

function isNames({ lines, at }: Reader): boolean {
  return lines[at]?.startsWith('--- ') === true && lines[at + 1]?.startsWith('+++ ') === true;
}

function shortName(reader: Reader, name: string, strip: number): BuilditError {
  const fewer = (name.match(/\/+/g) ?? []).length;
  const asked = fewer + reader.strip - strip;
  const elements = strip === 1 ? '1 element' : `${strip} elements`;
  return patchRefusal(
    reader,
    `the name "${shownName(name)}", from which ${elements} cannot be stripped`,
    `where "${shownName(stripped(name, fewer)!)}" is its path in the source, \`--strip=${asked}\` takes it, or "strip: ${asked}" in pkg.yaml`,
  );
}
