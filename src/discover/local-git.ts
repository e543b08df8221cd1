import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { append } from '../model/append.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { localGitEnvironment, localGitPolicy } from '../system/git-command.ts';
import { findProgram } from '../system/programs.ts';
import { GitFailure, gitMissing } from './git-failure.ts';
import { isCommitId } from './git-ref.ts';
import { type GitEntry, type GitTreeLimits, readGitTree } from './git-tree.ts';
import { type GitRunOptions, readGit, runGit } from './run-git.ts';
import { writeGitTree } from './write-git-tree.ts';

/** A git repository of this machine, which is read and never changed. */
export interface LocalGit {
  /** Absolute path of its work tree, links resolved. */
  readonly topLevel: string;
  /** The full id of the commit that a revision names. */
  commitOf(revision: string): Promise<string>;
  /** Paths of all files of a commit, from the top level. */
  pathsOf(commit: string): Promise<readonly string[]>;
  /**
   * Writes the files at and below some paths of a commit into an empty directory. None of the paths lies below another;
   * `.` is everything; those that the commit lacks are passed over.
   */
  checkOut(commit: string, paths: readonly string[], directory: string): Promise<void>;
}

export interface LocalGitOptions {
  /** An empty directory that stands for git's home. */
  readonly home: string;
  readonly signal: AbortSignal;
  readonly environment?: NodeJS.ProcessEnv;
}

const LIMITS: GitTreeLimits = { entries: 200_000, fileBytes: 32 << 20, totalBytes: 512 << 20 };
const LISTING_BYTES = 64 << 20;
/** Arguments of one call together; the kernel takes more. */
const ARGUMENT_BYTES = 64 * 1024;

/**
 * Opens the repository whose work tree a directory lies in. Files are read as objects: no hook, filter, submodule or
 * setting of the repository has a part in it.
 *
 * @throws BuilditError `input-invalid` where the directory is in no repository or a revision names nothing in it,
 * `archive-refused` for a tree that must not be written.
 */
export function openLocalGit(
  directory: string,
  { home, signal, environment = process.env }: LocalGitOptions,
): LocalGit {
  const topLevel = topLevelOf(realpathSync(directory));
  if (topLevel === undefined) {
    const message = `Cannot compare revisions of "${printable(directory)}": expected a directory in a git repository, found none`;
    throw new BuilditError('input-invalid', message);
  }
  const program = findProgram('git', environment);
  if (program === undefined) throw gitMissing(topLevel);
  mkdirSync(home, { recursive: true });
  const run: GitRunOptions = {
    program,
    environment: localGitEnvironment(home),
    directory: topLevel,
    url: topLevel,
    maximumFileBytes: LIMITS.totalBytes,
    signal,
    isInterrupted: () => true,
  };
  const policy = localGitPolicy(topLevel);
  const git = (argv: readonly string[]) => understood(topLevel, runGit([...policy, ...argv], run, LISTING_BYTES));
  return {
    topLevel,
    async commitOf(revision) {
      // --end-of-options is younger than some versions of git.
      const argv = ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`];
      const answer = revision.startsWith('-') ? Buffer.of() : await git(argv).catch(() => Buffer.of());
      const commit = answer.toString('latin1').trim();
      if (isCommitId(commit)) return commit;
      const message = `Cannot read the revision "${printable(revision)}" of "${printable(topLevel)}": expected a branch, a tag or a commit, found none`;
      throw new BuilditError('input-invalid', message, {
        hint: 'a shallow clone lacks older commits: git fetch --unshallow',
      });
    },
    async pathsOf(commit) {
      const listing = await git(['ls-tree', '-r', '-z', '--name-only', '--full-tree', commit]);
      return listing.toString('utf8').split('\0').slice(0, -1);
    },
    async checkOut(commit, paths, into) {
      const what = `${commit.slice(0, 12)} of "${printable(topLevel)}"`;
      const entries: GitEntry[] = [];
      for (const group of paths.includes('.') ? [[]] : grouped(paths)) {
        const listing = await git(['ls-tree', '-r', '-z', '-l', '--full-tree', commit, '--', ...group]);
        append(entries, readGitTree(listing, what, LIMITS));
      }
      if (entries.length === 0) return;
      const input = entries.map(({ id }) => `${id}\n`).join('');
      const output = readGit([...policy, 'cat-file', '--batch'], { ...run, input });
      await understood(topLevel, writeGitTree(entries, output, { directory: into, what, isTemporary: true }));
    },
  };
}

/** Where a directory lies in the work tree: `.` for the top level itself, undefined for what lies outside of it. */
export function pathInside(topLevel: string, directory: string): string | undefined {
  const path = relative(topLevel, directory);
  if (path === '') return '.';
  return path.startsWith('..') ? undefined : path;
}

function topLevelOf(start: string): string | undefined {
  for (let directory = start; ; directory = dirname(directory)) {
    if (existsSync(join(directory, '.git'))) return directory;
    if (directory === dirname(directory)) return undefined;
  }
}

/** What git says about a fetch that never took place is said about reading instead. */
async function understood<Result>(topLevel: string, running: Promise<Result>): Promise<Result> {
  try {
    return await running;
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    const message = `Cannot read the git repository "${printable(topLevel)}": expected its objects, found ${error.answer}`;
    throw new BuilditError('input-invalid', message, { cause: error });
  }
}

function grouped(paths: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const path of paths) {
    bytes += Buffer.byteLength(path) + 1;
    if (bytes > ARGUMENT_BYTES) {
      groups.push([]);
      bytes = Buffer.byteLength(path) + 1;
    }
    groups.at(-1)!.push(path);
  }
  return groups;
}
