import { spawnSync } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Runs a program to its end; what it prints is dropped unless it fails. */
export function runProgram(command: readonly string[], { cwd, environment = process.env }: RunOptions = {}): void {
  const { status, signal, error, stderr } = spawnSync(command[0]!, command.slice(1), {
    cwd,
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 64 * 2 ** 20,
  });
  if (status === 0) return;
  const outcome = error?.message ?? signal ?? `exit code ${status}`;
  throw new Error(`${command.slice(0, 4).join(' ')}: ${outcome}\n${(stderr ?? '').slice(-2000)}`);
}

/** Runs a script of bash with arguments, which it finds as "$@". */
export function runScript(script: string, args: readonly string[], options?: RunOptions): void {
  runProgram(['bash', '-euo', 'pipefail', '-c', script, 'bench', ...args], options);
}
