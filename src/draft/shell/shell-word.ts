import { BuilditError } from '../../model/errors.ts';
import { cutMatch, parseShellPattern, replaceMatches } from './shell-pattern.ts';

/** What is known of shell variables: texts, lists, or nothing (`undefined`): then whatever uses them is not known. */
export type ShellValues = ReadonlyMap<string, ShellValue>;
export type ShellValue = string | readonly string[];

export interface Expanded {
  readonly text: string;
  /** What could not be expanded, as written: `$(date)`, `$CARCH`. Their source stands in the text. */
  readonly unknown: readonly string[];
}

/** Values are made of values, and grow faster than the file. */
const MOST_EXPANDED = 128 * 1024;

/**
 * Expands one shell text: quotes are taken off, `$name`, `${name}` and the expansions that need no shell (`${v%x}`,
 * `${v#x}`, `${v/a/b}`, `${v:-x}`, `${v//a/b}`) are replaced. Nothing is ever run: commands stay as they are written.
 */
export function expandWord(source: string, values: ShellValues): Expanded {
  const unknown: string[] = [];
  let text = '';
  let at = 0;
  let isQuoted = false;
  while (at < source.length) {
    if (text.length > MOST_EXPANDED) {
      throw new BuilditError(
        'input-invalid',
        'Cannot read the recipe: expected values of a usual length, found a longer one',
      );
    }
    const character = source[at]!;
    if (character === "'" && !isQuoted) {
      const end = endOf(source.indexOf("'", at + 1), source);
      text += source.slice(at + 1, end);
      at = end + 1;
    } else if (character === '"') {
      isQuoted = !isQuoted;
      at += 1;
    } else if (character === '\\') {
      const next = source[at + 1] ?? '';
      text += next === '\n' ? '' : isQuoted && !/["\\$`]/.test(next) ? `\\${next}` : next;
      at += 2;
    } else if (character === '$' || character === '`') {
      const end = endOfExpansion(source, at);
      const written = source.slice(at, end);
      const value = expansionValue(written, values);
      if (value === undefined) unknown.push(written);
      text += value ?? written;
      at = end;
    } else {
      text += character;
      at += 1;
    }
  }
  return { text, unknown };
}

function endOf(found: number, source: string): number {
  return found < 0 ? source.length : found;
}

/** Behind `$name`, `${…}`, `$(…)` or `` `…` ``; a `$` alone is one character. */
export function endOfExpansion(source: string, at: number): number {
  if (source[at] === '`') return endOf(source.indexOf('`', at + 1), source) + 1;
  const next = source[at + 1];
  if (next === '{') return closing(source, at + 1, '{', '}');
  if (next === '(') return closing(source, at + 1, '(', ')');
  const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!$-])/.exec(source.slice(at + 1, at + 129))?.[0] ?? '';
  return at + 1 + name.length;
}

/** Behind the bracket that closes the one at `at`; quotes are passed over. */
export function closing(source: string, at: number, open: string, close: string): number {
  let depth = 0;
  for (let index = at; index < source.length; index += 1) {
    const character = source[index]!;
    if (character === '\\') index += 1;
    else if (character === "'") index = endOf(source.indexOf("'", index + 1), source);
    else if (character === '"') index = endOfDoubleQuoted(source, index) - 1;
    else if (character === open) depth += 1;
    else if (character === close) {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return source.length;
}

/** Behind the double quote that ends the text at `at`; what is expanded in it may hold quotes of its own. */
export function endOfDoubleQuoted(source: string, at: number): number {
  let index = at + 1;
  while (index < source.length && source[index] !== '"') {
    if (source[index] === '\\') index += 2;
    else if (source[index] === '$' || source[index] === '`') index = Math.max(endOfExpansion(source, index), index + 1);
    else index += 1;
  }
  return Math.min(source.length, index + 1);
}

const OPERATION = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(\[@\]|\[\*\])?(?:(:-|:\+|%%|%|##|#|\/\/|\/|\^\^|,,)([\s\S]*))?\}$/;

function expansionValue(written: string, values: ShellValues): string | undefined {
  const simple = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(written)?.[1];
  if (simple !== undefined) return valueText(values.get(simple));
  if (written === '$') return '$';
  const [, name = '', , operator, argument = ''] = OPERATION.exec(written) ?? [];
  const value = valueText(values.get(name));
  if (operator === ':-') return value === undefined || value === '' ? literal(argument, values) : value;
  if (value === undefined || (operator !== undefined && value.length > MOST_MATCHED)) return undefined;
  switch (operator) {
    case undefined:
      return value;
    case ':+':
      return value === '' ? '' : literal(argument, values);
    case '^^':
      return argument === '' ? value.toUpperCase() : undefined;
    case ',,':
      return argument === '' ? value.toLowerCase() : undefined;
    case '/':
    case '//': {
      const slash = unescapedSlash(argument);
      const [found, by] = [argument.slice(0, slash), argument.slice(slash + 1)].map((part) => literal(part, values));
      // `/#` and `/%` tie the pattern to an end of the text.
      if (found === undefined || by === undefined || by.length > 100 || /^[#%]/.test(found)) return undefined;
      const pattern = parseShellPattern(found);
      return pattern && replaceMatches(value, pattern, by, operator === '//');
    }
    case '#':
    case '##':
    case '%':
    case '%%': {
      const found = literal(argument, values);
      const pattern = found === undefined ? undefined : parseShellPattern(found);
      return pattern && cutMatch(value, operator, pattern);
    }
    default:
      return undefined;
  }
}

/** Where the pattern of a replacement ends: at its first slash without a backslash before it, or at its end. */
function unescapedSlash(argument: string): number {
  for (let at = 0; at < argument.length; at += 1) {
    if (argument[at] === '/' && argument[at - 1] !== '\\') return at;
  }
  return argument.length;
}

function literal(source: string, values: ShellValues): string | undefined {
  const { text, unknown } = expandWord(source, values);
  return unknown.length === 0 ? text : undefined;
}

/** Above it, a pattern is not tried: matching takes as many steps as value and pattern multiplied. */
const MOST_MATCHED = 512;

export function valueText(value: ShellValue | undefined): string | undefined {
  return value === undefined || typeof value === 'string' ? value : value.join(' ');
}

/** The words of a value that is a list: a command or an expansion that could not be expanded is one word. */
export function wordsOfValue(value: string): string[] {
  const words: string[] = [];
  let [from, at] = [0, 0];
  while (at < value.length) {
    const isBlank = /\s/.test(value[at]!);
    if (isBlank && at > from) words.push(value.slice(from, at));
    at = value[at] === '$' || value[at] === '`' ? Math.max(endOfExpansion(value, at), at + 1) : at + 1;
    if (isBlank) from = at;
  }
  return from < value.length ? [...words, value.slice(from)] : words;
}

/** Tells whether something in an expanded text could not be expanded. */
export function isUnexpanded(text: string): boolean {
  return /[`]|\$[({A-Za-z_]/.test(text);
}
