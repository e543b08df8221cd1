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
  const tab = text.indexOf('\t');
  const [, bare, time] =
    tab >= 0
      ? ['', text.slice(0, tab), text.slice(tab + 1)]
      : (/^(.*?)(?:\s+(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d.*))?$/.exec(text) ?? ['', text, undefined]);
  return { name: bare!, absent: bare === '/dev/null' || isBeginningOfTime(time) };
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
  for (let space = text.indexOf(' '); space >= 0; space = text.indexOf(' ', space + 1)) {
    const names: [string, string] = [text.slice(0, space), text.slice(space + 1)];
    const left = stripped(names[0], strip);
    if (left !== undefined && left === stripped(names[1], strip)) return names;
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
  const [whole, inner] = /^"((?:[^"\\]|\\.)*)"/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const escapes: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
  const name = inner!.replace(/\\([0-7]{1,3}|.)/g, (_, code: string) =>
    /^[0-7]/.test(code) ? String.fromCharCode(Number.parseInt(code, 8) & 0xff) : (escapes[code] ?? code),
  );
  return { name, length: whole.length };
}
