import { BuilditError } from './errors.ts';
import { type LocationFault, oddCharacter } from './location-fault.ts';
import { printable } from './names.ts';

/** Where SFTP is spoken, and a directory there. */
export interface SshLocation {
  readonly user: string | undefined;
  /** A host name, a name from `~/.ssh/config`, or an address; IPv6 without its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** Relative to where the server starts SFTP, `''` being that; absolute where it begins with `/`. */
  readonly path: string;
}

const MAXIMUM_LENGTH = 1000;
const HOST = /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.(?!-)[A-Za-z0-9_-]{1,63})*\.?$/;
const HOST_CHARACTER = /[A-Za-z0-9._-]/;
/** With a zone, as in `fe80::1%eth0`. */
const IPV6 = /^[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,32})?$/;
/** No user of OpenSSH either: they mean something to a shell (`valid_ruser` of ssh.c). */
const USER_CHARACTER = /[^'"`$;&<>|(){}]/;
const FORMS = 'a place over SSH is written user@host/path, user@host:port/path or ssh://user@host:port/path';

/**
 * Parses `user@host[:port]/path`, `ssh://user@host[:port]/path` and `user@host:path`; user and path may be left out. As
 * in OpenSSH the last `@` before the host ends the user, and an address with `ssh://` may have `%20` and the like. The
 * path begins where the server starts SFTP, as `~/path` does; after a second `/` it is absolute.
 *
 * @throws BuilditError `configuration-invalid`; no part can be an option, hold control characters, or lead upwards.
 */
export function parseSshLocation(text: string): SshLocation {
  const read = readSshLocation(text);
  if (!('expected' in read)) return read;
  const { expected, found, hint = FORMS, isSecret } = read;
  const shown = isSecret === true ? '…' : printable(text.slice(0, 200));
  throw new BuilditError('configuration-invalid', `Cannot use "${shown}": expected ${expected}, found ${found}`, {
    hint,
  });
}

/** The same, with the fault as a value. */
export function readSshLocation(text: string): SshLocation | LocationFault {
  if (text.length > MAXIMUM_LENGTH) {
    return { expected: `at most ${MAXIMUM_LENGTH} characters`, found: String(text.length) };
  }
  const odd = oddCharacter(text, /[\s\S]/);
  if (odd !== undefined) return { expected: 'user@host[:port]/path', found: odd };
  if (text.trim() !== text || text === '') return { expected: 'user@host[:port]/path', found: emptyOrBlank(text) };
  const scheme = /^[a-z][a-z0-9+.-]{0,20}:\/\//i.exec(text)?.[0];
  if (scheme !== undefined && scheme !== 'ssh://') return { expected: 'ssh://', found: `"${scheme}"`, isSecret: true };
  const isUrl = scheme !== undefined;
  const split = splitLocation(isUrl ? text.slice('ssh://'.length) : text, isUrl);
  if ('expected' in split) return split;
  const user = split.user === undefined ? undefined : decoded(split.user, isUrl);
  const path = decoded(split.path, isUrl);
  const host = split.host.startsWith('[') ? decoded(split.host.slice(1, -1), isUrl) : split.host;
  if (host === undefined || path === undefined || (split.user !== undefined && user === undefined)) {
    return { expected: 'percent-encoding such as %20', found: 'a "%" without two hexadecimal digits behind it' };
  }
  const port = split.port === undefined ? undefined : Number(split.port);
  const cleanPath = readPath(path);
  return (
    (user === undefined ? undefined : userFault(user)) ??
    hostFault(host) ??
    (port === undefined || isPort(port) ? undefined : { expected: 'a port from 1 to 65535', found: split.port! }) ??
    (typeof cleanPath === 'string' ? { user, host, port, path: cleanPath } : cleanPath)
  );
}

interface SplitLocation {
  readonly user: string | undefined;
  /** With its brackets. */
  readonly host: string;
  readonly port: string | undefined;
  readonly path: string;
}

const PASSWORD: LocationFault = {
  expected: 'an address without a password',
  found: 'a ":" before the "@"',
  hint: 'leave the password out: keys and agents log in. A path with "@" is written host/path',
  isSecret: true,
};

function splitLocation(rest: string, isUrl: boolean): SplitLocation | LocationFault {
  const end = endOfHost(rest);
  const head = rest.slice(0, end);
  const authority = rest.split('/', 1)[0]!;
  const at = head.lastIndexOf('@');
  if (at < 0 && authority.includes('@')) return PASSWORD;
  const host = head.slice(at + 1);
  const behind = /^(?::(\d{1,5})(?=\/|$))?(?:([/:])([\s\S]*))?$/.exec(rest.slice(end));
  const [, port, separator, path = ''] = behind ?? [];
  if (behind === null || (separator === ':' && (isUrl || port !== undefined))) {
    return { expected: 'a port or a path behind the host', found: `"${printable(rest.slice(end, end + 100))}"` };
  }
  return { user: at < 0 ? undefined : head.slice(0, at), host, port, path };
}

/** The first `:` or `/` ends it (`colon` of OpenSSH's misc.c), but for those between the brackets of an address. */
function endOfHost(text: string): number {
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]!;
    if (character === ':' || character === '/') return index;
    const bracket = character === '[' && (index === 0 || text[index - 1] === '@') ? text.indexOf(']', index) : -1;
    if (bracket >= 0) index = bracket;
  }
  return text.length;
}

