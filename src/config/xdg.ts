import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

export function homeDirectory(environment: Environment): string {
  return environment.HOME || homedir();
}

/** A directory of the XDG base directory specification, which says to ignore relative ones. */
export function xdgDirectory(environment: Environment, name: string, fallback: string): string {
  const value = environment[name];
  return value !== undefined && isAbsolute(value) ? value : fallback;
}
