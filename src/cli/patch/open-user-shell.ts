import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { isAbsolute } from 'node:path';
import { findProgram } from '../../system/programs.ts';
import type { CliContext } from '../cli-context.ts';
import { exitCodeOfSignal, type StopSignal } from '../exit-code.ts';

/** Whether a person can work in a shell: standard input and standard error are a terminal. */
export function hasTerminal({ stderr }: Pick<CliContext, 'stderr'>): boolean {
  return process.stdin.isTTY === true && stderr.isTerminal;
}

/** Opens the user's own shell, on the host, in a directory, and answers its exit code. */
export async function openUserShell(
  { environment }: Pick<CliContext, 'environment'>,
  directory: string,
  variables: Readonly<Record<string, string>>,
): Promise<number> {
  const child = spawn(shellOf(environment), [], {
    cwd: directory,
    env: { ...environment, ...variables },
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? exitCodeOfSignal(signal as StopSignal)));
  });
}

function shellOf({ SHELL = '' }: CliContext['environment']): string {
  try {
    if (!isAbsolute(SHELL)) throw new Error('no path');
    accessSync(SHELL, constants.X_OK);
    return SHELL;
  } catch {
    return findProgram('sh') ?? '/bin/sh';
  }
}
