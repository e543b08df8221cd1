import type { Hunk, HunkLine } from './patch.ts';
import { patchRefusal } from './patch-refusal.ts';

const MAXIMUM_HUNKS = 100_000;

export interface PatchReader {
  readonly lines: readonly string[];
  readonly label: string;
  /** The line to read, from 0. */
  at: number;
  /** Hunks read so far. */
  hunks: number;
}

/** Reads the hunks of one file, strictly: each has the lines that it counts, and no line of a hunk stands below the last. */
export function readHunks(reader: PatchReader): Hunk[] {
  const hunks: Hunk[] = [];
  while (lineAt(reader).startsWith('@@ ')) {
    hunks.push(readHunk(reader));
    reader.hunks += 1;
    if (reader.hunks > MAXIMUM_HUNKS) throw patchRefusal(reader, `more than ${MAXIMUM_HUNKS} hunks`);
  }
  if (isLineOfHunk(lineAt(reader))) throw patchRefusal(reader, 'a hunk with more lines than its header says');
  return hunks;
}

/** The line without the carriage return of a mail; empty behind the end. */
export function lineAt(reader: Pick<PatchReader, 'lines' | 'at'>): string {
  return withoutReturn(reader.lines[reader.at] ?? '');
}

export function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** Blanks and rules, such as the `-- ` above a signature, are none. */
function isLineOfHunk(line: string): boolean {
  if (line.startsWith('+')) return true;
  if (line.startsWith(' ')) return line.trim() !== '';
  return line.startsWith('-') && !line.startsWith('--- ') && !line.startsWith('-----') && !isRule(line);
}

function isRule(line: string): boolean {
  const rule = line.trimEnd();
  return rule === '--' || rule === '---' || rule === '----';
}

function readHunk(reader: PatchReader): Hunk {
  const header = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/.exec(lineAt(reader));
  if (header === null) throw patchRefusal(reader, 'a damaged hunk header');
  let oldLeft = Number(header[2] ?? 1);
  let newLeft = Number(header[4] ?? 1);
  const lines: HunkLine[] = [];
  reader.at += 1;
  while (oldLeft > 0 || newLeft > 0 || reader.lines[reader.at]?.startsWith('\\ ')) {
    const raw = reader.lines[reader.at];
    if (raw === undefined) throw patchRefusal(reader, 'the end in the middle of a hunk');
    reader.at += 1;
    if (raw.startsWith('\\ ')) {
      dropLineEnd(reader, lines);
      continue;
    }
    const line = hunkLine(reader, raw);
    if (line.kind !== 'added') oldLeft -= 1;
    if (line.kind !== 'removed') newLeft -= 1;
    if (oldLeft < 0 || newLeft < 0)
      throw patchRefusal({ ...reader, at: reader.at - 1 }, 'other lines than the hunk counts');
    lines.push(line);
  }
  if (lines.length === 0) throw patchRefusal(reader, 'an empty hunk');
  return { oldStart: Number(header[1]), lines };
}

/** An empty line stands for an empty context line: editors and mailers remove the space. */
function hunkLine(reader: PatchReader, raw: string): HunkLine {
  const kind = ({ '': 'context', ' ': 'context', '-': 'removed', '+': 'added' } as const)[raw.slice(0, 1)];
  if (kind === undefined && raw !== '\r') {
    throw patchRefusal({ ...reader, at: reader.at - 1 }, 'a line in a hunk that is no part of one');
  }
  return { kind: kind ?? 'context', text: `${raw === '\r' ? raw : raw.slice(1)}\n` };
}

/** `\ No newline at end of file` speaks of the line before it. */
function dropLineEnd(reader: PatchReader, lines: HunkLine[]): void {
  const last = lines.pop();
  if (last === undefined || !last.text.endsWith('\n')) throw patchRefusal(reader, 'a missing line end of no line');
  lines.push({ kind: last.kind, text: last.text.slice(0, -1) });
}
