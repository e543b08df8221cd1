import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { BuilditError } from '../model/errors.ts';
import { bubblewrapArguments, type SandboxSpec } from './bubblewrap-arguments.ts';
import { closeInheritedDescriptors } from './inherited-descriptors.ts';
import { openMemoryCgroup } from './memory-cgroup.ts';
import { seccompFilter } from './seccomp-filter.ts';
import type { FilterArchitecture } from './system-call-numbers.ts';

/** A user of this machine without rights; undefined for whoever runs buildit. */
export interface SandboxOwner {
  readonly uid: number;
  readonly gid: number;
}

/** How a sandbox is run: the bubblewrap to use, as whom, and where its output goes (descriptors, or a stream). */
export interface SandboxRunOptions {
  readonly bubblewrap: readonly string[];
  readonly owner: SandboxOwner | undefined;
  readonly stdin: number | 'ignore' | 'inherit';
  readonly stdout: number | 'pipe' | 'inherit';
  readonly stderr: number | 'pipe' | 'inherit';
  /** How many streams the command gets besides, as descriptors from `FIRST_CHANNEL` on. */
  readonly channels?: number | undefined;
  /** What the kernel bounds for everything in the sandbox, where a control group is delegated to this user. */
  readonly memoryBytes?: number | undefined;
}

/** Behind the descriptors that bubblewrap itself is given. */
export const FIRST_CHANNEL = 5;

export type SandboxExit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string };

export interface RunningSandbox {
  /** The process whose end is the end of everything in the sandbox; undefined if it never started. */
  readonly initProcess: Promise<number | undefined>;
  /** Resolves when no process of the sandbox is left. */
  readonly exit: Promise<SandboxExit>;
  readonly stdout: NodeJS.ReadableStream | null;
  readonly stderr: NodeJS.ReadableStream | null;
  readonly channels: readonly Duplex[];
  /** Whether the kernel ended something in the sandbox because its memory was used up; known after `exit`, too. */
  outOfMemory(): boolean;
  /** Ends every process in the sandbox; `exit` tells when that is done. */
  kill(): void;
}

/**
 * Starts a command in a sandbox. bubblewrap gets an empty environment (the caller's would be in /proc/1/environ), no
 * descriptor but its own, and is started by the main thread: the signal that ends it with its parent follows the thread.
 */
export function runSandbox(spec: SandboxSpec, options: SandboxRunOptions): RunningSandbox {
  if (!isMainThread) throw new TypeError('A sandbox must be started by the main thread');
  closeInheritedDescriptors();
  const [program, ...prefix] = options.bubblewrap;
  const child = spawnOrSay(program!, [...prefix, ...bubblewrapArguments(spec)], {
    cwd: '/',
    env: {},
    stdio: [options.stdin, options.stdout, options.stderr, 'pipe', 'pipe', ...channelPipes(options)],
    ...(options.owner === undefined ? {} : { uid: options.owner.uid, gid: options.owner.gid }),
  });
  // Until it has its filter bubblewrap waits, so that everything it starts inherits this.
  sacrificeFirst(child.pid);
  const cgroup = options.memoryBytes === undefined ? undefined : openMemoryCgroup(options.memoryBytes);
  if (child.pid !== undefined) cgroup?.add(child.pid);
  let outOfMemory = false;
  giveFilter(child.stdio[4] as Duplex, spec);
  const initProcess = readInitProcess(child.stdio[3] as Duplex);
  return {
    initProcess,
    exit: awaitExit(child, initProcess).finally(() => {
      outOfMemory = cgroup?.ranOut() ?? false;
      cgroup?.close();
    }),
    outOfMemory: () => outOfMemory || (cgroup?.ranOut() ?? false),
    stdout: child.stdout,
    stderr: child.stderr,
    channels: child.stdio.slice(FIRST_CHANNEL) as unknown as Duplex[],
    kill: () => void killSandbox(child, initProcess),
  };
}

/** The machine this process runs on, or an error where there is no filter for it. */
function hostArchitecture(): FilterArchitecture {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  throw new BuilditError('sandbox-unavailable', `Cannot run a sandbox: expected x64 or arm64, found ${process.arch}`);
}

/**
 * Where memory runs out, the kernel ends a build before anything else. Set from outside: /proc is read-only inside, and what
 * a process with CAP_SYS_RESOURCE sets is also the least that one without can go back to (proc(5), oom_score_adj).
 */
function sacrificeFirst(pid: number | undefined): void {
  try {
    if (pid !== undefined) writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  } catch {
    // It could not be started, which its own error tells.
  }
}

function channelPipes({ channels = 0 }: SandboxRunOptions): 'pipe'[] {
  return new Array<'pipe'>(channels).fill('pipe');
}

function giveFilter(stream: Duplex, { asContainer = false }: SandboxSpec): void {
  // A bubblewrap that ends before it reads says why on its standard error.
  stream.on('error', () => undefined);
  stream.end(seccompFilter(hostArchitecture(), { asContainer }));
  stream.resume();
}

/** bubblewrap writes `{"child-pid": N, …}` when the namespaces are made, and closes the descriptor. */
function readInitProcess(stream: Duplex): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = '';
    stream.on('error', () => resolve(undefined));
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const found = /"child-pid":\s*([1-9][0-9]{0,9})\b/.exec(text)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    stream.on('close', () => resolve(undefined));
    stream.on('end', () => resolve(undefined));
  });
}

async function awaitExit(child: ChildProcess, initProcess: Promise<number | undefined>): Promise<SandboxExit> {
  const exit = await new Promise<SandboxExit>((resolve, reject) => {
    child.on('error', (cause) => reject(cannotStart(child.spawnfile, cause)));
    child.on('close', (code, signal) =>
      resolve(code === null ? { kind: 'killed', signal: signal ?? 'SIGKILL' } : { kind: 'exited', code }),
    );
  });
  // A bubblewrap that ended by itself has waited for its init; one that was killed has not.
  if (exit.kind === 'killed') await awaitEnd(await initProcess);
  return exit;
}

/** Node throws some failures and reports others by an event: those are seen by `awaitExit`. */
function spawnOrSay(program: string, argv: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(program, argv, options);
  } catch (cause) {
    throw cannotStart(program, cause as Error);
  }
}

function cannotStart(program: string, cause: Error): BuilditError {
  return new BuilditError('sandbox-unavailable', `Cannot start "${program}": ${cause.message}`, {
    hint: /EPERM/.test(cause.message)
      ? 'builds that root starts run as other users: in a container that needs --cap-add SETUID --cap-add SETGID'
      : 'buildit doctor names programs that do not run, and how to install them',
    cause,
  });
}

/** The namespace's init goes first and takes everything with it; only where there is none yet, bubblewrap itself. */
async function killSandbox(child: ChildProcess, initProcess: Promise<number | undefined>): Promise<void> {
  const patience = new AbortController();
  const init = await Promise.race([initProcess, delay(2000, undefined, { signal: patience.signal, ref: false })]);
  patience.abort();
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (init !== undefined && parentOf(init) === child.pid) endProcess(init);
  else child.kill('SIGKILL');
}

async function awaitEnd(init: number | undefined): Promise<void> {
  if (init === undefined) return;
  for (let waitedMs = 0; waitedMs < 10_000 && isSandboxInit(init); waitedMs += 10) {
    endProcess(init);
    await delay(10);
  }
}

/** First of the namespace it lives in, which a process that got the same number later is not. */
function isSandboxInit(pid: number): boolean {
  try {
    return /^NSpid:\s.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const parent = /^PPid:\s*([0-9]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return parent === undefined ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended in the meantime.
  }
}
