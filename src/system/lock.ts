import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { findProgram } from './programs.ts';
import { writeFailure } from './write-failure.ts';

export type LockMode = 'shared' | 'exclusive';

/** A lock that is held until it is released or this process dies. Releasing twice is harmless. */
export interface Lock {
  readonly path: string;
  readonly mode: LockMode;
  release(): void;
}

export interface LockOptions {
  /** Gives up waiting; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** `false`: answer undefined at once when somebody else holds the lock. */
  readonly wait?: boolean | undefined;
  /** Called once when the lock is not free at once, so that the user can be told. */
  readonly onWait?: (() => void) | undefined;
}

const PATIENCE_MS = 300;
let configuredCommand: readonly string[] | undefined;

/** Names the `flock` to use where the host has none: `[loader, '--library-path', directories, '…/flock']`. */
export function setFlockCommand(command: readonly string[]): void {
  configuredCommand = command;
}

/** The command that takes locks, or undefined where there is none (and `acquireLock` cannot work). */
export function flockCommand(): readonly string[] | undefined {
  const found = findProgram('flock');
  return found === undefined ? configuredCommand : [found];
}

/**
 * Takes a lock on a file, which is created if needed and never unlinked: unlinking would let two processes hold "the"
 * lock on two files of one name. Answers undefined only with `wait: false`.
 *
 * The file is opened here and the host's `flock` locks that open file, which both share; so the lock stays when `flock`
 * ends, belongs to this process alone (descriptors are closed on exec), and the kernel frees it when this process dies.
 */
export async function acquireLock(
  path: string,
  mode: LockMode,
  options: LockOptions & { readonly wait: false },
): Promise<Lock | undefined>;
export async function acquireLock(
  path: string,
  mode: LockMode,
  options?: LockOptions & { readonly wait?: true | undefined },
): Promise<Lock>;
export async function acquireLock(path: string, mode: LockMode, options?: LockOptions): Promise<Lock | undefined>;
export async function acquireLock(path: string, mode: LockMode, options: LockOptions = {}): Promise<Lock | undefined> {
  options.signal?.throwIfAborted();
  const command = flockCommand();
  if (command === undefined) throw noFlock(path);
  const descriptor = openLockFile(path);
  try {
    if (!(await runFlock(command, descriptor, path, mode, options))) {
      closeSync(descriptor);
      return undefined;
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return heldLock(path, mode, descriptor);
}

function openLockFile(path: string): number {
  try {
    // 'a+': O_RDWR | O_CREAT, and what is in the file stays.
    return openSync(path, 'a+', 0o644);
  } catch (error) {
    throw writeFailure(error, { verb: 'lock', path });
  }
}

function heldLock(path: string, mode: LockMode, descriptor: number): Lock {
  let held = true;
  return {
    path,
    mode,
    release() {
      if (held) closeSync(descriptor);
      held = false;
    },
  };
}

/** Resolves with whether the lock was taken; false only when not waiting. */
function runFlock(
  [program, ...prefix]: readonly string[],
  descriptor: number,
  path: string,
  mode: LockMode,
  { signal, wait = true, onWait }: LockOptions,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const flags = [...(wait ? [] : ['-n']), mode === 'shared' ? '-s' : '-x', '3'];
    const child = spawn(program!, [...prefix, ...flags], { stdio: ['ignore', 'ignore', 'pipe', descriptor], env: {} });
    const patience = onWait === undefined ? undefined : setTimeout(onWait, PATIENCE_MS);
    const giveUp = () => child.kill('SIGKILL');
    const messages: Buffer[] = [];
    child.stderr!.on('data', (chunk: Buffer) => messages.push(chunk));
    signal?.addEventListener('abort', giveUp, { once: true });
    const settle = (settled: () => void) => {
      clearTimeout(patience);
      signal?.removeEventListener('abort', giveUp);
      settled();
    };
    child.on('error', (cause) => settle(() => reject(lockFailure(path, cause.message, cause))));
    child.on('close', (code) =>
      settle(() => {
        if (signal?.aborted) reject(signal.reason);
        else if (code === 0) resolve(true);
        else if (code === 1 && !wait) resolve(false);
        else reject(lockFailure(path, Buffer.concat(messages).toString().trim() || `exit code ${code}`));
      }),
    );
  });
}

function lockFailure(path: string, found: string, cause?: unknown): BuilditError {
  return new BuilditError(
    'cannot-write',
    `Cannot lock "${printable(path)}": expected flock to lock it, found ${printable(found)}`,
    {
      hint: 'the store must lie in a file system with locks; name another place with BUILDIT_STORE',
      cause,
    },
  );
}

function noFlock(path: string): BuilditError {
  return new BuilditError(
    'sandbox-unavailable',
    `Cannot lock "${printable(path)}": expected a program flock, found none`,
    {
      hint: 'install util-linux',
    },
  );
}
