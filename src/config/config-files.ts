import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Environment, findBaseDirectory } from '../system/user-directories.ts';
import type { Witness } from '../system/witness.ts';

export const PROJECT_CONFIG = '.buildit-config.yaml';

/** A configuration file that is there. One of a project came with somebody's directory and is not trusted. */
export interface ConfigFile {
  readonly kind: 'project' | 'user' | 'system';
  readonly path: string;
}

/** The files that count for a directory, the strongest first: the nearest one above it, the user's, the system's. */
export function findConfigFiles(directory: string, environment: Environment, witness?: Witness): readonly ConfigFile[] {
  const exists = (path: string) => {
    if (existsSync(path)) return true;
    witness?.missing(path);
    return false;
  };
  const files: ConfigFile[] = [];
  for (let current = directory; ; current = dirname(current)) {
    const path = join(current, PROJECT_CONFIG);
    if (exists(path)) {
      files.push({ kind: 'project', path });
      break;
    }
    if (current === dirname(current)) break;
  }
  const user = userConfigPath(environment);
  if (user !== undefined && exists(user)) files.push({ kind: 'user', path: user });
  const system = '/etc/buildit/config.yaml';
  if (exists(system)) files.push({ kind: 'system', path: system });
  return files;
}

/** Where the user's own configuration is, or would be; undefined for a user without a home directory. */
export function userConfigPath(environment: Environment): string | undefined {
  const directory = findBaseDirectory(environment, 'config');
  return directory === undefined ? undefined : join(directory, 'buildit', 'config.yaml');
}
