import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutTrailing } from '../model/without-trailing.ts';

/** One archive the host's package manager takes packages from. */
export interface AptSource {
  /** http or https, without a trailing slash. */
  readonly root: string;
  readonly suites: readonly string[];
}

/**
 * Reads apt's lists of sources (sources.list(5)): `sources.list`, and `*.list` and `*.sources` in `sources.list.d`.
 * What cannot be understood is passed over: these are hints where to look, and what is found there is verified.
 */
export function readAptSources(directory = '/etc/apt'): readonly AptSource[] {
  const parts = namesIn(join(directory, 'sources.list.d'))
    .filter((name) => /^[A-Za-z0-9_.-]+\.(list|sources)$/.test(name))
    .sort()
    .map((name) => join(directory, 'sources.list.d', name));
  return [join(directory, 'sources.list'), ...parts].flatMap((path) => {
    const text = readText(path);
    return path.endsWith('.sources') ? parseDeb822Sources(text) : parseOneLineSources(text);
  });
}

/** `deb [arch=amd64 signed-by=…] http://host/debian bookworm main contrib` */
export function parseOneLineSources(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const entry = /^\s*deb(?:-src)?\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)/.exec(line.split('#', 1)[0]!);
    return entry === null ? [] : sourcesOf([entry[1]!], [entry[2]!]);
  });
}

/** Stanzas with Types, URIs, Suites and Components. */
export function parseDeb822Sources(text: string): AptSource[] {
  return text.split(/\n[ \t]*\n/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    let current = '';
    for (const line of stanza.split('\n')) {
      if (line.startsWith('#')) continue;
      const [, name, value] = /^([A-Za-z-]+):(.*)$/.exec(line) ?? [];
      if (name !== undefined) {
        current = name.toLowerCase();
        fields.set(current, value!);
      } else if (/^[ \t]/.test(line) && current !== '') {
        fields.set(current, `${fields.get(current)} ${line}`);
      }
    }
    if (/^(no|false|without|off|disable)$/i.test(fields.get('enabled')?.trim() ?? 'yes')) return [];
    return sourcesOf(words(fields.get('uris')), words(fields.get('suites')));
  });
}

function sourcesOf(uris: readonly string[], suites: readonly string[]): AptSource[] {
  const named = suites.filter((suite) => !suite.endsWith('/'));
  return uris.flatMap((uri) => {
    const root = archiveRoot(uri);
    return root === undefined || named.length === 0 ? [] : [{ root, suites: named }];
  });
}

/** The root of an archive as a URL without credentials, query or trailing slash; undefined for other schemes. */
export function archiveRoot(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined;
  const url = new URL(uri);
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.search !== '' || url.hash !== '') return undefined;
  return withoutTrailing(url.href, '/');
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
