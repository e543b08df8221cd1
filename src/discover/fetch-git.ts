import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { removeTree, syncDirectory } from '../system/files.ts';
import { gitEnvironment, gitPolicy } from '../system/git-command.ts';
import { shownUrl } from '../system/http.ts';
import { findProgram } from '../system/programs.ts';
import { gitAuthorities } from './git-authorities.ts';
import { GitFailure, gitMissing } from './git-failure.ts';
import { isCommitId, isGitRef } from './git-ref.ts';
import { type GitTreeLimits, readGitTree } from './git-tree.ts';
import { type GitRunOptions, readGit, runGit } from './run-git.ts';
import { isLoopbackAddress, webAddressFault } from './web-address.ts';
import { writeGitTree } from './write-git-tree.ts';

export interface GitPlace {
  /** https, or http to this machine; without user and password. */
  readonly url: string;
  /** Branch, tag, `refs/…` or full commit id; what HEAD names by default. Of a tag and a branch the tag is taken. */
  readonly ref?: string | undefined;
  /** Full commit id that a lock pins: this and nothing else, whatever `ref` names by now. */
  readonly revision?: string | undefined;
}

export interface FetchGitOptions {
  /** Absolute path of a private directory for trees, made where it is missing; one may serve many repositories. */
  readonly directory: string;
  readonly signal?: AbortSignal | undefined;
  readonly offline?: boolean | undefined;
  /** For everything together; five minutes by default. */
  readonly timeoutMs?: number | undefined;
  /** Proxies, authorities and PATH are taken from it; `process.env` by default. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** PEM text of the only authorities that are trusted. */
  readonly ca?: string | undefined;
  readonly limits?: GitTreeLimits | undefined;
}

export interface FetchedGit {
  /** Absolute path of the files of that revision; nobody changes them. */
  readonly directory: string;
  /** Full commit id. */
  readonly revision: string;
}

const DEFAULT_LIMITS: GitTreeLimits = { entries: 20_000, fileBytes: 32 << 20, totalBytes: 256 << 20 };
const DEFAULT_TIMEOUT_MS = 300_000;
const LISTING_BYTES = 16 << 20;
const DAY_MS = 24 * 3600 * 1000;
const WANTED = 'refs/buildit/wanted';

/**
 * The files of a git repository at a ref, without history, submodules, filters or hooks, as
 * `directory/<sha256 of the address>/<revision>/`. A revision that is there already is not fetched again: an unchanged
 * ref costs one question, a pinned revision none.
 *
 * @throws GitFailure `unreachable`, or `configuration-invalid` where this machine has no git; BuilditError
 * `archive-refused` for a tree that must not be written, `input-invalid` for an address or a ref that must not be asked,
 * `offline`, `interrupted`.
 */
export async function fetchGit(place: GitPlace, options: FetchGitOptions): Promise<FetchedGit> {
  refuseUnfit(place);
  const trees = join(options.directory, createHash('sha256').update(place.url).digest('hex').slice(0, 32));
  const pinned = place.revision ?? (isCommitId(place.ref ?? '') ? place.ref : undefined);
  if (pinned !== undefined && isThere(join(trees, pinned))) return { directory: join(trees, pinned), revision: pinned };
  if (options.offline === true) {
    throw new BuilditError('offline', `Cannot fetch "${shownUrl(place.url)}": expected a network, found --offline`, {
      hint: 'run once without --offline; a revision that a lock pins is kept',
    });
  }
  mkdirSync(trees, { recursive: true, mode: 0o755 });
  await removeAbandoned(trees);
  const scratch = mkdtempSync(join(trees, '.fetch-'));
  try {
    return await fetchInto(trees, scratch, { ...place, revision: pinned }, options);
  } finally {
    await removeTree(scratch);
  }
}

function refuseUnfit({ url, ref, revision }: GitPlace): void {
  const fault = webAddressFault(url, { allowThisMachine: true });
  if (fault !== undefined) {
    throw new BuilditError('input-invalid', `Cannot fetch a git repository: expected an https address, found ${fault}`);
  }
  if (ref !== undefined && !isGitRef(ref)) {
    const message = `Cannot fetch "${shownUrl(url)}": expected a branch, a tag or a commit, found "${printable(ref)}"`;
    throw new BuilditError('input-invalid', message);
  }
  if (revision !== undefined && !isCommitId(revision)) {
    const message = `Cannot fetch "${shownUrl(url)}": expected a commit id of 40 digits, found "${printable(revision)}"`;
    throw new BuilditError('input-invalid', message);
  }
}

