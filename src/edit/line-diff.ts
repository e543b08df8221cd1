import { structuredPatch } from 'diff';

const CONTEXT = 3;

/** What changed between two texts as a unified diff that `patch` understands; nothing where they are the same. */
export function lineDiff(name: string, before: string, after: string): string[] {
  if (before === after) return [];
  const { hunks } = structuredPatch(name, name, before, after, undefined, undefined, { context: CONTEXT });
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`,
    ...lines,
  ]);
  return [`--- ${name}`, `+++ ${name}`, ...lines];
}

/** An empty range is said to begin behind the line before it. */
function range(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start}${lines === 1 ? '' : `,${lines}`}`;
}
