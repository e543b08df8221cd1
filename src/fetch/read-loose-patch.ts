import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Hunk, HunkLine } from '../model/patch.ts';
import { readQuoted, stripped } from '../model/patch-path.ts';

const MAXIMUM_SECTIONS = 100_000;
const MAXIMUM_NAME = 4096;

/** Whether a side of a section is said not to exist: 1 by its line numbers alone, 2 by a name, a time or a mode. */
export type Absence = 0 | 1 | 2;

/** One section of a patch as patch(1) reads it. Names are latin1, the first element stripped; which one counts depends on the tree. */
export interface LooseSection {
  /** Line of the patch, from 1. */
  readonly line: number;
  readonly oldName: string | undefined;
  readonly newName: string | undefined;
  readonly oldAbsent: Absence;
  readonly newAbsent: Absence;
  /** Modes as git writes them, with the type; 0 where none is given. */
  readonly oldMode: number;
  readonly newMode: number;
  readonly isGit: boolean;
  readonly move: 'rename' | 'copy' | undefined;
  readonly hunks: readonly Hunk[];
}

/**
 * Reads a patch (latin1) as `patch -p1 -u` does when dpkg-source(1) calls it: everything that is no part of a section is
 * skipped, and a patch may hold no section. Refuses with `input-invalid` what dpkg-source refuses: a damaged hunk, a hunk
 * below no names, a binary patch. Time and memory are linear in the text.
 */
export function readLoosePatch(text: string, label: string): readonly LooseSection[] {
  // As for patch(1), a last line without its end does not count.
  const reader = { lines: text.split('\n').slice(0, -1), label, at: 0 };
  const sections: LooseSection[] = [];
  for (;;) {
    const section = readSection(reader);
    if (section === undefined) return sections;
    sections.push(section);
    if (sections.length > MAXIMUM_SECTIONS) throw refusal(reader, `more than ${MAXIMUM_SECTIONS} sections`);
  }
}

interface Reader {
  readonly lines: readonly string[];
  readonly label: string;
  at: number;
}

interface Header {
  line: number;
  /** What `diff --git` says, then what `---` and `+++` say. */
  names: { older: string | undefined; newer: string | undefined };
  index: string | undefined;
  isEpoch: { older: boolean; newer: boolean };
  absent: { older: Absence; newer: Absence };
  modes: { older: number; newer: number };
  isGit: boolean;
  hasExtension: boolean;
  said: Set<string>;
  hasCarriageReturns: boolean;
}

function newHeader(line: number): Header {
  return {
    line,
    names: { older: undefined, newer: undefined },
    index: undefined,
    isEpoch: { older: false, newer: false },
    absent: { older: 0, newer: 0 },
    modes: { older: 0, newer: 0 },
    isGit: false,
    hasExtension: false,
    said: new Set(),
    hasCarriageReturns: false,
  };
}

function readSection(reader: Reader): LooseSection | undefined {
  const header = newHeader(reader.at + 1);
  for (; reader.at < reader.lines.length; reader.at += 1) {
    const raw = reader.lines[reader.at]!;
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.startsWith('diff --git ')) {
      if (header.hasExtension) return sectionOf(header, []);
      readGitNames(header, line.slice('diff --git '.length));
      header.line = reader.at + 1;
    } else if (line.startsWith('--- ') || line.startsWith('+++ ')) {
      readName(header, line.startsWith('---') ? 'older' : 'newer', line.slice(4));
      if (line.startsWith('+++ ') && reader.lines[reader.at - 1]?.startsWith('--- ') === true) requireHunk(reader);
      header.hasCarriageReturns = raw.length > line.length;
    } else if (line.startsWith('Index:')) {
      header.index = indexName(line.slice(6)) ?? header.index;
    } else if (line.startsWith('@@ -')) {
      return hunksBelow(reader, header, line);
    } else if (header.isGit) {
      if (line.startsWith('GIT binary patch')) throw refusal(reader, 'a binary patch');
      readExtension(header, line);
    }
  }
  return header.hasExtension ? sectionOf(header, []) : undefined;
}

function requireHunk({ lines, label, at }: Reader): void {
  if (lines[at + 1]?.startsWith('@@ -') !== true) throw refusal({ label, at }, 'the names of a file without a hunk');
}

