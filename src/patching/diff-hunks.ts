import type { Hunk, HunkLine } from '../model/patch.ts';
import { textLines } from '../model/text-lines.ts';
import { diffLines, type LineChange } from './diff-lines.ts';

/** Lines around a change, as `diff -u` has them. */
const CONTEXT = 3;

/** The hunks that make one text of another (latin1, one character a byte), with three lines of context; none for the same. */
export function diffHunks(olderText: string, newerText: string): readonly Hunk[] {
  const older = textLines(olderText);
  const newer = textLines(newerText);
  return grouped(diffLines(older, newer)).map((changes) => hunkOf(older, newer, changes));
}

/** Changes whose contexts touch are one hunk. */
function grouped(changes: readonly LineChange[]): readonly (readonly LineChange[])[] {
  const groups: LineChange[][] = [];
  for (const change of changes) {
    const last = groups.at(-1);
    if (last !== undefined && change.oldStart - last.at(-1)!.oldEnd <= 2 * CONTEXT) last.push(change);
    else groups.push([change]);
  }
  return groups;
}

function hunkOf(older: readonly string[], newer: readonly string[], changes: readonly LineChange[]): Hunk {
  const start = Math.max(0, changes[0]!.oldStart - CONTEXT);
  const end = Math.min(older.length, changes.at(-1)!.oldEnd + CONTEXT);
  const lines: HunkLine[] = [];
  const add = (kind: HunkLine['kind'], texts: readonly string[]) => {
    for (const text of texts) lines.push({ kind, text });
  };
  let at = start;
  for (const { oldStart, oldEnd, newStart, newEnd } of changes) {
    add('context', older.slice(at, oldStart));
    add('removed', older.slice(oldStart, oldEnd));
    add('added', newer.slice(newStart, newEnd));
    at = oldEnd;
  }
  add('context', older.slice(at, end));
  return { oldStart: end === start ? start : start + 1, lines };
}
