import { relative } from 'node:path';
import type { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { boundedText, fewLines } from '../model/shown-name.ts';
import type { SourcePosition } from '../model/source-position.ts';
import type { Colours } from './colours.ts';
import { fitText } from './text-width.ts';

export interface ErrorStyle {
  readonly colours: Colours;
  /** Paths below it are shown relative to it. */
  readonly cwd: string;
  /** Shows the chain of causes too. */
  readonly verbose: boolean;
}

/**
 * The lines of one error: what, where with the excerpt and a caret, the details, how to mend it.
 *
 *     error: Cannot read "container.yaml": unknown key "pakage"
 *       container.yaml:3:3
 *       3 | - pakage:
 *         |   ^
 *       hint: did you mean "package"?
 */
export function renderError(error: BuilditError, style: ErrorStyle): string[] {
  const { colours } = style;
  const [first = '', ...more] = linesOf(error.message);
  return [
    `${colours.bold(colours.red('error:'))} ${first}`,
    ...more.map(indented),
    ...(error.position === undefined ? [] : positionLines(error.position, style)),
    ...error.details.flatMap(linesOf).map(indented),
    ...(error.hint === undefined ? [] : linesOf(error.hint).map((line) => `  ${colours.cyan('hint:')} ${line}`)),
    ...(style.verbose ? causeLines(error) : []),
  ];
}

/** The lines for a mistake of buildit itself: all that a report needs. */
export function renderBug(error: unknown, version: string, { colours }: ErrorStyle): string[] {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    `${colours.bold(colours.red('error:'))} buildit itself failed; this is a bug`,
    ...stackLines(stack),
    ...causeLines(error),
    `  buildit ${version}, node ${process.version}, ${process.platform} ${process.arch}`,
    `  ${colours.cyan('hint:')} nothing half done was left behind; please report the lines above and what you ran`,
  ];
}

function stackLines(stack: string): string[] {
  return fewLines(linesOf(stack), 40).map((line) => indented(boundedText(line, { characters: 1000, lines: 1 })));
}

function positionLines(position: SourcePosition, { colours, cwd }: ErrorStyle): string[] {
  const place = `  ${boundedText(printable(shownPath(position.file, cwd)), { characters: 1000, lines: 1 })}:${position.line}:${position.column}`;
  if (position.excerpt === undefined) return [place];
  const number = String(position.line);
  const { text, caret } = excerptWindow(position.excerpt, position.column);
  return [
    place,
    `  ${colours.dim(`${number} |`)} ${text}`,
    `  ${colours.dim(`${' '.repeat(number.length)} |`)} ${' '.repeat(caret)}${colours.red('^')}`,
  ];
}

const EXCERPT_COLUMNS = 100;

/** At most 100 columns of a line, around the column meant; escapes before it move the caret along. */
function excerptWindow(excerpt: string, column: number): { text: string; caret: number } {
  const line = excerpt.replaceAll('\t', ' ');
  const start = column > EXCERPT_COLUMNS - 20 ? column - Math.floor(EXCERPT_COLUMNS / 2) : 0;
  const before = printable(line.slice(start, column - 1));
  const after = printable(line.slice(column - 1));
  const lead = start > 0 ? '…' : '';
  const room = Math.max(EXCERPT_COLUMNS - before.length, 20);
  return { text: `${lead}${before}${fitText(after, room)}`, caret: lead.length + before.length };
}

const MAXIMUM_CAUSES = 8;

function causeLines(error: unknown): string[] {
  const lines: string[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  while (cause !== undefined && lines.length < MAXIMUM_CAUSES) {
    lines.push(`  caused by: ${causeText(cause)}`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return lines;
}

function causeText(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return linesOf(boundedText(text, { characters: 500, lines: 3 })).join(' ');
}

/** Relative where the path lies below the working directory, else as it is. */
export function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return path.startsWith('/') && below !== '' && !below.startsWith('..') ? below : path;
}

function linesOf(text: string): string[] {
  return text.split('\n').map(printable);
}

function indented(line: string): string {
  return `  ${line}`;
}
