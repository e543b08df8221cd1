import { BuilditError } from '../../model/errors.ts';
import {
  closing,
  endOfDoubleQuoted,
  endOfExpansion,
  expandWord,
  type ShellValue,
  type ShellValues,
} from './shell-word.ts';

/** What a file of shell says without being run. */
export interface ShellFile {
  readonly values: ShellValues;
  /** Bodies by name, without the braces, their common indentation taken off. */
  readonly functions: ReadonlyMap<string, string>;
  /** Commands outside of functions whose words are known: `inherit autotools`. */
  readonly commands: readonly (readonly string[])[];
  /** What could not be understood: each with its line, the first is 1. */
  readonly unread: readonly { readonly line: number; readonly text: string }[];
  /** Everything outside of functions, and every function, in the order written. */
  readonly parts: readonly ShellPart[];
}

export interface ShellPart {
  readonly kind: 'variable' | 'function' | 'command' | 'unread';
  /** Of the variable, the function or the program; empty for what was not understood. */
  readonly name: string;
  readonly line: number;
  /** The value, the body or the whole statement, as written. */
  readonly source: string;
}

export const SHELL_LIMITS = { bytes: 256 * 1024, statements: 5000, expansions: 2000 } as const;

/**
 * Reads a file of shell as data: assignments, lists, functions. Nothing is run; a value that needs a command is unknown,
 * and so is what an `if` or a `case` would assign.
 */