function hunksBelow(reader: Reader, header: Header, line: string): LooseSection {
  const { names, isEpoch, absent } = header;
  if (names.older === undefined && names.newer === undefined && header.index === undefined) {
    throw refusal(reader, 'a hunk without the name of a file');
  }
  const sides = hunkHeader(reader, line);
  if (sides.oldStart === 0) absent.older = isEpoch.older ? 2 : 1;
  if (sides.newStart === 0) absent.newer = isEpoch.newer ? 2 : 1;
  const hunks: Hunk[] = [];
  while (reader.lines[reader.at]?.startsWith('@@ -') === true) hunks.push(readHunk(reader, header.hasCarriageReturns));
  return sectionOf(header, hunks);
}

function sectionOf(header: Header, hunks: readonly Hunk[]): LooseSection {
  const { line, names, index, absent, modes, isGit, said } = header;
  const isUnnamed = names.older === undefined && names.newer === undefined;
  const has = (kind: string) => said.has(`${kind} from`) && said.has(`${kind} to`);
  return {
    line,
    oldName: isUnnamed ? index : names.older,
    newName: names.newer,
    oldAbsent: absent.older,
    newAbsent: absent.newer,
    oldMode: modes.older,
    newMode: modes.newer,
    isGit,
    move: has('rename') ? 'rename' : has('copy') ? 'copy' : undefined,
    hunks,
  };
}

/** Below `--- /dev/null` the name of `diff --git` stays. */
function readName(header: Header, side: 'older' | 'newer', text: string): void {
  const { name, time } = splitName(text);
  header.isEpoch[side] = name === '/dev/null' || isBeginningOfTime(time);
  if (name === undefined || name === '/dev/null') return;
  const rest = usable(name);
  if (rest !== undefined) header.names[side] = rest;
}

/** A name ends before a tab, or, where the line has none, at its first blank. */
function splitName(text: string): { readonly name: string | undefined; readonly time: string } {
  const line = text.trimStart();
  if (line.startsWith('"')) {
    const quoted = readQuoted(line);
    return { name: quoted?.name, time: quoted === undefined ? '' : line.slice(quoted.length) };
  }
  const tab = line.indexOf('\t');
  const end = tab >= 0 ? tab : line.search(/\s/);
  if (end < 0) return { name: line, time: '' };
  return { name: line.slice(0, end).trimEnd(), time: line.slice(end) };
}

function indexName(text: string): string | undefined {
  const name = text.trim();
  return name.includes('\t') ? undefined : usable(name);
}

function readGitNames(header: Header, text: string): void {
  header.isGit = true;
  header.names = { older: undefined, newer: undefined };
  const first = wordOf(text.trimStart());
  const second = first && wordOf(first.rest.trimStart());
  if (first === undefined || second === undefined || second.rest.trim() !== '') return;
  const names = { older: usable(first.word), newer: usable(second.word) };
  if (names.older !== undefined && names.newer !== undefined) header.names = names;
}

function wordOf(text: string): { readonly word: string; readonly rest: string } | undefined {
  if (text.startsWith('"')) {
    const quoted = readQuoted(text);
    return quoted && { word: quoted.name, rest: text.slice(quoted.length) };
  }
  const end = text.search(/\s/);
  return end < 0 ? { word: text, rest: '' } : { word: text.slice(0, end), rest: text.slice(end) };
}

/** With its first element stripped; without `.` and empty elements, which mean nothing. */
function usable(name: string): string | undefined {
  if (name.length > MAXIMUM_NAME) return undefined;
  const rest = stripped(name, 1);
  if (rest === undefined || rest === '') return undefined;
  return rest
    .split('/')
    .filter((element) => element !== '' && element !== '.')
    .join('/');
}