function decoded(text: string, isUrl: boolean): string | undefined {
  if (!isUrl) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function emptyOrBlank(text: string): string {
  return text.trim() === '' ? 'nothing' : 'a blank at its start or end';
}

export function isSshUser(text: string): boolean {
  return userFault(text) === undefined;
}

function userFault(user: string): LocationFault | undefined {
  const expected = 'the name of a user';
  if (user.length > 200) return { expected, found: `${user.length} characters` };
  const odd = oddCharacter(user, USER_CHARACTER);
  if (odd !== undefined) return { expected, found: `${odd} in it` };
  if (user.trim() !== user || user === '') return { expected, found: emptyOrBlank(user) };
  // Where ssh has to hand a name on to a shell, a word of its own could be an option.
  if (/^-|\s-/.test(user)) return { expected, found: `"${user}", in which a word begins with "-"` };
  return user.endsWith('\\') ? { expected, found: 'a "\\" at its end' } : undefined;
}

export function isSshHost(text: string): boolean {
  return hostFault(text) === undefined;
}

function hostFault(host: string): LocationFault | undefined {
  if (host.length <= 253 && (HOST.test(host) || (host.includes(':') && IPV6.test(host)))) return undefined;
  const expected = 'the name of a host';
  if (host === '') return { expected, found: 'none' };
  const odd = host.includes(':') ? undefined : oddCharacter(host, HOST_CHARACTER);
  const shown = `"${printable(host.slice(0, 100))}"`;
  return { expected, found: odd === undefined ? shown : `${odd} in ${shown}` };
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** `ssh://user@host:port/path`, as messages name it. */
export function shownLocation({ user, host, port, path }: SshLocation): string {
  const who = user === undefined ? '' : `${user}@`;
  const where = host.includes(':') ? `[${host}]` : host;
  return printable(`ssh://${who}${where}${port === undefined ? '' : `:${port}`}/${path}`);
}

/** Without what changes nothing: `.`, doubled and last slashes, and the `~` of the user's own home. */
function readPath(written: string): string | LocationFault {
  const expected = 'a path that leads downwards';
  const odd = oddCharacter(written, /[\s\S]/);
  if (odd !== undefined || !written.isWellFormed()) return { expected, found: odd ?? 'half a character' };
  const isAbsolute = written.startsWith('/');
  const elements = written.split('/').filter((element) => element !== '' && element !== '.');
  if (!isAbsolute && elements[0] === '~') elements.shift();
  const [first = ''] = elements;
  if (!isAbsolute && first.startsWith('~')) {
    const hint = 'SFTP knows no home of another user: write the absolute path, as in user@host//home/name/path';
    return { expected, found: `"${first}"`, hint };
  }
  if (first.startsWith('\\')) return { expected, found: 'a "\\" at its start' };
  if (elements.includes('..')) return { expected, found: 'the element ".."' };
  const option = elements.find((element) => element.startsWith('-'));
  if (option !== undefined) return { expected, found: `the element "${option.slice(0, 100)}", which begins with "-"` };
  return `${isAbsolute ? '/' : ''}${elements.join('/')}`;
}
