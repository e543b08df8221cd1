import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffLines } from '../../src/patching/diff-lines.ts';

/** What the changes make of the old lines. */
function changed(older: readonly string[], newer: readonly string[]): string[] {
  const lines: string[] = [];
  let at = 0;
  for (const { oldStart, oldEnd, newStart, newEnd } of diffLines(older, newer)) {
    lines.push(...older.slice(at, oldStart), ...newer.slice(newStart, newEnd));
    at = oldEnd;
  }
  return [...lines, ...older.slice(at)];
}

function cost(older: readonly string[], newer: readonly string[]): number {
  return diffLines(older, newer).reduce(
    (sum, { oldStart, oldEnd, newStart, newEnd }) => sum + oldEnd - oldStart + newEnd - newStart,
    0,
  );
}

/** Removed and added lines of a shortest way, by the longest common subsequence. */
function leastCost(older: readonly string[], newer: readonly string[]): number {
  let lengths = new Array<number>(newer.length + 1).fill(0);
  for (const line of older) {
    const next = [0];
    for (let at = 1; at <= newer.length; at += 1) {
      next.push(newer[at - 1] === line ? lengths[at - 1]! + 1 : Math.max(lengths[at]!, next[at - 1]!));
    }
    lengths = next;
  }
  return older.length + newer.length - 2 * lengths.at(-1)!;
}

const lines = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n', 'd'), { maxLength: 40 });

describe('the changes between two lists of lines', () => {
  test('make the one of the other, and are as few as there can be', () => {
    fc.assert(
      fc.property(lines, lines, (older, newer) => {
        expect(changed(older, newer)).toEqual(newer);
        expect(cost(older, newer)).toBe(leastCost(older, newer));
      }),
      { numRuns: 2000 },
    );
  });

  test('are none for the same lines, and in order without touching each other', () => {
    expect(diffLines(['a\n', 'b\n'], ['a\n', 'b\n'])).toEqual([]);
    expect(diffLines([], ['a\n'])).toEqual([{ oldStart: 0, oldEnd: 0, newStart: 0, newEnd: 1 }]);
    expect(diffLines(['1', '2', '3', '4', '5'], ['1', 'x', '3', '5'])).toEqual([
      { oldStart: 1, oldEnd: 2, newStart: 1, newEnd: 2 },
      { oldStart: 3, oldEnd: 4, newStart: 3, newEnd: 3 },
    ]);
  });

  test('are found in seconds for texts of fifty thousand lines that have little in common', {
    timeout: 20_000,
  }, () => {
    const older = Array.from({ length: 50_000 }, (_, index) => `${(index * 7919) % 5003}\n`);
    const newer = Array.from({ length: 50_000 }, (_, index) => `${(index * 104_729) % 4999}\n`);
    const start = process.cpuUsage();
    expect(changed(older, newer)).toEqual(newer);
    expect(process.cpuUsage(start).user).toBeLessThan(15_000_000);
  });
});
