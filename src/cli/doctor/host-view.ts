import { spawn } from 'node:child_process';
import { closeSync, linkSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FIRST_UID } from '../../build/build-owner.ts';
import { type TriedSandbox, trySandbox } from '../../build/try-sandbox.ts';

/** What a program that was tried answered; `status` is undefined when it could not be started or did not end in time. */
export interface TriedProgram {
  readonly status: number | undefined;
  readonly output: string;
}

/** What the checks see of a machine. Tests give another root of /proc, /etc and /run, another PATH, another clock. */
export interface HostView {
  /** Prefix of absolute paths: empty for the machine itself. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the store that would be used. */
  readonly store: string;
  readonly debianMirror: string | undefined;
  readonly nodeVersion: string;
  readonly nowMs: number;
  /** Whether buildit runs as the machine's root: builds then run as another, unprivileged user. */
  readonly isRoot: boolean;
  run(program: string, argv: readonly string[]): Promise<TriedProgram>;
  /** Starts the sandboxes of a build and a test, as a build would. */
  trySandbox(bubblewrap: readonly string[]): Promise<TriedSandbox>;
  /** Makes a file and a second name of it in a directory; throws what the system says. */
  tryHardLink(directory: string): void;
}

/** The text of a file of the machine, trimmed; undefined where it cannot be read. */
export function hostText(host: HostView, path: string): string | undefined {
  try {
    return readFileSync(`${host.root}${path}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

const TRY_MS = 10_000;
/** `nobody` of Debian and most others: any uid without rights would do. */
const UNPRIVILEGED = 65_534;

/** Runs a program as a build would be: with an empty environment and, started by root, as a user without rights. */
export function runAsBuild(isRoot: boolean): HostView['run'] {
  return async (program, argv) => {
    try {
      return await runToEnd(program, argv, isRoot ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {});
    } catch (error) {
      return { status: undefined, output: (error as Error).message };
    }
  };
}

/** Rejects, or throws at once, where the program cannot be started. */
function runToEnd(program: string, argv: readonly string[], user: { uid?: number; gid?: number }) {
  return new Promise<TriedProgram>((resolve, reject) => {
    const child = spawn(program, argv, {
      cwd: '/',
      env: {},
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TRY_MS,
      killSignal: 'SIGKILL',
      ...user,
    });
    let output = '';
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(0, 4096);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('error', reject);
    child.on('close', (status) => resolve({ status: status ?? undefined, output: output.trim() }));
  });
}

/** Started by root, as a user of the range that builds have. */
export function trySandboxAsBuild(isRoot: boolean): HostView['trySandbox'] {
  return (bubblewrap) => trySandbox(bubblewrap, isRoot ? { uid: FIRST_UID, gid: FIRST_UID } : undefined);
}

export function tryHardLink(directory: string): void {
  const place = mkdtempSync(join(directory, '.buildit-doctor-'));
  try {
    closeSync(openSync(join(place, 'file'), 'wx'));
    linkSync(join(place, 'file'), join(place, 'link'));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
