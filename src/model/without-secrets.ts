import { append } from './append.ts';

/**
 * Addresses as they may leave this process: without user and password, and without the values of parameters that are
 * credentials by their names. Works on any text, also on addresses that no parser accepts, in time that grows with its
 * length.
 */
export function withoutSecrets(text: string): string {
  return replaced(text, () => HIDDEN);
}

/** The same with as many characters, for lines whose columns count. */
export function maskedSecrets(text: string): string {
  return replaced(text, (length) => '*'.repeat(length));
}

/** A text that is meant to be an address, also one without a scheme: whatever stands before its last `@` is hidden. */
export function shownAddress(text: string): string {
  const at = text.lastIndexOf('@');
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]{0,30}:\/\//.exec(text)?.[0] ?? '';
  return withoutSecrets(at < scheme.length ? text : `${scheme}${HIDDEN}${text.slice(at)}`);
}

const HIDDEN = '***';

type Range = readonly [start: number, end: number];

function replaced(text: string, hidden: (length: number) => string): string {
  if (!text.includes('://') && !text.includes('@') && !/%3a%2f%2f/i.test(text)) return text;
  const ranges = [...plainRanges(text), ...encodedRanges(text), ...barePasswords(text)].sort(([a], [b]) => a - b);
  let result = '';
  let copied = 0;
  for (const [start, end] of ranges) {
    if (start < copied) continue;
    result += text.slice(copied, start) + hidden(end - start);
    copied = end;
  }
  return result + text.slice(copied);
}

function plainRanges(text: string): Range[] {
  const ranges: Range[] = [];
  for (let at = text.indexOf('://'); at >= 0; ) {
    const next = text.indexOf('://', at + 3);
    const limit = next < 0 ? text.length : next;
    const start = at + 3;
    const token = tokenEnd(text, start, limit);
    const user = userEnd(text, start, { token, limit });
    if (user !== undefined && !isPlainSshUser(text, at, text.slice(start, user))) ranges.push([start, user]);
    append(ranges, parameterRanges(text, Math.max(start, user ?? start), token));
    at = next;
  }
  return ranges;
}

/** Where the user part ends, at its `@`; undefined where there is none. */
function userEnd(
  text: string,
  start: number,
  { token, limit }: { readonly token: number; readonly limit: number },
): number | undefined {
  const authority = indexWhere(text, start, token, (code) => AUTHORITY_ENDS.has(code));
  const at = lastWhere(text, start, authority, AT);
  if (at !== undefined) return at;
  // A password with a slash, a blank or a quote in it: what stands where the port would, is none.
  const colon = indexWhere(text, start, authority, (code) => code === COLON);
  if (text[start] === '[' || colon === authority || isPort(text.slice(colon + 1, authority))) return undefined;
  const line = lineEnd(text, start, Math.min(limit, start + MOST_OF_A_SECRET));
  const later = lastWhere(text, authority, line, AT);
  if (later !== undefined) return later;
  return text[token] === '…' || text[token - 1] === '…' ? token : undefined;
}

/** `me:password@host/path` and `me:password@host:22`, as a place over SSH is written; a digest behind a tag is none. */
function barePasswords(text: string): Range[] {
  const address =
    /(?<![^\s"'`([{=,])([^\s"'`/@:<>]{1,100}:)([^\s"'`/@<>]{1,200})@(?!sha(?:256|384|512):)[A-Za-z0-9._[-]{1,253}[\]:/"'`]/g;
  return [...text.matchAll(address)].map(({ index, 1: user = '', 2: password = '' }) => {
    const start = index + user.length;
    return [start, start + password.length];
  });
}

const MOST_OF_A_SECRET = 400;

/** The end of the line, of a JSON string, or of what a secret may be long. */
function lineEnd(text: string, start: number, limit: number): number {
  for (let index = start; index < limit; index += 1) {
    if (text[index] === '\n') return index;
    if (text[index] === '"' && text[index - 1] !== '\\') return index;
  }
  return limit;
}

function isPort(text: string): boolean {
  return /^\d{0,5}$/.test(text);
}

/** `ssh://git@host`: a name without which nobody could tell one place from another, and no secret. */
function isPlainSshUser(text: string, colon: number, user: string): boolean {
  return /(?:^|[^a-z])(?:ssh|sftp|git\+ssh)$/i.test(text.slice(Math.max(0, colon - 8), colon)) && !user.includes(':');
}

const SECRET_PARAMETER =
  /^(?:.*[-_.])?(?:token|auth|authorization|key|apikey|password|passwd|pwd|pass|secret|sig|signature|credential|credentials|session)$/i;

/** Values of `?token=…&X-Amz-Signature=…`. */
function parameterRanges(text: string, start: number, end: number): Range[] {
  const ranges: Range[] = [];
  let at = indexWhere(text, start, end, (code) => code === QUESTION || code === HASH);
  while (at < end) {
    const next = indexWhere(text, at + 1, end, (code) => code === AMPERSAND || code === SEMICOLON || code === HASH);
    const equals = indexWhere(text, at + 1, Math.min(next, at + 80), (code) => code === EQUALS);
    if (text[equals] === '=' && SECRET_PARAMETER.test(text.slice(at + 1, equals))) {
      if (equals + 1 < next) ranges.push([equals + 1, next]);
    }
    at = next;
  }
  return ranges;
}

/** `https%3A%2F%2Fme%3Asecret%40host`, as an address in a parameter of another one. */
function encodedRanges(text: string): Range[] {
  const ranges: Range[] = [];
  const matches = [...text.matchAll(/%3a%2f%2f/gi)];
  for (const [which, { index }] of matches.entries()) {
    const start = index + '%3A%2F%2F'.length;
    const token = tokenEnd(text, start, Math.min(matches[which + 1]?.index ?? text.length, start + MOST_OF_A_SECRET));
    const host = text.slice(start, token).split(/%2f|[&/]/i, 1)[0]!;
    const at = Math.max(host.lastIndexOf('%40'), host.lastIndexOf('@'));
    if (at > 0) ranges.push([start, start + at]);
  }
  return ranges;
}

const [AMPERSAND, SEMICOLON, HASH, QUESTION, EQUALS, COLON, AT] = [...'&;#?=:@'].map((one) => one.charCodeAt(0));
const AUTHORITY_ENDS = new Set([...'/?#\\'].map((character) => character.charCodeAt(0)));
const TOKEN_ENDS = new Set([...'"\'<>`…'].map((character) => character.charCodeAt(0)));

/** Where a text without blanks, quotes and control characters ends. */
function tokenEnd(text: string, start: number, limit: number): number {
  return indexWhere(text, start, limit, (code) => code <= 0x20 || TOKEN_ENDS.has(code));
}

function indexWhere(text: string, start: number, end: number, isIt: (code: number) => boolean): number {
  for (let index = start; index < end; index += 1) if (isIt(text.charCodeAt(index))) return index;
  return end;
}

function lastWhere(text: string, start: number, end: number, code: number | undefined): number | undefined {
  for (let index = end - 1; index >= start; index -= 1) if (text.charCodeAt(index) === code) return index;
  return undefined;
}
