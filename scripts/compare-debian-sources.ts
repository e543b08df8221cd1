import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { unpackSourceTree } from '../src/build/prepare-workspace.ts';
import { createTarballFinder, type FindSourceTarball } from '../src/debian/create-tarball-finder.ts';
import { fetchIndex } from '../src/debian/fetch-index.ts';
import { fetchRelease } from '../src/debian/fetch-release.ts';
import { SOURCE_INDEX, type SourceIndex } from '../src/debian/source-index.ts';
import type { SourcePackage } from '../src/debian/source-package.ts';
import { applyPatches } from '../src/fetch/apply-patch.ts';
import { type FetchOptions, fetchSources } from '../src/fetch/fetch-sources.ts';
import { BuilditError } from '../src/model/errors.ts';
import type { DebianSourceFormat } from '../src/model/lock.ts';
import type { PackageSource } from '../src/model/package.ts';
import { compareDebianVersions } from '../src/model/version-order.ts';
import { debianSources } from '../src/plan/debian-sources.ts';
import { linkBlob } from '../src/store/link-blob.ts';
import { openStore, type Store } from '../src/store/store.ts';

// Compares, file by file, the tree that buildit makes of a Debian source package with the one of `dpkg-source -x`.
// Prints a row for each package that differs or is refused, then a summary; exits with 1 if one of them has no known reason.

const USAGE = `node --import tsx scripts/compare-debian-sources.ts [options] [PACKAGE…]
  --count=N          how many packages to compare (default: 20); with names of packages, these alone
  --seed=N           which ones (default: 1)
  --suite=NAME       bookworm by default
  --maximum-size=MB  pass over packages whose archives are larger (default: 10)
  --jobs=N           packages at once (default: 2)
  --verbose          name packages that are equal, too
`;

/** Reasons for which buildit differs, and who is right: none is known. */
const KNOWN: readonly (readonly [RegExp, string])[] = [];

interface Result {
  readonly name: string;
  readonly version: string;
  readonly format: string;
  readonly state: 'equal' | 'differs' | 'refused' | 'dpkg-source failed' | 'not in the archive';
  readonly patches: number;
  readonly files: number;
  readonly details: readonly string[];
}

