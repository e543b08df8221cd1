import { isCleanRelativePath } from './names.ts';

/** A name in a header of a patch: what was written, and whether the header says that there is no such file. */
export interface HeaderName {
  readonly name: string;
  readonly absent: boolean;
}

/** Reads what follows `--- ` or `+++ `: a name, perhaps quoted as git does, perhaps with a time behind it. */
export function readHeaderName(text: string): HeaderName | undefined {
  if (text.startsWith('"')) {
    const quoted = readQuoted(text);
    return quoted && { name: quoted.name, absent: quoted.name === '/dev/null' };
  }
  const { bare, time } = splitTime(text);
  return { name: bare, absent: bare === '/dev/null' || isBeginningOfTime(time) };
}

/** A time comes behind a tab, or is told by its form behind other blanks. */
function splitTime(text: string): { readonly bare: string; readonly time: string | undefined } {
  const tab = text.indexOf('\t');
  if (tab >= 0) return { bare: text.slice(0, tab), time: text.slice(tab + 1) };
  for (const { index } of text.matchAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g)) {
    const before = text.slice(0, index);
    const bare = before.trimEnd();
    if (bare.length < before.length) return { bare, time: text.slice(index) };
  }
  return { bare: text, time: undefined };
}

/** `diff -N` writes the time 0 for a file that is not there. */
function isBeginningOfTime(time: string | undefined): boolean {
  const [, date, clock, zone] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? ([+-]\d{4})\s*$/.exec(time ?? '') ?? [];
  return zone !== undefined && Date.parse(`${date}T${clock}${zone.slice(0, 3)}:${zone.slice(3)}`) === 0;
}

/** Splits what follows `diff --git `. Without quotes the two names are told apart by being the same when stripped. */
export function readGitNames(text: string, strip: number): [string, string] | undefined {
  if (text.startsWith('"')) {
    const first = readQuoted(text);
    const rest = first === undefined ? '' : text.slice(first.length + 1);
    const second = rest.startsWith('"') ? readQuoted(rest)?.name : rest;
    return first === undefined || second === undefined ? undefined : [first.name, second];
  }
  return sameNames(text, strip);
}

/** Two names of the same length when stripped: as the first gets longer, the second gets shorter, so one split can fit. */
function sameNames(text: string, strip: number): [string, string] | undefined {
  const ends = strip === 0 ? [] : [...text.matchAll(/\/+/g)].map((run) => run.index + run[0].length);
  const first = strip === 0 ? 0 : ends[strip - 1];
  if (first === undefined) return undefined;
  let run = 0;
  for (let space = text.indexOf(' ', first); space >= 0; space = text.indexOf(' ', space + 1)) {
    while (run < ends.length && ends[run]! <= space) run += 1;
    const second = strip === 0 ? space + 1 : ends[run + strip - 1];
    if (second === undefined) return undefined;
    const isSame = space - first === text.length - second && text.slice(first, space) === text.slice(second);
    if (isSame) return [text.slice(0, space), text.slice(space + 1)];
  }
  return undefined;
}

/** Removes leading elements as `patch -pN` does: the shortest prefix with N slashes, a run of slashes being one. */
export function stripped(name: string, strip: number): string | undefined {
  let rest = name;
  for (let i = 0; i < strip; i += 1) {
    const slash = /\/+/.exec(rest);
    if (slash === null) return undefined;
    rest = rest.slice(slash.index + slash[0].length);
  }
  return rest;
}

/** The path a stripped name means, decoded, or undefined where it is not clean, leads out, or is no UTF-8. */
export function patchedPath(name: string): string | undefined {
  let path: string;
  try {
    path = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(name, 'latin1'));
  } catch {
    return undefined;
  }
  return isCleanRelativePath(path) && !/[\u0000-\u001f\u007f]/.test(path) ? path : undefined;
}

/** Writes a path so that `readHeaderName` gives it back: quoted where needed, a tab behind a name with spaces. */
export function writeHeaderName(path: string): string {
  const name = quotedName(path);
  return name.includes(' ') && !name.startsWith('"') ? `${name}\t` : name;
}

export function quotedName(path: string): string {
  const name = Buffer.from(path).toString('latin1');
  return /["\\]/.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : name;
}

/** A name in C quotes as git writes it; `length` counts the quotes. */
export function readQuoted(text: string): { name: string; length: number } | undefined {
  const parts: string[] = [];
  for (let at = 1; at < text.length; ) {
    const character = text[at]!;
    if (character === '"') return { name: parts.join(''), length: at + 1 };
    if (character !== '\\') {
      parts.push(character);
      at += 1;
      continue;
    }
    const digits = octalDigits(text, at + 1);
    const code = text[at + 1];
    if (code === undefined) return undefined;
    parts.push(digits === '' ? (ESCAPES[code] ?? code) : String.fromCharCode(Number.parseInt(digits, 8) & 0xff));
    at += 1 + Math.max(1, digits.length);
  }
  return undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
};

function octalDigits(text: string, at: number): string {
  let end = at;
  while (end < at + 3 && text[end] !== undefined && text[end]! >= '0' && text[end]! <= '7') end += 1;
  return text.slice(at, end);
}
