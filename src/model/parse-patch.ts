import { BuilditError } from './errors.ts';
import { printable } from './names.ts';
import type { FilePatch, Hunk, HunkLine } from './patch.ts';
import { type HeaderName, patchedPath, readGitNames, readHeaderName, readQuoted, stripped } from './patch-path.ts';

export const MAXIMUM_PATCH_BYTES = 10 << 20;
const MAXIMUM_FILES = 10_000;
const MAXIMUM_HUNKS = 100_000;

/** What git says above a file's hunks. */
interface GitHeader {
  readonly names: [string, string] | undefined;
  readonly values: ReadonlyMap<string, string>;
}

interface Reader {
  readonly lines: readonly string[];
  readonly strip: number;
  readonly label: string;
  at: number;
  hunks: number;
}

/**
 * Reads a unified diff, plain or git's, strictly: a text (latin1) that is not one, or of which a part would be left out
 * (binary patches, context diffs, ed scripts), is refused with code `input-invalid`. Text around the diffs is skipped.
 */
export function parsePatch(text: string, strip: number, label = 'the patch'): readonly FilePatch[] {
  if (text.length > MAXIMUM_PATCH_BYTES) throw refusal({ label, at: 0 }, `more than ${MAXIMUM_PATCH_BYTES} bytes`);
  const lines = text.endsWith('\n') ? text.slice(0, -1).split('\n') : text.split('\n');
  const reader: Reader = { lines, strip, label, at: 0, hunks: 0 };
  const files: FilePatch[] = [];
  for (;;) {
    const file = readFilePatch(reader);
    if (file === undefined) break;
    files.push(file);
    if (files.length > MAXIMUM_FILES) throw refusal(reader, `more than ${MAXIMUM_FILES} files`);
  }
  if (files.length === 0) throw refusal({ ...reader, at: 0 }, 'no change');
  return files;
}

function readFilePatch(reader: Reader): FilePatch | undefined {
  for (; reader.at < reader.lines.length; reader.at += 1) {
    const line = lineAt(reader);
    if (line.startsWith('diff --git ')) return gitFilePatch(reader, readGitHeader(reader));
    if (isFileHeader(reader)) return filePatch(reader, { names: undefined, values: new Map() });
    refuseOtherKinds(reader, line);
  }
  return undefined;
}

function readGitHeader(reader: Reader): GitHeader {
  const names = readGitNames(lineAt(reader).slice('diff --git '.length), reader.strip);
  const values = new Map<string, string>();
  for (reader.at += 1; reader.at < reader.lines.length; reader.at += 1) {
    const [, key, value] =
      /^(old mode|new mode|new file mode|deleted file mode|rename from|rename to|copy from|copy to|index|similarity index|dissimilarity index) (.*)$/.exec(
        lineAt(reader),
      ) ?? [];
    if (key === undefined) break;
    values.set(key, value!);
  }
  return { names, values };
}

function gitFilePatch(reader: Reader, header: GitHeader): FilePatch {
  if (isFileHeader(reader) && isOfGitHeader(reader, header)) return filePatch(reader, header);
  refuseOtherKinds(reader, lineAt(reader));
  const changes = [...header.values.keys()].some((key) => / mode$|^rename|^copy/.test(key));
  if (!changes) throw refusal(reader, 'a header of git without a change');
  if (header.values.has('rename from') || header.values.has('copy from')) return movedFile(reader, header, []);
  if (header.names === undefined) throw refusal(reader, 'a header of git whose names are unclear');
  const path = cleanPath(reader, header.names[1], reader.strip);
  return { ...existenceOf(header, false, false), ...pathsOf(path), executable: modeOf(reader, header), hunks: [] };
}

