/** A license expression as SPDX has it (specification 2.3, annex D), with equal parts once and sorted. */
export type License =
  /** An identifier, with its exception where there is one: `GPL-2.0-only WITH Classpath-exception-2.0`. */
  | { readonly kind: 'license'; readonly text: string }
  | { readonly kind: 'AND' | 'OR'; readonly parts: readonly License[] };

const MOST_TOKENS = 2000;
const MOST_DEPTH = 50;
const MOST_TEXT = 4096;
const IDENTIFIER = /^(?:DocumentRef-[A-Za-z0-9.-]+:)?[A-Za-z0-9][A-Za-z0-9.-]*\+?$/;
/** Words that say that nothing is known. */
const UNKNOWN = new Set(['NONE', 'NOASSERTION', 'UNKNOWN']);

/** Reads an expression; undefined where it is none. */
export function parseLicense(text: string): License | undefined {
  const tokens = text
    .replaceAll('(', ' ( ')
    .replaceAll(')', ' ) ')
    .split(/\s+/)
    .filter((token) => token !== '');
  if (tokens.length === 0 || tokens.length > MOST_TOKENS) return undefined;
  const reading = { tokens, at: 0 };
  const license = readAlternatives(reading, 0);
  return reading.at === tokens.length ? license : undefined;
}

/** All licenses at once, or any one of them. */
export function joinLicenses(kind: 'AND' | 'OR', licenses: readonly License[]): License {
  const flat = licenses.flatMap((license) => (license.kind === kind ? license.parts : [license]));
  const byText = new Map(flat.map((license) => [licenseText(license), license]));
  const parts = [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, license]) => license);
  return parts.length === 1 ? parts[0]! : { kind, parts };
}

export function licenseText(license: License): string {
  if (license.kind === 'license') return license.text;
  const parts = license.parts.map((part) => (part.kind === 'license' ? part.text : `(${licenseText(part)})`));
  return parts.join(` ${license.kind} `);
}

/** The expression over all licenses of an image; undefined where one is unknown, or the whole is too long for a label. */
export function combinedLicense(licenses: readonly (License | undefined)[]): string | undefined {
  const known = licenses.filter((license) => license !== undefined);
  if (known.length === 0 || known.length < licenses.length) return undefined;
  const text = licenseText(joinLicenses('AND', known));
  return text.length <= MOST_TEXT ? text : undefined;
}

interface Reading {
  readonly tokens: readonly string[];
  at: number;
}

/** OR binds less than AND. */
function readAlternatives(reading: Reading, depth: number): License | undefined {
  return readJoined('OR', reading, () => readJoined('AND', reading, () => readSimple(reading, depth)));
}

function readJoined(kind: 'AND' | 'OR', reading: Reading, read: () => License | undefined): License | undefined {
  const parts: License[] = [];
  do {
    const part = read();
    if (part === undefined) return undefined;
    parts.push(part);
  } while (takeWord(reading, kind));
  return joinLicenses(kind, parts);
}

function readSimple(reading: Reading, depth: number): License | undefined {
  if (takeWord(reading, '(')) {
    const inner = depth < MOST_DEPTH ? readAlternatives(reading, depth + 1) : undefined;
    return inner !== undefined && takeWord(reading, ')') ? inner : undefined;
  }
  const identifier = takeIdentifier(reading);
  if (identifier === undefined) return undefined;
  if (!takeWord(reading, 'WITH')) return { kind: 'license', text: identifier };
  const exception = takeIdentifier(reading);
  return exception === undefined ? undefined : { kind: 'license', text: `${identifier} WITH ${exception}` };
}

/** Operators are written in upper or in lower case (2.3), not mixed. */
function takeWord(reading: Reading, word: string): boolean {
  const token = reading.tokens[reading.at];
  if (token !== word && token !== word.toLowerCase()) return false;
  reading.at += 1;
  return true;
}

function takeIdentifier(reading: Reading): string | undefined {
  const token = reading.tokens[reading.at];
  if (token === undefined || token.length > 100 || !IDENTIFIER.test(token)) return undefined;
  if (UNKNOWN.has(token.toUpperCase()) || /^(?:and|or|with)$/i.test(token)) return undefined;
  reading.at += 1;
  return token;
}
