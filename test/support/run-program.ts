import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface RunningProgram {
  readonly child: ChildProcess;
  /** Resolves with the next line of its standard output, rejects when there will be none. */
  nextLine(): Promise<string>;
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>;
  /** Waits for the end. */
  ended(): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** The command that runs a TypeScript program of the tests. */
export function programCommand(program: URL, ...parameters: readonly string[]): readonly string[] {
  return [process.execPath, '--import', import.meta.resolve('tsx'), fileURLToPath(program), ...parameters];
}

/** Starts a command as a process of its own; what still runs when the test ends is killed. */
export function startProgram(
  [command, ...parameters]: readonly string[],
  identity: { readonly uid?: number; readonly gid?: number } = {},
): RunningProgram {
  const child = spawn(command!, parameters, { stdio: ['pipe', 'pipe', 'pipe'], ...identity });
  let stdout = '';
  let stderr = '';
  let taken = 0;
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const end = new Promise<number | null>((resolve) => child.on('close', resolve));
  const kill = async () => {
    child.kill('SIGKILL');
    await end;
  };
  onTestFinished(kill);
  return {
    child,
    kill,
    async nextLine() {
      for (let over = false; ; ) {
        const newline = stdout.indexOf('\n', taken);
        if (newline >= 0) {
          const line = stdout.slice(taken, newline);
          taken = newline + 1;
          return line;
        }
        if (over) throw new Error(`The program ended without another line; it said: ${stderr}`);
        const more = new Promise<boolean>((resolve) => child.stdout.once('data', () => resolve(false)));
        over = await Promise.race([more, end.then(() => true)]);
      }
    },
    async ended() {
      return { exitCode: await end, stdout, stderr };
    },
  };
}