/** A header that only changes a mode, or an empty file, may stand right above another file's names. */
function isOfGitHeader(reader: Reader, { names, values }: GitHeader): boolean {
  if (names === undefined || ![...values.keys()].some((key) => key.endsWith(' mode'))) return true;
  const own = names.map((name) => stripped(name, reader.strip));
  const below = [reader.at, reader.at + 1].map((at) => headerName(reader, at));
  return below.every(({ name, absent }) => absent || own.includes(stripped(name, reader.strip)));
}

function filePatch(reader: Reader, header: GitHeader): FilePatch {
  const older = headerName(reader, reader.at);
  const newer = headerName(reader, reader.at + 1);
  reader.at += 2;
  const hunks = readHunks(reader);
  if (header.values.has('rename from') || header.values.has('copy from')) return movedFile(reader, header, hunks);
  if (older.absent && newer.absent) throw refusal(reader, 'a change from nothing to nothing');
  const name = newer.absent || newer.name === '/dev/null' ? older.name : newer.name;
  const executable = modeOf(reader, header);
  const fromNothing = older.absent || (hunks.length === 1 && hunks[0]!.oldStart === 0 && addsOnly(hunks[0]!));
  if (hunks.length === 0) throw refusal(reader, 'a file without a hunk');
  return {
    ...existenceOf(header, fromNothing, newer.absent),
    ...pathsOf(cleanPath(reader, name, reader.strip)),
    executable,
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

/** Names behind `rename` and `copy` lack the prefix `a/`: git strips one element less of them. */
function movedFile(reader: Reader, header: GitHeader, hunks: readonly Hunk[]): FilePatch {
  const kind = header.values.has('rename from') ? 'rename' : 'copy';
  const names = [header.values.get(`${kind} from`), header.values.get(`${kind} to`)];
  const [oldPath, newPath] = names.map((name) => {
    if (name === undefined) throw refusal(reader, `a ${kind} without both names`);
    const bare = name.startsWith('"') ? (readQuoted(name)?.name ?? '') : name;
    return cleanPath(reader, bare, Math.max(0, reader.strip - 1));
  });
  return { kind, oldPath: oldPath!, newPath: newPath!, executable: modeOf(reader, header), hunks };
}

function modeOf(reader: Reader, { values }: GitHeader): boolean | undefined {
  const modes = ['old mode', 'new mode', 'deleted file mode', 'new file mode'].map((key) => values.get(key));
  const odd = modes.find((mode) => mode !== undefined && !/^100(644|755)$/.test(mode));
  if (odd !== undefined) {
    throw refusal(reader, odd === '120000' ? 'a symbolic link' : `a file of mode ${printable(odd)}`);
  }
  const mode = values.get('new mode') ?? values.get('new file mode');
  return mode === undefined ? undefined : mode === '100755';
}

function cleanPath(reader: Reader, name: string, strip: number): string {
  const rest = stripped(name, strip);
  if (rest === undefined) {
    throw shortName(reader, name, strip);
  }
  const path = patchedPath(rest);
  if (path === undefined) throw refusal(reader, `the name "${printable(rest)}", which is not a path inside the source`);
  return path;
}

function headerName(reader: Reader, at: number): HeaderName {
  const name = readHeaderName(withoutReturn(reader.lines[at]!).slice(4));
  if (name === undefined) throw refusal({ ...reader, at }, 'a name with an open quote');
  return name;
}

/** `--- old` with `+++ new` below it. */
function isFileHeader(reader: Reader): boolean {
  return lineAt(reader).startsWith('--- ') && reader.lines[reader.at + 1]?.startsWith('+++ ') === true;
}

function readHunks(reader: Reader): Hunk[] {
  const hunks: Hunk[] = [];
  while (lineAt(reader).startsWith('@@ ')) {
    hunks.push(readHunk(reader));
    reader.hunks += 1;
    if (reader.hunks > MAXIMUM_HUNKS) throw refusal(reader, `more than ${MAXIMUM_HUNKS} hunks`);
  }
  const next = lineAt(reader);
  if (/^[+ ]/.test(next) || (next.startsWith('-') && !/^(-- ?$|--- )/.test(next))) {
    throw refusal(reader, 'a hunk with more lines than its header says');
  }
  return hunks;
}

function readHunk(reader: Reader): Hunk {
  const header = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/.exec(lineAt(reader));
  if (header === null) throw refusal(reader, 'a damaged hunk header');
  let oldLeft = Number(header[2] ?? 1);
  let newLeft = Number(header[4] ?? 1);
  const lines: HunkLine[] = [];
  reader.at += 1;
  while (oldLeft > 0 || newLeft > 0 || reader.lines[reader.at]?.startsWith('\\ ')) {
    const raw = reader.lines[reader.at];
    if (raw === undefined) throw refusal(reader, 'the end in the middle of a hunk');
    reader.at += 1;
    if (raw.startsWith('\\ ')) {
      dropLineEnd(reader, lines);
      continue;
    }
    const line = hunkLine(reader, raw);
    if (line.kind !== 'added') oldLeft -= 1;
    if (line.kind !== 'removed') newLeft -= 1;
    if (oldLeft < 0 || newLeft < 0) throw refusal({ ...reader, at: reader.at - 1 }, 'other lines than the hunk counts');
    lines.push(line);
  }
  if (lines.length === 0) throw refusal(reader, 'an empty hunk');
  return { oldStart: Number(header[1]), lines };
}

/** An empty line stands for an empty context line: editors and mailers remove the space. */
function hunkLine(reader: Reader, raw: string): HunkLine {
  const kind = ({ '': 'context', ' ': 'context', '-': 'removed', '+': 'added' } as const)[raw.slice(0, 1)];
  if (kind === undefined && raw !== '\r') {
    throw refusal({ ...reader, at: reader.at - 1 }, 'a line in a hunk that is no part of one');
  }
  return { kind: kind ?? 'context', text: `${raw === '\r' ? raw : raw.slice(1)}\n` };
}

/** `\ No newline at end of file` speaks of the line before it. */
function dropLineEnd(reader: Reader, lines: HunkLine[]): void {
  const last = lines.pop();
  if (last === undefined || !last.text.endsWith('\n')) throw refusal(reader, 'a missing line end of no line');
  lines.push({ kind: last.kind, text: last.text.slice(0, -1) });
}

function refuseOtherKinds(reader: Reader, line: string): void {
  const kind =
    /^GIT binary patch/.test(line) || /^Binary files .* differ$/.test(line)
      ? 'a binary patch'
      : /^\*\*\* \d+(,\d+)? \*\*\*\*$/.test(line)
        ? 'a context diff'
        : /^\d+(,\d+)?[acd]$/.test(line)
          ? 'an ed script'
          : /^\d+(,\d+)?[acd]\d+(,\d+)?$/.test(line) && /^[<>] /.test(reader.lines[reader.at + 1] ?? '')
            ? 'a diff without context'
            : undefined;
  if (kind !== undefined) throw refusal(reader, kind);
}

function lineAt(reader: Reader): string {
  return withoutReturn(reader.lines[reader.at] ?? '');
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function shortName(reader: Reader, name: string, strip: number): BuilditError {
  const fewer = (name.match(/\/+/g) ?? []).length;
  const asked = fewer + reader.strip - strip;
  const elements = strip === 1 ? '1 element' : `${strip} elements`;
  return refusal(
    reader,
    `the name "${printable(name)}", from which ${elements} cannot be stripped`,
    `where "${printable(stripped(name, fewer)!)}" is its path in the source, \`--strip=${asked}\` takes it, or "strip: ${asked}" in pkg.yaml`,
  );
}

function refusal(
  { label, at }: Pick<Reader, 'label' | 'at'>,
  found: string,
  hint = 'make it with `diff -u`, `git diff` or `git format-patch`',
): BuilditError {
  return new BuilditError(
    'input-invalid',
    `Cannot read patch "${printable(label)}": expected a unified diff, found ${found} (line ${at + 1})`,
    { hint },
  );
}
