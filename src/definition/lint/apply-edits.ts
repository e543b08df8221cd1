import type { TextEdit } from './definition-finding.ts';

/**
 * The text with the edits made, everything else as it was. An edit that overlaps an earlier one is left for the next time:
 * answers how many were made.
 */
export function applyEdits(
  text: string,
  edits: readonly Omit<TextEdit, 'path'>[],
): { readonly text: string; readonly made: number } {
  const parts: string[] = [];
  let at = 0;
  let made = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (edit.start < at) continue;
    parts.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
    made += 1;
  }
  return { text: parts.join('') + text.slice(at), made };
}
