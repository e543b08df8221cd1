import { join } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import {
  BASE_DIRECTORIES,
  type BaseDirectory,
  type Environment,
  findBaseDirectory,
  findHome,
  userId,
} from './user-directories.ts';

/** Like `findHome`. @throws BuilditError `configuration-invalid` where there is none. */
export function homeDirectory(environment: Environment): string {
  return findHome(environment) ?? missing(environment, 'HOME');
}

/** Like `findBaseDirectory`. @throws BuilditError `configuration-invalid` where there is none. */
export function baseDirectory(environment: Environment, kind: BaseDirectory): string {
  return findBaseDirectory(environment, kind) ?? missing(environment, `HOME or ${BASE_DIRECTORIES[kind][0]}`);
}

/** `~` and `~/x` as an absolute path; every other text as it is. */
export function expandHome(path: string, environment: Environment): string {
  return path === '~' || path.startsWith('~/') ? join(homeDirectory(environment), path.slice(1)) : path;
}

function missing(environment: Environment, variables: string): never {
  const found = environment.HOME === undefined || environment.HOME === '' ? 'none' : 'a relative one';
  throw new BuilditError(
    'configuration-invalid',
    `Cannot find your home directory: expected an absolute path in ${variables}, found ${found}`,
    {
      hint: `uid ${userId()} has no home of its own on this machine; set HOME, as in: HOME=/tmp/home buildit …`,
    },
  );
}
