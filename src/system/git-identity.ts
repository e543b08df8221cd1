import { spawnSync } from 'node:child_process';
import { findProgram } from './programs.ts';

const PATIENCE_MS = 5000;

/** `Name <address>` as git would sign a commit in a directory; undefined without git, or where it knows neither. */
export function gitIdentity(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const program = findProgram('git', environment);
  if (program === undefined) return undefined;
  const setting = (key: string) => {
    const options = { cwd: directory, env: { ...environment }, encoding: 'utf8', timeout: PATIENCE_MS } as const;
    const { status, stdout } = spawnSync(program, ['config', '--get', key], options);
    return status === 0 ? stdout.trim() : '';
  };
  const [name, address] = [setting('user.name'), setting('user.email')];
  return name === '' || address === '' ? undefined : `${name} <${address}>`;
}
