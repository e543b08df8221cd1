import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { BuilditError } from '../model/errors.ts';
import { shownUrl } from '../system/http.ts';
import { GitFailure, gitFailure } from './git-failure.ts';

export interface GitRunOptions {
  /** Absolute path of git. */
  readonly program: string;
  /** Whole: see `gitEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  /** Of the repository, for messages. */
  readonly url: string;
  /** Bytes that any one file may grow to. */
  readonly maximumFileBytes: number;
  /** Ends git; for the caller's own wish and for time-outs, which `signalMeaning` tells apart. */
  readonly signal: AbortSignal;
  /** Answers whether the user wanted the end. */
  readonly isInterrupted: () => boolean;
  readonly input?: string | undefined;
}

const MAXIMUM_COMPLAINT = 8000;
/** KiB of address space: a pack that unfolds into more than that is an attack. */
const MAXIMUM_MEMORY_KIB = 4 * 1024 * 1024;
/** POSIX ulimit counts files in blocks of 512 bytes. */
const LIMITED = 'ulimit -f "$1"; ulimit -v "$2"; shift 2; exec "$@"';

/** Runs git and gives its standard output, of which more than `maximumBytes` is a failure. */
export async function runGit(argv: readonly string[], options: GitRunOptions, maximumBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of readGit(argv, options)) {
    length += chunk.length;
    if (length > maximumBytes) throw new GitFailure(options.url, 'more than is taken');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Runs git, bounded in memory and in the size of files, and yields its standard output. It ends with everything that it
 * started when the reader stops, when the signal comes, and when it is done.
 *
 * @throws GitFailure when git fails, and BuilditError `interrupted` when the user wanted the end.
 */
export async function* readGit(argv: readonly string[], options: GitRunOptions): AsyncGenerator<Buffer> {
  const { program, environment, directory, url, maximumFileBytes, signal, input = '' } = options;
  throwIfStopped(options);
  const limits = [String(Math.ceil(maximumFileBytes / 512)), String(MAXIMUM_MEMORY_KIB)];
  const child: Git = spawn('/bin/sh', ['-c', LIMITED, 'sh', ...limits, program, ...argv], {
    cwd: directory,
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own, so that the programs git starts end with it.
    detached: true,
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-MAXIMUM_COMPLAINT);
  });
  child.stdin.on('error', () => undefined).end(input);
  const ended = once(child, 'close') as Promise<[number | null]>;
  ended.catch(() => undefined);
  const kill = () => killGroup(child);
  signal.addEventListener('abort', kill, { once: true });
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const [code] = await ended;
    throwIfStopped(options);
    if (code !== 0) throw gitFailure(url, complaint);
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
    await ended.catch(() => undefined);
  }
}

type Git = ChildProcessByStdio<Writable, Readable, Readable>;

function killGroup({ pid, exitCode, signalCode }: Git): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function throwIfStopped({ signal, isInterrupted, url }: GitRunOptions): void {
  if (!signal.aborted) return;
  if (!isInterrupted()) throw new GitFailure(url, 'no whole answer in time', { hint: 'run again later' });
  throw new BuilditError('interrupted', `Cannot fetch "${shownUrl(url)}" with git: interrupted`);
}
