import { tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * The only place that asks where the user's files are. Everything it returns is absolute: a path of the user that was
 * relative would be one of the project that buildit runs in.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variable of the XDG base directory specification and its default below the home directory. */
export const BASE_DIRECTORIES = {
  cache: ['XDG_CACHE_HOME', '.cache'],
  config: ['XDG_CONFIG_HOME', '.config'],
  state: ['XDG_STATE_HOME', '.local/state'],
} as const;

export type BaseDirectory = keyof typeof BASE_DIRECTORIES;

/** HOME, else the home of the account. An empty or relative one counts as unset; undefined where neither names one. */
export function findHome(environment: Environment): string | undefined {
  return absolutePath(environment, 'HOME') ?? absolute(findAccount()?.home);
}

/** The user's directory of a kind; undefined where neither its variable nor a home names an absolute path. */
export function findBaseDirectory(environment: Environment, kind: BaseDirectory): string | undefined {
  const [variable, fallback] = BASE_DIRECTORIES[kind];
  const configured = absolutePath(environment, variable);
  if (configured !== undefined) return configured;
  const home = findHome(environment);
  return home === undefined ? undefined : join(home, fallback);
}

/** The value of a variable that holds a path of the user; undefined where it is unset, empty or relative. */
export function absolutePath(environment: Environment, variable: string): string | undefined {
  return absolute(environment[variable]);
}

/** Where temporary files go: TMPDIR where it is absolute, else the system's usual place. */
export function temporaryDirectory(): string {
  const path = tmpdir();
  return isAbsolute(path) ? path : '/tmp';
}

/** `~name` and `~name/x`: the home of another user, which buildit does not look up. */
export function namesOtherHome(path: string): boolean {
  return path.startsWith('~') && path !== '~' && !path.startsWith('~/');
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

/** The user's entry in the system's user database. */
export interface Account {
  readonly name: string;
  /** As the entry has it; may be empty or lead nowhere. */
  readonly home: string;
}

/**
 * The account of this process's uid; undefined where the uid has no entry, as in containers that run under a free uid.
 * Only what cannot do without a name or a home asks for it.
 */
export function findAccount(): Account | undefined {
  try {
    const { username, homedir } = userInfo();
    return { name: username, home: homedir };
  } catch {
    return undefined;
  }
}

/** The uid of this process; needs no account. */
export function userId(): number {
  return process.getuid?.() ?? 0;
}
