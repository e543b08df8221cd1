import { clockHint } from '../model/clock-hint.ts';
import { type Digest, isDigest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';
import { type ControlStanza, parseControlStanza } from './control-stanza.ts';

export interface IndexFile {
  readonly size: number;
  readonly sha256: Digest;
}

/** What the verified text of an `InRelease` says of a suite. */
export interface Release {
  readonly suite: string;
  readonly codename: string;
  /** When the archive made it, and until when it counts, in ms since 1970. */
  readonly dateMs: number;
  readonly validUntilMs: number | undefined;
  readonly byHash: boolean;
  /** Paths relative to the suite's directory: `main/binary-amd64/Packages.xz`. */
  readonly files: ReadonlyMap<string, IndexFile>;
}

/** Reads the text of a Release file, https://wiki.debian.org/DebianRepository/Format#A.22Release.22_files. */
export function parseRelease(text: string, place: string): Release {
  const stanza = parseControlStanza(text, place, 'input-invalid');
  const date = dateField(stanza, 'Date', place);
  if (date === undefined) throw refusal(place, 'a Date', 'none');
  return {
    suite: stanza.get('Suite') ?? '',
    codename: stanza.get('Codename') ?? '',
    dateMs: date,
    validUntilMs: dateField(stanza, 'Valid-Until', place),
    byHash: stanza.get('Acquire-By-Hash') === 'yes',
    files: parseFiles(stanza.get('SHA256'), place),
  };
}

/**
 * Refuses a Release that is not the suite asked for, or whose time is over. `atMs` is the time that counts: now, or the
 * moment of the past that is being looked at.
 */
export function requireSuite(release: Release, suite: string, atMs: number, place: string): void {
  if (release.suite !== suite && release.codename !== suite) {
    const names = [release.codename, release.suite].filter((name) => name !== '').map(printable);
    throw refusal(place, `the index of ${suite}`, `that of ${names.join(', ') || 'no suite'}`);
  }
  if (release.validUntilMs !== undefined && release.validUntilMs < atMs) {
    throw new BuilditError(
      'signature-invalid',
      `Cannot use "${place}": expected an index that still counts, found one valid until ${isoDate(release.validUntilMs)}`,
      { hint: `the mirror is out of date, or ${clockHint(atMs)}` },
    );
  }
}

export function isoDate(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** `Sat, 11 Jul 2026 10:16:37 UTC` (RFC 2822, always in UTC). */
function dateField(stanza: ControlStanza, field: string, place: string): number | undefined {
  const text = stanza.get(field);
  if (text === undefined) return undefined;
  const isDate = /^[A-Z][a-z]{2}, {1,2}\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (?:UTC|GMT|\+0000)$/.test(text);
  const ms = isDate ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw refusal(place, `a date in UTC as ${field}`, `"${printable(text.slice(0, 60))}"`);
  return ms;
}

function parseFiles(text: string | undefined, place: string): ReadonlyMap<string, IndexFile> {
  if (text === undefined) throw refusal(place, 'a table of SHA256 digests', 'none');
  const files = new Map<string, IndexFile>();
  for (const line of text.split('\n').slice(1)) {
    const [, sha256, size, path] = /^ *([0-9a-f]{64}) +(\d{1,15}) +(\S+) *$/.exec(line) ?? [];
    if (sha256 === undefined || !isDigest(sha256) || !isCleanRelativePath(path!)) {
      throw refusal(place, 'lines of digest, size and path', `"${printable(line.slice(0, 120))}"`);
    }
    if (files.has(path!)) throw refusal(place, 'each path once', `${printable(path!)} twice`);
    files.set(path!, { size: Number(size), sha256 });
  }
  return files;
}

function refusal(place: string, expected: string, found: string): BuilditError {
  return new BuilditError('input-invalid', `Cannot use "${place}": expected ${expected}, found ${found}`);
}
