import { closeSync, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { canonicalLayerPath } from '../../layer/canonical-layer-path.ts';
import { ALTERNATIVES } from '../../model/alternatives.ts';
import { append } from '../../model/append.ts';
import type { LayerEntry, LayerListing } from '../../model/layer.ts';
import type { OutputFinding } from '../../model/output-lint.ts';
import { ROOT_FILES, ROOT_TOP_LINKS } from '../../model/sandbox-contract.ts';

/** Where a package's files may lead besides to one another. */
export interface Surroundings {
  /** All files of the package, of what it declares and of that's closure. */
  readonly entries: ReadonlyMap<string, LayerEntry>;
  /** Names of declared packages whose files nobody knows yet: they are in the image, not in the root of the build. */
  readonly unknown: readonly string[];
}

/** Everything that these layers hold, with the directories that lie above it. */
export function surroundingsOf(listings: readonly LayerListing[], unknown: readonly string[]): Surroundings {
  const entries = new Map<string, LayerEntry>();
  for (const entry of listings.flat()) {
    entries.set(entry.path, entry);
    for (let parent = posix.dirname(entry.path); parent !== '.'; parent = posix.dirname(parent)) {
      if (entries.has(parent)) break;
      entries.set(parent, { path: parent, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0 });
    }
  }
  return { entries, unknown };
}

/** Directories of programs; in usr/libexec they lie deeper, too. */
const PROGRAMS = /^(?:usr\/(?:bin|sbin|games)\/[^/]+|usr\/libexec\/.+|opt\/(?:.+\/)?s?bin\/[^/]+)$/;

/** Made by engines, by the kernel, or when the system runs; links into the build are another finding. */
const ELSEWHERE =
  /^(?:build|dev|home|media|mnt|out|proc|root|run|srv|sys|tmp|var\/(?:cache|lib|lock|log|run|spool|tmp))(?:\/|$)/;

/** Interpreters of Debian's Essential packages, which a package need not declare (Debian Policy 3.8). */
const ESSENTIAL = new Set(['awk', 'bash', 'dash', 'env', 'perl', 'sed', 'sh'].map((name) => `usr/bin/${name}`));

/** What env(1) looks a name up in. */
const PATH = ['usr/local/sbin', 'usr/local/bin', 'usr/sbin', 'usr/bin'];

/** Judges where a layer's symbolic links lead, and what runs its scripts. `tree` is where it lies unpacked. */
export function lintReferences(
  tree: string,
  listing: LayerListing,
  surroundings: Surroundings,
): readonly OutputFinding[] {
  return listing.flatMap((entry) => [...lintLink(entry, surroundings), ...lintScript(tree, entry, surroundings)]);
}

function lintLink(entry: LayerEntry, { entries, unknown }: Surroundings): readonly OutputFinding[] {
  // Links by build ID lead to programs of any layer.
  if (entry.type !== 'symlink' || entry.path.startsWith('usr/lib/debug/') || unknown.length > 0) return [];
  // The links of a merged /usr lead to directories that others fill.
  if (topLink(entry.path) === entry.target) return [];
  const end = resolve(entries, entry.path);
  if (end !== undefined && (isThere(entries, end) || ELSEWHERE.test(end))) return [];
  return [{ code: 'dangling-link', path: entry.path, found: `a link to ${entry.target.slice(0, 200)}` }];
}

function lintScript(tree: string, entry: LayerEntry, surroundings: Surroundings): readonly OutputFinding[] {
  if (entry.type !== 'file' || (entry.mode & 0o111) === 0 || !isProgram(entry.path, surroundings.entries)) return [];
  const missing = interpretersOf(readBeginning(`${tree}/${entry.path}`)).find(
    (interpreter) => !isInterpreterThere(interpreter, surroundings),
  );
  if (missing === undefined) return [];
  return [{ code: 'missing-interpreter', path: entry.path, found: `a script for ${missing}` }];
}

/** By its own place, or by a link or another name in a directory of programs. */
function isProgram(path: string, entries: ReadonlyMap<string, LayerEntry>): boolean {
  if (PROGRAMS.test(path)) return true;
  return linkedPrograms(entries).has(path);
}

const linked = new WeakMap<ReadonlyMap<string, LayerEntry>, ReadonlySet<string>>();

function linkedPrograms(entries: ReadonlyMap<string, LayerEntry>): ReadonlySet<string> {
  const known = linked.get(entries);
  if (known !== undefined) return known;
  const found = new Set<string>();
  for (const entry of entries.values()) {
    if (!PROGRAMS.test(entry.path)) continue;
    const end =
      entry.type === 'hardlink' ? entry.target : entry.type === 'symlink' ? resolve(entries, entry.path) : undefined;
    if (end !== undefined) found.add(end);
  }
  linked.set(entries, found);
  return found;
}

function isInterpreterThere(interpreter: string, { entries, unknown }: Surroundings): boolean {
  if (interpreter.includes('/') && !interpreter.startsWith('/')) return false;
  const candidates = interpreter.startsWith('/')
    ? [interpreter.slice(1)]
    : PATH.map((place) => `${place}/${interpreter}`);
  for (const candidate of candidates) {
    const end = resolve(entries, candidate);
    if (end !== undefined && (ESSENTIAL.has(end) || isThere(entries, end))) return true;
  }
  // debian/ruby and debian/php8.2-cli have ruby and php; recipes may have anything.
  const stem = /^[a-z]*/.exec(posix.basename(interpreter))![0];
  return unknown.some((name) => !name.startsWith('debian/') || (stem !== '' && name.includes(stem)));
}

/** BINPRM_BUF_SIZE: Linux looks no further for the end of the line. */
const LINE_BYTES = 256;

/**
 * Reads the interpreters from the first line of a script, as execve(2) does: an absolute path; any other word, which the
 * kernel looks for in the caller's directory; behind env(1) the name that env looks up.
 */
export function interpretersOf(text: string): readonly string[] {
  if (!text.startsWith('#!')) return [];
  const line = text.slice(2).split('\n', 1)[0]!;
  const words = line.split(/[ \t]/).filter((word) => word !== '');
  const [interpreter, ...rest] = words;
  if (interpreter === undefined) return [];
  if (!interpreter.startsWith('/')) return [`./${interpreter}`];
  if (posix.basename(interpreter) !== 'env') return [interpreter];
  const name = commandOfEnv(rest);
  return name === undefined ? [interpreter] : [interpreter, name];
}

/** env -S splits what follows; options with a value of their own take the next word. */
function commandOfEnv(words: readonly string[]): string | undefined {
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index]!.replace(/^(?:-S|-vS|--split-string=)/, '');
    if (word === '' || word.includes('=')) continue;
    if (['-u', '-C', '--unset', '--chdir'].includes(word)) index += 1;
    else if (!word.startsWith('-')) return word;
  }
  return undefined;
}

