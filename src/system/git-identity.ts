import { spawnSync } from 'node:child_process';
import { gitConfigEnvironment, gitConfigPolicy } from './git-command.ts';
import { findProgram } from './programs.ts';
import type { Environment } from './user-directories.ts';

const PATIENCE_MS = 5000;

/** `Name <address>` as git would sign a commit in a directory; undefined without git, or where it knows neither. */
export function gitIdentity(directory: string, environment: Environment): string | undefined {
  const program = findProgram('git', environment);
  if (program === undefined) return undefined;
  const setting = (key: string) => {
    const env = gitConfigEnvironment(environment);
    const options = { cwd: directory, env, encoding: 'utf8', timeout: PATIENCE_MS } as const;
    const { status, stdout } = spawnSync(program, [...gitConfigPolicy(), 'config', '--get', key], options);
    return status === 0 ? stdout.trim() : '';
  };
  const [name, address] = [setting('user.name'), setting('user.email')];
  return name === '' || address === '' ? undefined : `${name} <${address}>`;
}
