import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { withoutTrailing } from '../model/without-trailing.ts';
import { knownForge } from './known-forges.ts';
import { isHost, isLoopback, schemeOf } from './web-address.ts';

export type Location =
  /** As written: absolute, or relative to the working directory. */
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'git'; readonly url: string }
  /** `host` with its port; `path` without slashes at its ends, '' for the host alone. */
  | { readonly kind: 'web'; readonly scheme: 'https' | 'http'; readonly host: string; readonly path: string };

const PATH_ELEMENT = /^(?!\.{1,2}$)[A-Za-z0-9._~+-]{1,255}$/;
const MAXIMUM_LENGTH = 1000;
const MAXIMUM_ELEMENTS = 20;

/**
 * Decides what a location is, before anything is asked: a path, a git repository or a place on the web.
 *
 * @throws BuilditError `usage` for everything else: other schemes, credentials, queries, odd characters.
 */
export function classifyLocation(text: string): Location {
  if (text === '' || text.length > MAXIMUM_LENGTH) refuse(text, `${text.length} characters`);
  if (printable(text) !== text || /[\s\\]/.test(text)) refuse(text, 'spaces or odd characters');
  if (isPath(text)) return { kind: 'path', path: text };
  if (text.includes('@')) refuse(text, 'a user or a password', 'leave out what stands before the host');
  if (/[?#]/.test(text)) refuse(text, 'a query or a fragment', 'leave it out');
  const scheme = schemeOf(text);
  if (scheme === undefined) return onWeb(text, 'https', text);
  const rest = /^[^:]+:\/\/([^/].*)$/s.exec(text)?.[1];
  switch (scheme) {
    case 'https':
    case 'http':
      return onWeb(text, scheme, rest ?? refuse(text, 'no host'));
    case 'git+https':
    case 'git+http': {
      const { host, path } = placeOf(text, rest ?? refuse(text, 'no host'));
      const transport = scheme === 'git+https' ? 'https' : 'http';
      refusePlainHttp(text, transport, host);
      return { kind: 'git', url: `${transport}://${host}/${path}` };
    }
    default:
      return refuse(
        text,
        `the scheme "${scheme}:"`,
        'only https:// and git+https:// are asked (http:// on this machine)',
      );
  }
}

/** `/x`, `./x`, `../x`, and words that no host of the internet is called: `team/containers`. */
function isPath(text: string): boolean {
  if (/^\.{0,2}(?:\/|$)/.test(text)) return true;
  if (schemeOf(text) !== undefined || text.includes('@')) return false;
  const first = text.split('/', 1)[0]!;
  return !/[.:[]/.test(first) && first !== 'localhost';
}

function onWeb(text: string, scheme: 'https' | 'http', rest: string): Location {
  const { host, path } = placeOf(text, rest);
  refusePlainHttp(text, scheme, host);
  const forge = knownForge(host, path);
  switch (forge.kind) {
    case 'repository':
      return { kind: 'git', url: forge.url };
    case 'malformed':
      return refuse(text, 'another path', `a repository there is ${forge.form}`);
    case 'unknown':
      if (path.endsWith('.git')) return { kind: 'git', url: `${scheme}://${host}/${path}` };
      return { kind: 'web', scheme, host, path };
  }
}

function placeOf(text: string, rest: string): { host: string; path: string } {
  const [, host = '', hostname = '', path = ''] = /^((\[[^\]]*\]|[^:/]*)(?::\d{1,5})?)(?:\/(.*))?$/s.exec(rest) ?? [];
  if (!isHost(hostname)) refuse(text, 'no name of a host');
  const clean = withoutTrailing(path, '/');
  const elements = clean === '' ? [] : clean.split('/');
  if (elements.length > MAXIMUM_ELEMENTS) refuse(text, `a path of ${elements.length} elements`);
  if (!elements.every((element) => PATH_ELEMENT.test(element))) refuse(text, 'a path with odd elements');
  return { host: host.toLowerCase(), path: clean };
}

function refusePlainHttp(text: string, scheme: 'https' | 'http', host: string): void {
  if (scheme === 'https' || isLoopback(host.replace(/:\d+$/, ''))) return;
  refuse(text, 'plain http to another machine', 'use https');
}

function refuse(text: string, found: string, hint?: string): never {
  const message = `Cannot discover "${shownLocation(text)}": expected a name, a path, host/path or https://…, found ${found}`;
  throw new BuilditError('usage', message, { hint });
}

/** A location as messages may show it: where it may hold a secret, no more than its scheme. */
export function shownLocation(text: string): string {
  const shown = /[@?#]/.test(text) ? `${/^[a-z+]+:\/\//i.exec(text)?.[0] ?? ''}…` : printable(text);
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
}
