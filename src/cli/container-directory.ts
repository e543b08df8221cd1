import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

export interface ContainerPlace {
  /** Absolute path of the directory that holds container.yaml. */
  readonly directory: string;
  /** What was typed, as the container names it: `./pkgs/nginx`, or `dev-libs/openssl` as it is. */
  readonly packageName: string | undefined;
}

/**
 * Finds the container that something typed belongs to: the directory of a container itself, a package's directory inside
 * one, a package's name behind a container's directory (`nginx-prod/dev-libs/openssl`), or a package's name alone for the
 * container at or above the working directory.
 */
export function containerDirectory(cwd: string, typed: string | undefined): ContainerPlace {
  const path = resolve(cwd, typed ?? '.');
  const directory = containerAtOrAbove(path) ?? containerAtOrAbove(cwd);
  if (directory === undefined) {
    throw new BuilditError(
      'file-missing',
      `Cannot find the container of "${printable(typed ?? '.')}": expected a container.yaml there or above, found none`,
      { hint: 'name a directory of a container, or run this inside of one' },
    );
  }
  if (path === directory) return { directory, packageName: undefined };
  const inside = relative(directory, path);
  if (typed === undefined || existsSync(path)) return { directory, packageName: `./${inside}` };
  const isBareName = directory === containerAtOrAbove(cwd) && !/^[./]/.test(typed);
  return { directory, packageName: isBareName ? typed : inside };
}

/** The nearest directory that holds a container.yaml. */
export function containerAtOrAbove(start: string): string | undefined {
  for (let directory = start; ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'container.yaml'))) return directory;
    if (directory === dirname(directory)) return undefined;
  }
}
