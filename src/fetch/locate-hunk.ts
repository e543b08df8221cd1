import { type Hunk, oldLines } from '../model/patch.ts';
import type { Effort } from './match-hunk.ts';

/** How far a file is patched. Lines count from 1. */
export interface HunkPosition {
  /** The last line of the old file that is done with. */
  readonly done: number;
  /** How far the hunks before this one lay from where they said. */
  readonly offset: number;
}

/**
 * The line of the old file (from 1) at which patch(1) with fuzz 0 applies a hunk: where it says, shifted as far as the one
 * before, else the nearest place below or above, below first. With less context at one side it lies at that end of the file; one
 * that only adds goes where it says, whatever is there. Undefined where it fits nowhere.
 */
export function locateHunk(
  lines: readonly string[],
  hunk: Hunk,
  { done, offset }: HunkPosition,
  effort: Effort,
): number | undefined {
  const wanted = oldLines(hunk).map(({ text }) => text);
  const first = hunk.oldStart + (wanted.length === 0 ? 1 : 0);
  const guess = first + offset;
  if (wanted.length === 0) return guess > done ? guess : undefined;
  const last = lines.length - wanted.length + 1;
  const fits = (at: number): boolean => {
    if (at < 1 || at > last || effort.comparisons <= 0) return false;
    const differing = wanted.findIndex((line, index) => lines[at - 1 + index] !== line);
    effort.comparisons -= differing < 0 ? wanted.length : differing + 1;
    return differing < 0;
  };
  const { leading, trailing } = contextOf(hunk);
  if (leading < trailing && first <= 1) return done <= leading && fits(1) ? 1 : undefined;
  if (trailing < leading) return last > done && fits(last) ? last : undefined;
  const furthest = Math.max(last - guess, guess - done - 1);
  for (let distance = 0; distance <= furthest && effort.comparisons > 0; distance += 1) {
    const [below, above] = [guess + distance, guess - distance];
    if (below > done && fits(below)) return below;
    if (above > done && fits(above)) return above;
  }
  return undefined;
}

/** A file while it is patched: the old lines up to `done` are copied, changed or dropped. */
export interface PatchedLines {
  readonly old: readonly string[];
  readonly lines: string[];
  done: number;
}

/**
 * Applies a hunk at a line of the old file (from 1). Context is copied only when a change comes below it, so that the
 * contexts of two hunks may overlap. False where lines that are done with would change again.
 */
export function applyHunkAt(patched: PatchedLines, hunk: Hunk, at: number): boolean {
  let next = at - 1;
  for (const { kind, text } of hunk.lines) {
    if (kind === 'context') {
      next += 1;
      continue;
    }
    if (patched.done > next) return false;
    copyTo(patched, next);
    if (kind === 'added') {
      patched.lines.push(text);
    } else {
      patched.done += 1;
      next += 1;
    }
  }
  return true;
}

/** The whole file. A line without its end gets one where another follows. */
export function patchedText(patched: PatchedLines): string {
  copyTo(patched, patched.old.length);
  const { lines } = patched;
  return lines.map((line, index) => (index < lines.length - 1 && !line.endsWith('\n') ? `${line}\n` : line)).join('');
}

function copyTo(patched: PatchedLines, end: number): void {
  for (; patched.done < end; patched.done += 1) {
    const line = patched.old[patched.done];
    if (line !== undefined) patched.lines.push(line);
  }
}

function contextOf({ lines }: Hunk): { leading: number; trailing: number } {
  const first = lines.findIndex(({ kind }) => kind !== 'context');
  const last = lines.findLastIndex(({ kind }) => kind !== 'context');
  return { leading: first, trailing: lines.length - 1 - last };
}
