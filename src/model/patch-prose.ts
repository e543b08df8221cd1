/** Lines that stand above a new commit: of a mail, of `git log`, of Mercurial, of DEP-3, and the signature that ends a mail. */
const COMMIT_STARTS = [
  ...['From ', 'From: ', 'Subject: ', 'Date: ', 'Author: ', 'Description: ', 'commit ', 'changeset: '],
  ...['# HG changeset patch', '-- '],
] as const;

/** Tells whether a line outside of a diff begins or ends a commit: what follows changes the tree that was left by then. */
export function startsCommit(line: string): boolean {
  return line === '--' || COMMIT_STARTS.some((start) => line.startsWith(start));
}

/** The first change of another kind that a text holds, which has no unified diff: `an ed script`, with its line from 0. */
export function otherKindOfDiff(lines: readonly string[]): { readonly found: string; readonly at: number } | undefined {
  for (const [at, line] of lines.entries()) {
    const found = kindOf(line, lines[at + 1] ?? '');
    if (found !== undefined) return { found, at };
  }
  return undefined;
}

function kindOf(line: string, next: string): string | undefined {
  if (line.startsWith('--- ') && next.startsWith('+++ ')) return 'a file without a hunk';
  if (isBinaryChange(line)) return 'a binary patch';
  if (line.length > 100) return undefined;
  const text = line.trimEnd();
  if (/^\*\*\* \d+(?:,\d+)? \*\*\*\*$/.test(text)) return 'a context diff';
  if (/^\d+(?:,\d+)?[acd]$/.test(text)) return 'an ed script';
  if (/^\d+(?:,\d+)?[acd]\d+(?:,\d+)?$/.test(text) && /^[<>] /.test(next)) return 'a diff without context';
  return undefined;
}

export function isBinaryChange(line: string): boolean {
  return (
    line.startsWith('GIT binary patch') || (line.startsWith('Binary files ') && line.trimEnd().endsWith(' differ'))
  );
}
