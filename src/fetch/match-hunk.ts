import { type Hunk, type HunkLine, newLines, oldLines } from '../model/patch.ts';

/** Where a hunk goes; lines count from 0. */
export type HunkMatch =
  | { readonly kind: 'found'; readonly at: number }
  | { readonly kind: 'ambiguous'; readonly places: readonly number[] }
  /** Its lines are at `at`, but its context says that it lies at an end of the file. */
  | { readonly kind: 'pinned'; readonly at: number; readonly end: 'beginning' | 'end' }
  /** `at` is where it fits best, `line` the first line there that differs. */
  | { readonly kind: 'none'; readonly at: number; readonly line: number; readonly wanted: string | undefined };

/** Comparisons that may still be made: a patch and a file can be made so that looking for places takes for ever. */
export interface Effort {
  comparisons: number;
}

export const MAXIMUM_COMPARISONS = 50_000_000;
/** Of these, what finding the place to show for a hunk that fits nowhere may take. */
const COMPARISONS_FOR_SHOWING = 2_000_000;

/**
 * Finds the lines a hunk is about, byte for byte (fuzz 0): where the hunk says, else at the only other place at or
 * behind `from`. As in GNU patch, a hunk with less context on one side than on the other lies at that end of the file.
 */
export function matchHunk(
  lines: readonly string[],
  hunk: Hunk,
  { expected, from, effort }: { readonly expected: number; readonly from: number; readonly effort: Effort },
): HunkMatch {
  const wanted = oldLines(hunk).map(({ text }) => text);
  if (wanted.length === 0) {
    return lines.length === 0 ? { kind: 'found', at: 0 } : { kind: 'none', at: 0, line: 0, wanted: undefined };
  }
  const last = lines.length - wanted.length;
  const { leading, trailing } = contextOf(hunk);
  const fits = (at: number): boolean => {
    if (at < from || at > last || effort.comparisons <= 0) return false;
    const differing = wanted.findIndex((line, index) => lines[at + index] !== line);
    effort.comparisons -= differing < 0 ? wanted.length : differing + 1;
    return differing < 0;
  };
  const pinned = [
    ...(leading < trailing && hunk.oldStart <= 1 ? [0] : []),
    ...(trailing < leading ? [Math.max(0, last)] : []),
  ];
  const allowed = (at: number): boolean => pinned.every((place) => place === at) && fits(at);
  if (allowed(expected)) return { kind: 'found', at: expected };
  const places: number[] = [];
  for (let at = from; at <= last && places.length < 10; at += 1) if (allowed(at)) places.push(at);
  if (places.length === 1) return { kind: 'found', at: places[0]! };
  if (places.length > 1) return { kind: 'ambiguous', places };
  const miss = bestMiss(lines, wanted, { expected, from, effort });
  const isWhole = pinned.length > 0 && fits(miss.at);
  return isWhole ? { kind: 'pinned', at: miss.at, end: trailing < leading ? 'end' : 'beginning' } : miss;
}

/** The same hunk with its sides exchanged. */
export function reverseHunk(hunk: Hunk, oldStart: number): Hunk {
  const exchanged = { context: 'context', removed: 'added', added: 'removed' } as const;
  return { oldStart, lines: hunk.lines.map(({ kind, text }): HunkLine => ({ kind: exchanged[kind], text })) };
}

/** The line after the hunk says it begins, from 0. */
export function expectedPlace(hunk: Hunk): number {
  return Math.max(0, oldLines(hunk).length === 0 ? hunk.oldStart : hunk.oldStart - 1);
}

/** Puts the new lines in place of the old ones. */
export function replaceLines(lines: string[], hunk: Hunk, at: number): void {
  const replacement = newLines(hunk).map(({ text }) => text);
  const tail = lines.splice(at).slice(oldLines(hunk).length);
  for (const line of replacement) lines.push(line);
  for (const line of tail) lines.push(line);
}

function contextOf({ lines }: Hunk): { leading: number; trailing: number } {
  const first = lines.findIndex(({ kind }) => kind !== 'context');
  const last = lines.findLastIndex(({ kind }) => kind !== 'context');
  return first < 0 ? { leading: 0, trailing: 0 } : { leading: first, trailing: lines.length - 1 - last };
}

function bestMiss(
  lines: readonly string[],
  wanted: readonly string[],
  { expected, from, effort }: { readonly expected: number; readonly from: number; readonly effort: Effort },
): Extract<HunkMatch, { kind: 'none' }> {
  const cost = (lines.length - from) * wanted.length;
  let best = Math.min(Math.max(expected, from), lines.length);
  let bestScore = scoreAt(lines, wanted, best);
  if (cost <= COMPARISONS_FOR_SHOWING && cost <= effort.comparisons) {
    effort.comparisons -= cost;
    for (let at = from; at < lines.length; at += 1) {
      const score = scoreAt(lines, wanted, at);
      if (score > bestScore || (score === bestScore && Math.abs(at - expected) < Math.abs(best - expected))) {
        best = at;
        bestScore = score;
      }
    }
  }
  const first = wanted.findIndex((line, index) => lines[best + index] !== line);
  // Every line fits where something else forbids it: the first line is shown.
  const differing = Math.max(0, first);
  return { kind: 'none', at: best, line: best + differing, wanted: wanted[differing]! };
}

function scoreAt(lines: readonly string[], wanted: readonly string[], at: number): number {
  let score = 0;
  for (let index = 0; index < wanted.length; index += 1) if (lines[at + index] === wanted[index]) score += 1;
  return score;
}
