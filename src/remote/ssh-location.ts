import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { withoutTrailing } from '../model/without-trailing.ts';

/** Where SFTP is spoken, and a directory there. */
export interface SshLocation {
  readonly user: string | undefined;
  /** A host name, a name from `~/.ssh/config`, or an address; IPv6 without its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** Relative to where the server starts SFTP, `''` being that; absolute where it begins with `/`. */
  readonly path: string;
}

const USER = /^[A-Za-z_][A-Za-z0-9._-]{0,63}$/;
const HOST = /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.(?!-)[A-Za-z0-9_-]{1,63})*$/;
const IPV6 = /^[0-9A-Fa-f:.]{2,45}$/;

/**
 * Parses `user@host[:port]/path`, `ssh://user@host[:port]/path` and `user@host:path`; user and path may be left out. The
 * path begins where the server starts SFTP; after a second `/` it is absolute.
 *
 * @throws BuilditError `configuration-invalid`; no part can be an option, hold control characters, or lead upwards.
 */
export function parseSshLocation(text: string): SshLocation {
  const rest = text.startsWith('ssh://') ? text.slice('ssh://'.length) : text;
  const parts = /^(?:([^@/]*)@)?(\[[^\]]*\]|[^@:/[\]]*)(?::(\d{1,5})(?=\/|$))?(?:([/:])([\s\S]*))?$/.exec(rest);
  if (parts === null || text.length > 1000) throw refused(text, 'user@host[:port]/path', 'something else');
  const [, user, hostText = '', portText, separator, pathText = ''] = parts;
  if (user !== undefined && !isSshUser(user)) throw refused(text, 'the name of a user', `"${user}"`);
  const host = hostText.startsWith('[') ? hostText.slice(1, -1) : hostText;
  if (!isSshHost(host) || hostText.startsWith('[') !== host.includes(':')) {
    throw refused(text, 'the name of a host', host === '' ? 'none' : `"${host}"`);
  }
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && !isPort(port)) throw refused(text, 'a port from 1 to 65535', portText!);
  if (separator === ':' && (text.startsWith('ssh://') || port !== undefined)) {
    throw refused(text, 'a port or a path', `":${pathText}"`);
  }
  return { user, host, port, path: checkedPath(text, pathText) };
}

export function isSshUser(text: string): boolean {
  return USER.test(text);
}

export function isSshHost(text: string): boolean {
  return text.length <= 253 && (HOST.test(text) || (text.includes(':') && IPV6.test(text)));
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

function checkedPath(text: string, path: string): string {
  const clean = withoutTrailing(path, '/');
  const absolute = path.startsWith('/');
  const relative = absolute ? clean.slice(1) : clean;
  const elements = relative === '' ? [] : relative.split('/');
  const usable =
    printable(path) === path &&
    path.isWellFormed() &&
    !/[\\~]/.test(path.slice(0, 1)) &&
    elements.every((element) => element !== '' && element !== '.' && element !== '..' && !element.startsWith('-'));
  if (!usable) throw refused(text, 'a plain path without "..", "." and leading "-"', `"${path}"`);
  if (absolute) return clean === '' ? '/' : clean;
  return clean;
}

function refused(text: string, expected: string, found: string): BuilditError {
  return new BuilditError(
    'configuration-invalid',
    `Cannot use "${printable(text.slice(0, 200))}": expected ${expected}, found ${printable(found.slice(0, 200))}`,
    { hint: 'a place over SSH is written user@host/path, user@host:port/path or ssh://user@host:port/path' },
  );
}
