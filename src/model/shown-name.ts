import { printable } from './names.ts';

/** Longer runs without a blank are names, addresses or digests of somebody else; 300 characters are four lines. */
const LONGEST_WORD = 300;
const LONGEST_NAME = 200;
const MOST_NAMES = 5;
/** A refusal with another one in it, and two addresses with digests. */
const LONGEST_NESTED = 1500;

/** A name from elsewhere for a message: escaped, and cut in the middle where it is long. */
export function shownName(name: string): string {
  return cutMiddle(printable(name), LONGEST_NAME);
}

/** Some names for a message, and how many more there are. */
export function shownNames(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).map(shownName).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

export interface TextBounds {
  readonly characters: number;
  readonly lines: number;
}

/**
 * Bounds a text that may hold names from elsewhere, whoever wrote it: long words, a long object in quotes, then long lines
 * and lines that are too many are cut in the middle, where they tell least. A text within bounds stays as it is.
 */
export function boundedText(text: string, { characters, lines: most }: TextBounds): string {
  if (text.length <= Math.min(LONGEST_NAME, characters) && !text.includes('\n')) return text;
  const short = withShortObject(text);
  const lines = fewLines(short.split('\n'), most).map((line) => cutMiddle(withShortWords(line), characters));
  return lines.join('\n');
}

/** The first and the last lines; between them how many are not shown. */
export function fewLines(lines: readonly string[], most: number): readonly string[] {
  if (lines.length <= most) return lines;
  const last = Math.floor((most - 1) / 3);
  const first = most - 1 - last;
  const left = lines.length - first - last;
  return [...lines.slice(0, first), `… (${left} more lines)`, ...lines.slice(lines.length - last)];
}

/** `Cannot <verb> "<object>": expected …`: whatever quotes and blanks the object holds, it ends before the expectation. */
function withShortObject(text: string): string {
  const start = text.indexOf('"') + 1;
  const end = text.lastIndexOf('": expected');
  if (start === 0 || end - start <= LONGEST_WORD) return text;
  // A short object and a text that is not long: what follows is a sentence that holds another refusal.
  if (text.indexOf('": expected') - start <= LONGEST_WORD && text.length <= LONGEST_NESTED) return text;
  return `${text.slice(0, start)}${cutMiddle(text.slice(start, end), LONGEST_NAME)}${text.slice(end)}`;
}

function withShortWords(line: string): string {
  if (line.length <= LONGEST_WORD) return line;
  return line
    .split(' ')
    .map((word) => cutMiddle(word, LONGEST_WORD))
    .join(' ');
}

/** At most this many characters, `…` included; never half of a surrogate pair. */
function cutMiddle(text: string, most: number): string {
  if (text.length <= most) return text;
  const tail = Math.floor((most - 1) / 3);
  const head = most - 1 - tail;
  return `${text.slice(0, head)}…${text.slice(text.length - tail)}`.toWellFormed();
}
