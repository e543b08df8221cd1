import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './temporary-directory.ts';

export const installation = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export interface BuilditRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command line with an environment of its own: a fresh home and a fresh store. */
export async function runBuildit(
  argv: readonly string[],
  { cwd = temporaryDirectory(), environment = {} }: { cwd?: string; environment?: Record<string, string> } = {},
): Promise<BuilditRun> {
  const home = temporaryDirectory();
  // Builds that root starts run as other users, who must be able to pass through to the store.
  chmodSync(home, 0o755);
  const child = spawn(process.execPath, [`${installation}/bin/buildit.js`, ...argv], {
    cwd,
    env: { PATH: process.env.PATH, HOME: home, BUILDIT_STORE: `${home}/store`, LC_ALL: 'C.UTF-8', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { exitCode, stdout, stderr };
}