export function readShell(source: string, given: Readonly<Record<string, string>> = {}): ShellFile {
  const values = new Map<string, ShellValue>(Object.entries(given));
  const functions = new Map<string, string>();
  const commands: (readonly string[])[] = [];
  const unread: { line: number; text: string }[] = [];
  const parts: ShellPart[] = [];
  if (source.length > SHELL_LIMITS.bytes) throw tooMuch(`at most ${SHELL_LIMITS.bytes} bytes`);
  // They may stand in each other, and each level is a call.
  if ((source.match(/\$[{(]/g)?.length ?? 0) > SHELL_LIMITS.expansions) {
    throw tooMuch(`at most ${SHELL_LIMITS.expansions} expansions`);
  }
  const lineAt = lineCounter(source);
  let statements = 0;
  for (let at = skipBlank(source, 0); at < source.length; at = skipBlank(source, at)) {
    statements += 1;
    if (statements > SHELL_LIMITS.statements) throw tooMuch(`at most ${SHELL_LIMITS.statements} statements`);
    const rest = source.slice(at, at + 300);
    const head = /^(?:function\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*\(\)\s*\{/.exec(rest);
    if (head !== null) {
      const open = at + head[0].length - 1;
      const end = endOfBlock(source, open);
      functions.set(head[1]!, dedented(source.slice(open + 1, end - 1)));
      parts.push({ kind: 'function', name: head[1]!, line: lineAt(at), source: source.slice(open + 1, end - 1) });
      at = end;
      continue;
    }
    const assignment = /^(?:export\s+|declare\s+(?:-\w+\s+)*|local\s+)?([A-Za-z_][A-Za-z0-9_]*)(\+?)=/.exec(rest);
    if (assignment !== null) {
      const [matched, name, plus] = assignment as unknown as [string, string, string];
      const [line, from] = [lineAt(at), at + matched.length];
      at = assign(source, from, name, plus === '+', values);
      parts.push({ kind: 'variable', name, line, source: source.slice(from, at) });
      continue;
    }
    const end = endOfStatement(source, at);
    const text = source.slice(at, end).trim();
    const words = wordsOf(text).map((word) => expandWord(word, values));
    const isCompound = /^(?:if|case|for|while|until|\[|test|\{|\(|!)(?:\s|$)|&&|\|\|/.test(text);
    if (!isCompound && words.length > 0 && words.every(({ unknown }) => unknown.length === 0)) {
      commands.push(words.map((word) => word.text));
      parts.push({ kind: 'command', name: words[0]!.text, line: lineAt(at), source: text });
    } else {
      parts.push({ kind: 'unread', name: '', line: lineAt(at), source: text });
      unread.push({ line: lineAt(at), text: text.split('\n', 1)[0]! });
      // What such a statement assigns is not known any more.
      const used = new Set([...text.matchAll(/\$\{?([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name]) => name));
      for (const [, name] of text.matchAll(/(?:^|[\s;&|])([A-Za-z_][A-Za-z0-9_]*)\+?=/g)) {
        if (!used.has(name)) values.delete(name!);
      }
    }
    at = end + 1;
  }
  return { values, functions, commands, unread, parts };
}

function assign(
  source: string,
  at: number,
  name: string,
  isAppended: boolean,
  values: Map<string, ShellValue>,
): number {
  if (source[at] === '(') {
    const end = closing(source, at, '(', ')');
    const items = wordsOf(source.slice(at + 1, end - 1)).map((word) => expandWord(word, values).text);
    const before = values.get(name);
    const whole = isAppended && Array.isArray(before) ? [...before, ...items] : items;
    if (whole.reduce((sum, item) => sum + item.length, 0) > SHELL_LIMITS.bytes) {
      throw tooMuch(`values of at most ${SHELL_LIMITS.bytes} bytes`);
    }
    values.set(name, whole);
    return end;
  }
  const end = endOfWord(source, at);
  const { text } = expandWord(source.slice(at, end), values);
  const before = values.get(name);
  const whole = isAppended && typeof before === 'string' ? before + text : text;
  if (whole.length > SHELL_LIMITS.bytes) throw tooMuch(`values of at most ${SHELL_LIMITS.bytes} bytes`);
  values.set(name, whole);
  return end;
}

/** Behind blanks, ends of statements and comments. */
function skipBlank(source: string, from: number): number {
  let at = from;
  for (;;) {
    while (at < source.length && /[\s;&]/.test(source[at]!)) at += 1;
    if (source[at] !== '#') return at;
    while (at < source.length && source[at] !== '\n') at += 1;
  }
}

/** Behind one word: blanks and operators end it, unless quoted. */
function endOfWord(source: string, from: number): number {
  let at = from;
  while (at < source.length && !/[\s;&|<>()]/.test(source[at]!)) at = behindPart(source, at);
  return at;
}

/** Behind one character, or one quoted or expanded part. */
function behindPart(source: string, at: number): number {
  switch (source[at]) {
    case '\\':
      return at + 2;
    case "'": {
      const end = source.indexOf("'", at + 1);
      return end < 0 ? source.length : end + 1;
    }
    case '"':
      return endOfDoubleQuoted(source, at);
    case '$':
    case '`':
      return Math.max(endOfExpansion(source, at), at + 1);
    default:
      return at + 1;
  }
}

/** The words of a simple command or a list, as written; comments are left out. */
export function wordsOf(source: string): string[] {
  const words: string[] = [];
  let at = skipSpace(source, 0);
  while (at < source.length) {
    const end = Math.max(endOfWord(source, at), at + 1);
    words.push(source.slice(at, end));
    at = skipSpace(source, end);
  }
  return words;
}

function skipSpace(source: string, from: number): number {
  let at = from;
  for (;;) {
    while (at < source.length && (/\s/.test(source[at]!) || source.startsWith('\\\n', at)))
      at += source[at] === '\\' ? 2 : 1;
    if (source[at] !== '#') return at;
    while (at < source.length && source[at] !== '\n') at += 1;
  }
}

const OPENS = new Set(['if', 'case', 'for', 'while', 'until']);
const CLOSES = new Set(['fi', 'esac', 'done']);

/** The end of a statement: of its line, or of the compound command that begins in it. */
export function endOfStatement(source: string, from: number): number {
  let depth = 0;
  let at = from;
  let isCommand = true;
  while (at < source.length) {
    const character = source[at]!;
    if (character === '\n' || character === ';') {
      if (depth <= 0) return at;
      isCommand = true;
      at += 1;
    } else if (character === '#' && (at === from || /[\s;]/.test(source[at - 1]!))) {
      while (at < source.length && source[at] !== '\n') at += 1;
    } else if (character === '<' && source.startsWith('<<', at) && source[at + 2] !== '<') {
      at = behindHereDocument(source, at);
    } else if (/[A-Za-z]/.test(character) && isCommand) {
      const word = /^[A-Za-z]+/.exec(source.slice(at, at + 20))![0];
      if (OPENS.has(word)) depth += 1;
      if (CLOSES.has(word)) depth -= 1;
      isCommand = ['then', 'do', 'else', 'elif', 'in'].includes(word);
      at = endOfWord(source, at);
    } else if (character === '(' && source[at - 1] === '=') {
      at = closing(source, at, '(', ')');
    } else if (/[{}()&|]/.test(character)) {
      if (character === '{') depth += 1;
      if (character === '}') depth -= 1;
      isCommand = true;
      at += 1;
    } else {
      if (!/\s/.test(character)) isCommand = false;
      at = behindPart(source, at);
    }
  }
  return source.length;
}

/** Behind the brace that closes a function's body. */
function endOfBlock(source: string, open: number): number {
  let depth = 0;
  let at = open;
  while (at < source.length) {
    const character = source[at]!;
    if (character === '#' && /[\s;{]/.test(source[at - 1] ?? '\n')) {
      while (at < source.length && source[at] !== '\n') at += 1;
    } else if (character === '<' && source.startsWith('<<', at) && source[at + 2] !== '<') {
      at = behindHereDocument(source, at);
    } else if (character === '{') {
      depth += 1;
      at += 1;
    } else if (character === '}') {
      depth -= 1;
      at += 1;
      if (depth === 0) return at;
    } else at = behindPart(source, at);
  }
  throw new BuilditError(
    'input-invalid',
    'Cannot read the recipe: expected a function that ends, found the end of the file',
  );
}

function behindHereDocument(source: string, at: number): number {
  const [operator, dash, quote, word] =
    /^<<(-?)\s*(["']?)([A-Za-z_][A-Za-z0-9_]*)\2/.exec(source.slice(at, at + 200)) ?? [];
  if (operator === undefined || quote === undefined) return at + 2;
  const end = new RegExp(`^${dash === '-' ? '\\t*' : ''}${word}[ \\t]*$`, 'm');
  const body = source.indexOf('\n', at);
  if (body < 0) return source.length;
  const found = end.exec(source.slice(body + 1));
  return found === null ? source.length : body + 1 + found.index + found[0].length;
}

/** Lines without the indentation that all of them have. */
export function dedented(text: string): string {
  const lines = text
    .replace(/^[ \t]*\n/, '')
    .trimEnd()
    .split('\n');
  const spaces = lines.filter((line) => line.trim() !== '').map((line) => /^[ \t]*/.exec(line)![0]);
  const common = spaces.reduce((shortest, one) => (one.length < shortest.length ? one : shortest), spaces[0] ?? '');
  const isShared = spaces.every((one) => one.startsWith(common));
  return lines.map((line) => (isShared && line.startsWith(common) ? line.slice(common.length) : line)).join('\n');
}

function lineCounter(source: string): (offset: number) => number {
  let [line, at] = [1, 0];
  return (offset) => {
    for (; at < offset; at += 1) if (source[at] === '\n') line += 1;
    return line;
  };
}

function tooMuch(expected: string): BuilditError {
  return new BuilditError('input-invalid', `Cannot read the recipe: expected ${expected}, found more`);
}
