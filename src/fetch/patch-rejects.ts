import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/** Why a part of a patch does not apply. Hunks count from 1 within their file, lines from 1. */
export type Reject =
  | (HunkPlace & {
      readonly kind: 'mismatch';
      readonly expected: string | undefined;
      readonly found: string | undefined;
    })
  | (HunkPlace & { readonly kind: 'applied' })
  | (HunkPlace & { readonly kind: 'ambiguous'; readonly lines: readonly number[] })
  /** Its lines are at `line`, but it lies at the beginning or the end of the file, having less context there. */
  | (HunkPlace & { readonly kind: 'pinned'; readonly end: 'beginning' | 'end' })
  | { readonly kind: 'missing'; readonly path: string }
  | { readonly kind: 'exists'; readonly path: string }
  | { readonly kind: 'not-a-file'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly at: string }
  | { readonly kind: 'not-a-link'; readonly path: string }
  /** The patch makes a symbolic link with this text (latin1). */
  | { readonly kind: 'link-outside'; readonly path: string; readonly target: string }
  | { readonly kind: 'rest'; readonly path: string; readonly line: string };

interface HunkPlace {
  readonly hunk: number;
  readonly of: number;
  readonly path: string;
  readonly line: number;
}

const MAXIMUM_SHOWN = 50;
const MAXIMUM_WIDTH = 120;

/** The error for a patch that does not apply: what is wrong with each of its hunks, and how to look into the tree. */
export function rejectedError(label: string, rejects: readonly Reject[], shell: string | undefined): BuilditError {
  const [first, ...others] = rejects.slice(0, MAXIMUM_SHOWN);
  const hidden = rejects.length - MAXIMUM_SHOWN;
  return new BuilditError('patch-rejected', `Cannot apply "${printable(label)}": ${rejectSentence(first!)}`, {
    details: [
      ...sides(first!),
      ...others.flatMap((reject) => [rejectSentence(reject), ...sides(reject)]),
      ...(hidden > 0 ? [`and ${hidden} more`] : []),
    ],
    hint: rejects.some(({ kind }) => kind === 'pinned') ? PINNED_HINT : shellHint(shell),
  });
}

const PINNED_HINT = 'give it as many lines of context on both sides: `diff -u` and `git diff` do';

/** The error for a patch whose every change is in the source already. */
export function alreadyAppliedError(label: string, paths: readonly string[]): BuilditError {
  const places = paths.length === 1 ? printable(paths[0]!) : `${paths.length} files`;
  return new BuilditError(
    'patch-rejected',
    `Cannot apply "${printable(label)}": expected a change to make, found it already applied in ${places}`,
    { hint: 'remove the patch from the definition: this version of the source has it' },
  );
}

export function laboriousError(label: string): BuilditError {
  return new BuilditError(
    'patch-rejected',
    `Cannot apply "${printable(label)}": expected hunks whose place can be found, found too many lines alike`,
  );
}

function shellHint(shell: string | undefined): string | undefined {
  return shell === undefined ? undefined : `buildit shell ${shell} --phase=patch opens the tree before this patch`;
}

/** What is wrong with one part of a patch, as a phrase. */
export function rejectSentence(reject: Reject): string {
  const path = printable(reject.path);
  switch (reject.kind) {
    case 'mismatch':
      return `hunk ${reject.hunk} of ${reject.of} does not match ${path} at line ${reject.line}`;
    case 'applied':
      return `hunk ${reject.hunk} of ${reject.of} is already in ${path} at line ${reject.line}`;
    case 'ambiguous':
      return `hunk ${reject.hunk} of ${reject.of} matches ${path} at several lines (${reject.lines.join(', ')}), none of them line ${reject.line}`;
    case 'pinned':
      return `hunk ${reject.hunk} of ${reject.of} has less context at its ${reject.end} and so belongs to the ${reject.end} of ${path}, but its lines are at line ${reject.line}`;
    case 'missing':
      return `expected the file ${path}, found none`;
    case 'exists':
      return `expected no file ${path}, found one`;
    case 'not-a-file':
      return `expected a file at ${path}, found something else`;
    case 'link':
      return `expected ${path} inside the source, found a symbolic link at ${printable(reject.at)}`;
    case 'not-a-link':
      return `expected a symbolic link at ${path}, found a file`;
    case 'link-outside':
      return `expected a symbolic link ${path} that stays inside the source, found one to "${shownLine(`${reject.target}\n`)}"`;
    case 'rest':
      return `expected nothing to be left of ${path}, found more than the patch removes`;
  }
}

/**
 * The two sides below the sentence, as in `expected  #ifdef A` over `found     #ifdef B`. Indentation is shown only
 * where nothing else differs.
 */
function sides(reject: Reject): string[] {
  if (reject.kind === 'rest') return [`found     ${shownLine(reject.line)}`];
  if (reject.kind !== 'mismatch') return [];
  const { expected, found } = reject;
  const indented = expected?.trim() === found?.trim();
  const show = (line: string): string => shownLine(indented ? line : line.replace(/^[ \t]+/, ''));
  return [
    `expected  ${expected === undefined ? '(an empty file: a hunk without context fits nothing else)' : show(expected)}`,
    `found     ${found === undefined ? '(the end of the file)' : show(found)}`,
  ];
}

/** A line of a source file as it may be shown: as UTF-8, without control characters, tabs as spaces, not too long. */
function shownLine(line: string): string {
  const text = Buffer.from(line.replace(/\r?\n$/, ''), 'latin1').toString('utf8');
  const shown = printable(text.replaceAll('\t', '    '));
  const mark = line.endsWith('\r\n') ? ' (with a carriage return)' : line.endsWith('\n') ? '' : ' (without a line end)';
  return `${shown.length > MAXIMUM_WIDTH ? `${shown.slice(0, MAXIMUM_WIDTH)}…` : shown}${mark}`;
}
