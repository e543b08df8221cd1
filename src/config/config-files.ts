import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROJECT_CONFIG, SPEC_FILE } from '../model/config-names.ts';
import { type Environment, findBaseDirectory } from '../system/user-directories.ts';
import type { Witness } from '../system/witness.ts';

/**
 * A configuration file that is there. One of a project came with somebody's directory and is not trusted; that of a pulled
 * spec adds recipes and nothing else.
 */
export interface ConfigFile {
  readonly kind: 'project' | 'spec' | 'user' | 'system';
  readonly path: string;
}

/**
 * The files that count for a directory, the strongest first: the nearest one of a project above it, with that of a pulled
 * spec on the way there, the user's, the system's.
 */
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
    }
    const spec = join(current, SPEC_FILE);
    if (files.every(({ kind }) => kind !== 'spec') && exists(spec)) files.push({ kind: 'spec', path: spec });
    if (files.some(({ kind }) => kind === 'project')) break;
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
