import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import SSHConfig, { type Line, type Match, type Section } from 'ssh-config';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { SshLocation } from '../model/ssh-location.ts';

/** Option in lower case → its values; all options but IdentityFile and CertificateFile have those of the first line that counts. */
export type SshOptions = Readonly<Record<string, readonly string[]>>;

export interface SshConfigContext {
  readonly location: SshLocation;
  /** Undefined for a uid without an account. */
  readonly localUser: string | undefined;
  readonly home: string | undefined;
}

export interface SshConfigReading {
  readonly values: SshOptions;
  /** See `SshSettings`. */
  readonly undecided: boolean;
}

const DEEPEST_INCLUDE = 16;

/**
 * What ssh_config(5) files say for a host, earlier files first. Only the parser of ssh-config is used: its `compute` runs
 * `Match exec` and looks up names.
 */
export function readSshConfig(files: readonly string[], context: SshConfigContext): SshConfigReading {
  const reading: Reading = { context, values: {}, undecided: false };
  for (const file of files) visitFile(reading, file, 0);
  return reading;
}

interface Reading {
  readonly context: SshConfigContext;
  readonly values: Record<string, string[]>;
  undecided: boolean;
}

function visitFile(reading: Reading, file: string, depth: number): void {
  if (depth > DEEPEST_INCLUDE) return;
  let text: string;
  try {
    if (!statSync(file).isFile()) return;
    text = readFileSync(file, 'utf8');
  } catch {
    return;
  }
  visitLines(reading, parsed(file, text), { file, depth });
}

function parsed(file: string, text: string): SSHConfig {
  try {
    return SSHConfig.parse(text);
  } catch (error) {
    const found = printable((error as Error).message.slice(0, 200));
    const message = `Cannot read "${file}": expected the format of ssh_config, found "${found}"`;
    throw new BuilditError('configuration-invalid', message, { cause: error });
  }
}

interface Place {
  readonly file: string;
  readonly depth: number;
}

function visitLines(reading: Reading, lines: Iterable<Line>, place: Place): void {
  for (const line of lines) {
    if (!('param' in line)) continue;
    const name = line.param.toLowerCase();
    if (name === 'host') {
      if (matchesList(valuesOf(line), reading.context.location.host)) visitSection(reading, line as Section, place);
    } else if (name === 'match') {
      if (matches(reading, line as Match)) visitSection(reading, line as Section, place);
    } else if (name === 'include') {
      for (const pattern of valuesOf(line)) {
        for (const file of includedFiles(pattern, reading.context.home, place.file)) {
          visitFile(reading, file, place.depth + 1);
        }
      }
    } else keepOption(reading.values, name, valuesOf(line));
  }
}

function visitSection(reading: Reading, section: Section, place: Place): void {
  visitLines(reading, section.config, place);
}

function keepOption(values: Record<string, string[]>, name: string, found: readonly string[]): void {
  if (found.length === 0) return;
  if (name === 'identityfile' || name === 'certificatefile') values[name] = [...(values[name] ?? []), ...found];
  // Whichever of the two comes first switches the other off.
  else if (name === 'proxycommand' && values.proxyjump !== undefined) return;
  else if (name === 'proxyjump' && values.proxycommand !== undefined) return;
  else values[name] ??= [...found];
}

function valuesOf({ value }: { readonly value: Section['value'] }): readonly string[] {
  return typeof value === 'string' ? [value] : value.map(({ val }) => val);
}

/** All criteria must hold. What would need a command, the network or a second pass does not hold here. */
function matches(reading: Reading, { criteria }: Match): boolean {
  return Object.entries(criteria).every(([written, value]) => {
    const negated = written.startsWith('!');
    const patterns = typeof value === 'string' ? value.split(',') : value.flatMap(({ val }) => val.split(','));
    const holds = criterionHolds(reading, written.replace(/^!/, '').toLowerCase(), patterns);
    return holds !== undefined && holds !== negated;
  });
}

function criterionHolds(reading: Reading, criterion: string, patterns: readonly string[]): boolean | undefined {
  const { location, localUser } = reading.context;
  switch (criterion) {
    case 'all':
      return true;
    case 'host':
      return matchesList(patterns, reading.values.hostname?.[0] ?? location.host);
    case 'originalhost':
      return matchesList(patterns, location.host);
    case 'user':
      return matchesUser(patterns, location.user ?? reading.values.user?.[0] ?? localUser);
    case 'localuser':
      return matchesUser(patterns, localUser);
    case 'exec':
      reading.undecided = true;
      return undefined;
    default:
      return undefined;
  }
}

/** A user without a name is nobody that a pattern could mean. */
function matchesUser(patterns: readonly string[], user: string | undefined): boolean | undefined {
  return user === undefined ? undefined : matchesList(patterns, user);
}

/** ssh_config(5), PATTERNS: a negated pattern that matches decides. Upper and lower case are the same. */
export function matchesList(patterns: readonly string[], text: string): boolean {
  const positive = patterns.filter((pattern) => !pattern.startsWith('!'));
  const negative = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  const hits = (pattern: string) => matchesPattern(pattern.toLowerCase(), text.toLowerCase());
  return positive.some(hits) && !negative.some(hits);
}

/** `*` and `?`, in time that grows with the product of the lengths and no faster. */
function matchesPattern(pattern: string, text: string): boolean {
  let [p, t, star, retry] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p;
      p += 1;
      retry = t;
    } else if (pattern[p] === '?' || pattern[p] === text[t]) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      retry += 1;
      t = retry;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(p));
}

/** Relative names lie in `~/.ssh`, those of the system's file beside it; wildcards count in the last element. */
function includedFiles(pattern: string, home: string | undefined, from: string): readonly string[] {
  const base = from.startsWith('/etc/') ? dirname(from) : join(home ?? dirname(from), '.ssh');
  if (home === undefined && pattern.startsWith('~')) return [];
  const tilded = pattern.replace(/^~(?=\/)/, () => home ?? '~');
  const path = isAbsolute(tilded) ? tilded : join(base, tilded);
  if (!/[*?]/.test(path)) return [path];
  try {
    const names = readdirSync(dirname(path)).toSorted();
    return names
      .filter((name) => !name.startsWith('.') && matchesPattern(basename(path), name))
      .map((name) => join(dirname(path), name));
  } catch {
    return [];
  }
}