async function fetchInto(
  trees: string,
  scratch: string,
  { url, ref, revision: pinned }: GitPlace,
  options: FetchGitOptions,
): Promise<FetchedGit> {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const git = gitIn(scratch, url, options, limits);
  const found = pinned === undefined ? await findRef(git, url, ref) : { id: pinned, source: pinned };
  if (isThere(join(trees, found.id))) return { directory: join(trees, found.id), revision: found.id };
  await git.run(['init', '--quiet', '--bare', '--template=', '.']);
  const fetch = ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules'];
  await git.run([...fetch, '--', url, `+${found.source}:${WANTED}`]);
  const revision = (await git.run(['rev-parse', '--verify', '--quiet', `${WANTED}^{commit}`]))
    .toString('latin1')
    .trim();
  if (!isCommitId(revision) || (pinned !== undefined && revision !== pinned)) {
    throw new GitFailure(url, 'another revision than asked for');
  }
  const tree = join(scratch, 'tree');
  mkdirSync(tree, { mode: 0o755 });
  const what = `"${shownUrl(url)}"`;
  const listing = await git.run(['ls-tree', '-r', '-z', '-l', '--full-tree', revision]);
  const entries = readGitTree(listing, what, limits);
  const output = git.read(['cat-file', '--batch'], entries.map(({ id }) => `${id}\n`).join(''));
  await writeGitTree(entries, output, { directory: tree, what });
  await moveIntoPlace(tree, join(trees, revision));
  await syncDirectory(trees);
  return { directory: join(trees, revision), revision };
}

/** Git with its policy, in a repository of its own. */
function gitIn(scratch: string, url: string, options: FetchGitOptions, limits: GitTreeLimits) {
  const environment = options.environment ?? process.env;
  const program = findProgram('git', environment);
  if (program === undefined) throw gitMissing(url);
  const [home, repository] = [join(scratch, 'home'), join(scratch, 'repository')];
  mkdirSync(home);
  mkdirSync(repository);
  const authorities = options.ca ?? gitAuthorities(environment);
  const caFile = authorities === undefined ? undefined : join(scratch, 'authorities.pem');
  if (caFile !== undefined) writeFileSync(caFile, authorities!);
  const timeout = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const allowHttp = url.startsWith('http:') && isLoopbackAddress(url);
  const run: GitRunOptions = {
    program,
    environment: gitEnvironment(environment, { home, caFile, allowHttp }),
    directory: repository,
    url,
    maximumFileBytes: limits.totalBytes,
    signal: options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]),
    isInterrupted: () => options.signal?.aborted === true,
  };
  const policy = gitPolicy({ allowHttp });
  return {
    run: (argv: readonly string[]) => runGit([...policy, ...argv], run, LISTING_BYTES),
    read: (argv: readonly string[], input: string) => readGit([...policy, ...argv], { ...run, input }),
  };
}

type Git = ReturnType<typeof gitIn>;

/** What the server calls the ref in full, and the id that it has there. */
async function findRef(git: Git, url: string, ref: string | undefined): Promise<{ id: string; source: string }> {
  const candidates = ref === undefined ? ['HEAD'] : [`refs/tags/${ref}`, `refs/heads/${ref}`, ref];
  const patterns = candidates.flatMap((name) => (name.startsWith('refs/tags/') ? [name, `${name}^{}`] : [name]));
  const listing = (await git.run(['ls-remote', '--quiet', '--', url, ...patterns])).toString('utf8');
  const ids = new Map<string, string>();
  for (const [, id, name] of listing.matchAll(/^([0-9a-f]{40,64})\t(.+)$/gm)) ids.set(name!, id!);
  const source = candidates.find((name) => ids.has(name) && (name === 'HEAD' || name.startsWith('refs/')));
  if (source === undefined) {
    throw new GitFailure(url, ref === undefined ? 'none, or an empty one' : `no branch or tag "${printable(ref)}"`);
  }
  return { id: ids.get(`${source}^{}`) ?? ids.get(source)!, source };
}

/** Whoever is first is right: both have the same files. */
async function moveIntoPlace(tree: string, place: string): Promise<void> {
  try {
    await rename(tree, place);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST' && code !== 'ENOTEMPTY') throw error;
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** What a killed run has left. */
async function removeAbandoned(trees: string): Promise<void> {
  for (const name of readdirSync(trees).filter((entry) => entry.startsWith('.fetch-'))) {
    const status = statSync(join(trees, name), { throwIfNoEntry: false });
    if (status !== undefined && Date.now() - status.mtimeMs > DAY_MS) await removeTree(join(trees, name));
  }
}