function readExtension(header: Header, line: string): void {
  const { modes, absent, said } = header;
  if (line.startsWith('index ')) {
    const [, older, newer, mode] = /^index ([0-9a-f]+)\.\.([0-9a-f]+)(?:\s+([0-7]{6}))?\s*$/.exec(line) ?? [];
    if (older === undefined || newer === undefined) return;
    absent.older = absenceOf(older);
    absent.newer = absenceOf(newer);
    if (mode !== undefined) modes.older = modes.newer = Number.parseInt(mode, 8);
    header.hasExtension = true;
    return;
  }
  const [, key, mode] = /^(old mode|new mode|new file mode|deleted file mode) +([0-7]{6})$/.exec(line) ?? [];
  if (key === undefined) {
    const moved = ['rename from', 'rename to', 'copy from', 'copy to'].find((words) => line.startsWith(`${words} `));
    if (moved === undefined) return;
    said.add(moved);
    header.hasExtension = true;
    return;
  }
  modes[key === 'old mode' || key === 'deleted file mode' ? 'older' : 'newer'] = Number.parseInt(mode!, 8);
  if (key === 'new file mode') absent.older = 2;
  if (key === 'deleted file mode') absent.newer = 2;
  header.hasExtension = true;
}

const EMPTY_BLOB = 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391';

function absenceOf(digest: string): Absence {
  if (/^0+$/.test(digest)) return 2;
  return EMPTY_BLOB.startsWith(digest) ? 1 : 0;
}

/** `diff -N` writes the time 0, in whatever zone, for a file that is not there. */
function isBeginningOfTime(text: string): boolean {
  const time = text.trim().slice(0, 64);
  if (!/\b(?:1969|1970)\b/.test(time)) return false;
  const zone = /(?:[+-]\d{2}:?\d{2}|Z|UTC|GMT)$/.test(time) ? '' : ' UTC';
  const seconds = Date.parse(`${time.replace(/\.\d+/, '')}${zone}`) / 1000;
  return seconds > -25 * 3600 && seconds < 26 * 3600;
}

function hunkHeader(reader: Reader, line: string) {
  const [, oldStart, oldCount, newStart, newCount] =
    /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@(?: |$)/.exec(line) ?? [];
  if (oldStart === undefined) throw refusal(reader, 'a damaged hunk header');
  return {
    oldStart: Number(oldStart),
    oldCount: Number(oldCount ?? 1),
    newStart: Number(newStart),
    newCount: Number(newCount ?? 1),
  };
}

function readHunk(reader: Reader, dropsReturns: boolean): Hunk {
  const shown = reader.lines[reader.at]!;
  const header = hunkHeader(reader, shown.endsWith('\r') ? shown.slice(0, -1) : shown);
  const left = { old: header.oldCount, new: header.newCount };
  const lines: HunkLine[] = [];
  reader.at += 1;
  while (left.old > 0 || left.new > 0) {
    const raw = reader.lines[reader.at] ?? choppedLine(reader, left);
    reader.at += 1;
    const text = dropsReturns && raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    const kind = ({ '': 'context', ' ': 'context', '-': 'removed', '+': 'added' } as const)[text.slice(0, 1)];
    if (kind === undefined) throw refusal({ ...reader, at: reader.at - 1 }, 'a line in a hunk that is no part of one');
    if (kind !== 'added') left.old -= 1;
    if (kind !== 'removed') left.new -= 1;
    if (left.old < 0 || left.new < 0)
      throw refusal({ ...reader, at: reader.at - 1 }, 'other lines than the hunk counts');
    const isLast = (kind !== 'added' && left.old === 0) || (kind !== 'removed' && left.new === 0);
    const isOpen = isLast && reader.lines[reader.at]?.startsWith('\\') === true;
    if (isOpen) reader.at += 1;
    lines.push({ kind, text: `${text.slice(1)}${isOpen ? '' : '\n'}` });
  }
  if (lines.every(({ kind }) => kind === 'context')) throw refusal(reader, 'a hunk without a change');
  return { oldStart: header.oldStart, lines };
}

/** Empty lines at the very end of a patch get lost in editors. */
function choppedLine(reader: Reader, left: { readonly old: number; readonly new: number }): string {
  if (left.old === left.new && left.old < 3) return '';
  throw refusal(reader, 'the end in the middle of a hunk');
}

function refusal({ label, at }: Pick<Reader, 'label' | 'at'>, found: string): BuilditError {
  return new BuilditError(
    'input-invalid',
    `Cannot read patch "${printable(label)}": expected what patch(1) takes, found ${found} (line ${at + 1})`,
    { hint: '`dpkg-source -x` cannot unpack this source package either' },
  );
}