function readBeginning(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(LINE_BYTES);
    return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, LINE_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** As Linux does (path_resolution(7)): more links than this are taken for a circle. */
const MAX_LINKS = 40;

/** Where a path leads, links followed; undefined for a circle, or a file in the place of a directory. */
function resolve(entries: ReadonlyMap<string, LayerEntry>, start: string): string | undefined {
  const pending = start.split('/').reverse();
  const done: string[] = [];
  for (let links = 0; pending.length > 0; ) {
    const element = pending.pop()!;
    if (element === '' || element === '.') continue;
    if (element === '..') {
      done.pop();
      continue;
    }
    const here = [...done, element].join('/');
    const entry = entries.get(here);
    const target = entry?.type === 'symlink' ? entry.target : done.length === 0 ? topLink(element) : undefined;
    if (target === undefined) {
      if ((entry?.type === 'file' || entry?.type === 'hardlink') && pending.length > 0) return undefined;
      done.push(element);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) return undefined;
    if (target.startsWith('/')) done.length = 0;
    append(pending, target.split('/').reverse());
  }
  return done.join('/');
}

function topLink(name: string): string | undefined {
  return Object.hasOwn(ROOT_TOP_LINKS, name) ? ROOT_TOP_LINKS[name] : undefined;
}

function isThere(entries: ReadonlyMap<string, LayerEntry>, path: string): boolean {
  if (path === '' || entries.has(path) || Object.hasOwn(ROOT_FILES, path)) return true;
  const targets = Object.hasOwn(ALTERNATIVES, path) ? ALTERNATIVES[path]! : [];
  return targets.some((target) => entries.has(canonicalLayerPath(posix.join(posix.dirname(path), target)) ?? ''));
}