interface Comparing {
  readonly directory: string;
  readonly options: Omit<FetchOptions, 'store'>;
  readonly maximumBytes: number;
  readonly isVerbose: boolean;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      suite: { type: 'string', default: 'bookworm' },
      'maximum-size': { type: 'string', default: '10' },
      jobs: { type: 'string', default: '2' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  process.umask(0o022);
  const directory = mkdtempSync(join(tmpdir(), 'buildit-compare-'));
  try {
    const store = await openStore(join(directory, 'index'));
    const context = { signal: new AbortController().signal, emit: () => {} };
    const config = { debian: { mirror: undefined }, offline: false };
    const session = { store, context, config };
    const verified = await fetchRelease(values.suite, Date.now(), session);
    const index = await fetchIndex(verified, 'main/source/Sources', SOURCE_INDEX, session);
    const find = createTarballFinder({ ...session, suites: [values.suite] });
    const comparing: Comparing = {
      directory,
      options: { context, config, findDebianTarball: finderOf(find) },
      maximumBytes: Number(values['maximum-size']) * 1_000_000,
      isVerbose: values.verbose,
    };
    const isNamed = positionals.length > 0;
    const names = isNamed ? positionals : shuffled([...index.names()].sort(), Number(values.seed));
    const count = isNamed ? names.length : Number(values.count);
    const results = await compareAll(comparing, index, { names, count, jobs: Number(values.jobs) });
    return report(results, Number(values['maximum-size']));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function finderOf(find: FindSourceTarball): FetchOptions['findDebianTarball'] {
  return (sourcePackage, sha256) => find({ sourcePackage, sha256 });
}

function newestOf(index: SourceIndex, name: string): SourcePackage {
  const [newest] = index.named(name).toSorted((a, b) => compareDebianVersions(b.version, a.version));
  if (newest === undefined) throw new Error(`no source package ${name}`);
  return newest;
}

/** The same order for the same seed (mulberry32, Fisher and Yates). */
function shuffled(names: string[], seed: number): string[] {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let last = names.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [names[last], names[other]] = [names[other]!, names[last]!];
  }
  return names;
}

interface Results {
  readonly compared: Result[];
  /** Larger than asked for. */
  tooLarge: number;
  /** A mirror may hold a part of the archive alone. */
  missing: number;
}

/** Goes through names until so many packages are compared. */
async function compareAll(
  comparing: Comparing,
  index: SourceIndex,
  { names, count, jobs }: { readonly names: readonly string[]; readonly count: number; readonly jobs: number },
): Promise<Results> {
  const waiting = [...names];
  const results: Results = { compared: [], tooLarge: 0, missing: 0 };
  let running = 0;
  const work = async () => {
    while (results.compared.length + running < count) {
      const name = waiting.shift();
      if (name === undefined) return;
      const source = newestOf(index, name);
      if (names.length > count && source.files.reduce((sum, { size }) => sum + size, 0) > comparing.maximumBytes) {
        results.tooLarge += 1;
        continue;
      }
      running += 1;
      const result = await compare(comparing, source);
      running -= 1;
      if (result.state === 'not in the archive') {
        results.missing += 1;
        continue;
      }
      results.compared.push(result);
      if (comparing.isVerbose || result.state !== 'equal') process.stdout.write(rowOf(result));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return results;
}

async function compare(comparing: Comparing, source: SourcePackage): Promise<Result> {
  const { name, version, format } = source;
  const directory = join(comparing.directory, name);
  const base = { name, version, format, patches: 0, files: 0 };
  mkdirSync(directory);
  try {
    const store = await openStore(join(directory, 'store'));
    if (!(await fetchAll(comparing, source, store, directory))) {
      return { ...base, state: 'not in the archive', details: [] };
    }
    const theirs = runDpkgSource(directory, source);
    if (theirs !== undefined) return { ...base, state: 'dpkg-source failed', details: [theirs] };
    const ours = await unpack(store, source, directory).catch((error: Error) => error);
    if (ours instanceof Error) return { ...base, state: 'refused', details: [ours.message] };
    const [left, right] = [entriesOf(join(directory, 'ours')), entriesOf(join(directory, 'theirs'))];
    const details = differences(left, right);
    const patches = readLines(join(directory, 'theirs/.pc/applied-patches'));
    return { ...base, patches, files: right.size, state: details.length === 0 ? 'equal' : 'differs', details };
  } catch (error) {
    return { ...base, state: 'refused', details: [error instanceof Error ? error.message : String(error)] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function fetchAll(
  { options }: Comparing,
  { name, files }: SourcePackage,
  store: Store,
  directory: string,
): Promise<boolean> {
  const location = { kind: 'remote', urls: [], mirrors: [{ kind: 'debian', sourcePackage: name }] } as const;
  const described = files.toSorted((a, b) => Number(a.path.endsWith('.dsc')) - Number(b.path.endsWith('.dsc')));
  const sources = described.map(({ path, sha256 }): PackageSource => {
    const fileName = path.slice(path.lastIndexOf('/') + 1);
    return { location, sha256, fileName, action: 'keep', strip: 0, directory: '.' };
  });
  try {
    // One after the other: where one is missing, the others are not asked for.
    for (const source of sources) await fetchSources([source], { ...options, store });
  } catch (error) {
    if (error instanceof BuilditError && error.code === 'unreachable') return false;
    throw error;
  }
  for (const { sha256, fileName } of sources) await linkBlob(store, sha256, join(directory, fileName));
  return true;
}

function runDpkgSource(directory: string, { files }: SourcePackage): string | undefined {
  const description = files
    .find(({ path }) => path.endsWith('.dsc'))!
    .path.split('/')
    .at(-1)!;
  const { status, stderr } = spawnSync('dpkg-source', ['--no-check', '-x', description, 'theirs'], {
    cwd: directory,
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  return status === 0 ? undefined : stderr.trim().split('\n').at(-1);
}

/** As the build of a recipe of `class: debian` does. */
async function unpack(store: Store, source: SourcePackage, directory: string): Promise<void> {
  const tree = join(directory, 'ours');
  mkdirSync(tree);
  const pin = { ...source, format: source.format as DebianSourceFormat };
  const sources = debianSources(pin).map(({ sha256: digest, ...rest }) => ({ ...rest, digest }));
  const series = source.format === '3.0 (quilt)' ? 'debian/patches/series' : undefined;
  const signal = new AbortController().signal;
  const request = { name: source.name, sources, ...(series === undefined ? {} : { series }) };
  await unpackSourceTree(
    { store, applyPatches },
    request,
    { tree, scratch: directory },
    { signal, shownName: source.name },
  );
}

interface Entry {
  readonly kind: string;
  readonly mode: number;
  readonly content: Buffer | undefined;
}

/** Every entry below a directory by the latin1 form of its path. Links are read, never followed. */
function entriesOf(root: string): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  const visit = (directory: Buffer, prefix: string) => {
    for (const name of readdirSync(directory, { encoding: 'buffer' })) {
      const path = Buffer.concat([directory, Buffer.from('/'), name]);
      const key = `${prefix}${name.toString('latin1')}`;
      const stat = lstatSync(path);
      if (stat.isSymbolicLink()) {
        entries.set(key, { kind: 'link', mode: 0, content: readlinkSync(path, 'buffer') });
      } else if (stat.isDirectory()) {
        entries.set(key, { kind: 'directory', mode: stat.mode & 0o777, content: undefined });
        visit(path, `${key}/`);
      } else {
        entries.set(key, { kind: 'file', mode: stat.mode & 0o777, content: readFileSync(path) });
      }
    }
  };
  visit(Buffer.from(root), '');
  return entries;
}

function differences(ours: ReadonlyMap<string, Entry>, theirs: ReadonlyMap<string, Entry>): readonly string[] {
  const paths = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  return paths.flatMap((path) => {
    const [left, right] = [ours.get(path), theirs.get(path)];
    if (left === undefined) return [`only dpkg-source has ${path}`];
    if (right === undefined) return [`only buildit has ${path}`];
    if (left.kind !== right.kind) return [`${path} is a ${left.kind} for buildit, a ${right.kind} for dpkg-source`];
    if (left.content !== undefined && !left.content.equals(right.content!)) return [`the contents of ${path} differ`];
    if (left.mode === right.mode) return [];
    return [`${path} has the mode ${left.mode.toString(8)} for buildit, ${right.mode.toString(8)} for dpkg-source`];
  });
}

function readLines(path: string): number {
  try {
    return readFileSync(path, 'utf8').split('\n').length - 1;
  } catch {
    return 0;
  }
}

function knownReason({ details }: Result): string | undefined {
  const reasons = details.map((detail) => KNOWN.find(([pattern]) => pattern.test(detail))?.[1]);
  return reasons.includes(undefined) ? undefined : reasons[0];
}

function rowOf(result: Result): string {
  const { name, version, format, state, details } = result;
  const shown = details.slice(0, 5).map((detail) => `    ${detail}\n`);
  const more = details.length > 5 ? `    and ${details.length - 5} more\n` : '';
  const reason = state === 'equal' ? '' : `    known: ${knownReason(result) ?? 'no'}\n`;
  return `${name} ${version} (${format}): ${state}\n${shown.join('')}${more}${reason}`;
}

function report({ compared, tooLarge, missing }: Results, maximumMegabytes: number): number {
  const count = (state: Result['state']) => compared.filter((result) => result.state === state).length;
  const sum = (key: 'patches' | 'files') => compared.reduce((total, result) => total + result[key], 0);
  const unexplained = compared.filter((result) => result.state !== 'equal' && knownReason(result) === undefined);
  process.stdout.write(
    `${compared.length} source packages: ${count('equal')} equal, ${count('differs')} differ, ${count('refused')} refused, ` +
      `dpkg-source failed for ${count('dpkg-source failed')}; ${sum('files')} files and ${sum('patches')} patches; ` +
      `passed over: ${tooLarge} with more than ${maximumMegabytes} MB, ${missing} not in the archive; ` +
      `${unexplained.length} without a known reason\n`,
  );
  return unexplained.length > 0 ? 1 : 0;
}

process.exitCode = await main();
