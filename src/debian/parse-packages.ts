import { isDigest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { isCleanRelativePath, isDebianPackageName, isDebianVersion, printable } from '../model/names.ts';
import type { IndexedPackage, MultiArch } from './indexed-package.ts';
import { relationsFault } from './relations.ts';

/** The fields that count; all others of an index are passed over unread. */
const FIELDS = new Set([
  'Package',
  'Version',
  'Architecture',
  'Multi-Arch',
  'Essential',
  'Important',
  'Priority',
  'Pre-Depends',
  'Depends',
  'Provides',
  'Conflicts',
  'Breaks',
  'Filename',
  'Size',
  'SHA256',
  'Source',
]);

const PRIORITIES: Readonly<Record<string, number>> = { required: 1, important: 2, standard: 3, optional: 4, extra: 5 };
const MULTI_ARCH: readonly string[] = ['no', 'same', 'foreign', 'allowed'];

/**
 * Reads stanzas of a `Packages` file. Every name, version, path and relation is checked; a mistake is an error that names
 * the stanza, because a signed index has none.
 */
export function parsePackages(text: string, place: string, architecture: string): IndexedPackage[] {
  const packages: IndexedPackage[] = [];
  let start = 0;
  while (start < text.length) {
    const blank = text.indexOf('\n\n', start);
    const end = blank < 0 ? text.length : blank;
    if (end > start) packages.push(parseStanza(text, start, end, place, architecture));
    start = end + 2;
  }
  return packages;
}

type Fields = Partial<Record<string, string>>;

function parseStanza(text: string, start: number, end: number, place: string, architecture: string): IndexedPackage {
  const fields: Fields = {};
  let current = '';
  for (let line = start; line < end; ) {
    const newline = text.indexOf('\n', line);
    const lineEnd = newline < 0 || newline > end ? end : newline;
    const first = text.charCodeAt(line);
    if (first === 0x20 || first === 0x09) {
      if (current !== '') fields[current] += text.slice(line, lineEnd);
    } else {
      const colon = text.indexOf(':', line);
      const name = colon < 0 || colon >= lineEnd ? '' : text.slice(line, colon);
      if (!/^[!-9;-~]+$/.test(name)) throw stanzaRefusal(fields, place, 'lines of the form "Field: value"', 'another');
      current = FIELDS.has(name) ? name : '';
      if (current !== '') {
        if (fields[name] !== undefined) throw stanzaRefusal(fields, place, 'each field once', `${name} twice`);
        fields[name] = text.slice(colon + 1, lineEnd).trim();
      }
    }
    line = lineEnd + 1;
  }
  return indexedPackage(fields, place, architecture);
}

function indexedPackage(fields: Fields, place: string, architecture: string): IndexedPackage {
  const field = (name: string, fits: (value: string) => boolean): string => {
    const value = fields[name];
    if (value !== undefined && fits(value)) return value;
    const found = value === undefined ? 'none' : `"${printable(value.slice(0, 80))}"`;
    throw stanzaRefusal(fields, place, `a valid ${name}`, found);
  };
  const relations = (name: string): string => {
    const value = fields[name] ?? '';
    const fault = relationsFault(value);
    if (fault !== undefined) throw stanzaRefusal(fields, place, `a valid ${name}`, `what is not: expected ${fault}`);
    return value;
  };
  const version = field('Version', isDebianVersion);
  const name = field('Package', isDebianPackageName);
  return {
    name,
    version,
    architecture: field('Architecture', (value) => value === architecture || value === 'all'),
    multiArch: (fields['Multi-Arch'] === undefined
      ? 'no'
      : field('Multi-Arch', (value) => MULTI_ARCH.includes(value))) as MultiArch,
    essential: fields.Essential === 'yes',
    important: fields.Important === 'yes',
    priority: PRIORITIES[fields.Priority ?? ''] ?? 5,
    preDepends: relations('Pre-Depends'),
    depends: relations('Depends'),
    provides: relations('Provides'),
    excludes: [relations('Conflicts'), relations('Breaks')].filter((list) => list !== '').join(', '),
    path: field('Filename', isPoolPath),
    size: Number(field('Size', (value) => /^[1-9][0-9]{0,11}$/.test(value))),
    sha256: field('SHA256', isDigest),
    source: parseSource(fields, name, version, place),
  };
}

/** Paths of the pool are URLs' parts as they stand. */
export function isPoolPath(path: string): boolean {
  return /^pool\/[A-Za-z0-9+._~/%:=-]+$/.test(path) && isCleanRelativePath(path) && path.length <= 1024;
}

/** `Source: name` or `Source: name (version)`; absent where both are the binary package's own. */
function parseSource(fields: Fields, name: string, version: string, place: string): IndexedPackage['source'] {
  const text = fields.Source;
  if (text === undefined) return { name, version };
  const [, sourceName, sourceVersion = version] = /^(\S+)(?: \((\S+)\))?$/.exec(text) ?? [];
  if (sourceName === undefined || !isDebianPackageName(sourceName) || !isDebianVersion(sourceVersion)) {
    throw stanzaRefusal(fields, place, 'a valid Source', `"${printable(text.slice(0, 80))}"`);
  }
  return { name: sourceName, version: sourceVersion };
}

function stanzaRefusal(fields: Fields, place: string, expected: string, found: string): BuilditError {
  const stanza = fields.Package === undefined ? 'a stanza' : `"${printable(fields.Package.slice(0, 80))}"`;
  return new BuilditError('input-invalid', `Cannot read ${stanza} in "${place}": expected ${expected}, found ${found}`);
}
