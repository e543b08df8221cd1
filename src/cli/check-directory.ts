import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { shownPath } from './render-error.ts';

const MAXIMUM_SHOWN = 3;

/** Refuses a typed path that is no directory with this file in it, and names the one that was most likely meant. */
export function checkDirectory(cwd: string, typed: string, file: string): void {
  const path = resolve(cwd, typed);
  if (existsSync(join(path, file))) return;
  const stat = statSync(path, { throwIfNoEntry: false });
  const found = stat === undefined ? 'no such directory' : stat.isDirectory() ? 'none in it' : 'a file';
  const meant = nearby(path, file, stat?.isDirectory() === true).map((one) => printable(shownPath(one, cwd)));
  throw new BuilditError(
    'file-missing',
    `Cannot use "${printable(typed)}": expected a directory that holds a ${file}, found ${found}`,
    { hint: meant.length > 0 ? `did you mean ${meant.join(' or ')}?` : undefined },
  );
}

/** What a directory that may be of either kind is taken for: a container unless it holds nothing but a repository.yaml. */
export function definitionFile(cwd: string, typed: string): 'container.yaml' | 'repository.yaml' {
  const isRepository =
    !existsSync(resolve(cwd, typed, 'container.yaml')) && existsSync(resolve(cwd, typed, 'repository.yaml'));
  return isRepository ? 'repository.yaml' : 'container.yaml';
}

function nearby(path: string, file: string, isDirectory: boolean): readonly string[] {
  if (!isDirectory) return basename(path) === file && existsSync(path) ? [dirname(path)] : [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(path, entry.name, file)))
    .map(({ name }) => join(path, name))
    .sort()
    .slice(0, MAXIMUM_SHOWN);
}
