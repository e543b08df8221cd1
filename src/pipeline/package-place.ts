import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DEBIAN_CATEGORY } from '../definition/atom.ts';
import { BuilditError } from '../model/errors.ts';
import { isPackageNamePart, printable } from '../model/names.ts';

/** Where a new package goes, and what it belongs to. */
export interface PackagePlace {
  /** Absolute; may be there already. */
  readonly directory: string;
  readonly category: string;
  /** Undefined: whatever the source says. */
  readonly name: string | undefined;
  readonly belongsTo:
    | { readonly kind: 'container' | 'repository'; readonly directory: string }
    | { readonly kind: 'nothing' };
}

/** The category of packages that are nobody else's. */
const OWN_CATEGORY = 'local';

/**
 * Understands NAME, CATEGORY/NAME or a directory: below `pkgs/` of the container at or above, below the repository at or
 * above, else below the working directory.
 */
export function packagePlace(cwd: string, typed: string): PackagePlace {
  const isDirectory = /^(?:\.{0,2}\/|pkgs\/)/.test(typed) || typed.split('/').length > 2;
  const path = resolve(cwd, typed);
  const start = isDirectory ? dirname(path) : cwd;
  const container = atOrAbove(start, 'container.yaml');
  const repository = container === undefined ? atOrAbove(start, 'repository.yaml') : undefined;
  const belongsTo =
    container !== undefined
      ? ({ kind: 'container', directory: container } as const)
      : repository !== undefined
        ? ({ kind: 'repository', directory: repository } as const)
        : ({ kind: 'nothing' } as const);
  const parts = isDirectory ? [basename(dirname(path)), basename(path)] : typed.split('/');
  const [category, name] = parts.length === 1 ? [OWN_CATEGORY, parts[0]!] : [parts[0]!, parts[1]!];
  // Where a directory lies says nothing, unless that is a repository.
  const isNamed = belongsTo.kind === 'repository' || !isDirectory;
  if (!isPackageNamePart(name) || (isNamed && !isPackageNamePart(category))) throw misnamed(typed);
  if (isNamed && category === DEBIAN_CATEGORY) throw misnamed(typed, 'the category debian names packages of Debian');
  if (belongsTo.kind === 'repository') {
    if (parts.length === 1) throw misnamed(typed, 'in a repository it is CATEGORY/NAME');
    const directory = join(belongsTo.directory, category, name);
    if (isDirectory && directory !== path) throw misnamed(typed, `recipes lie at ${directory}`);
    return { directory, category, name, belongsTo };
  }
  const own = isDirectory ? OWN_CATEGORY : category;
  if (isDirectory) return { directory: path, category: own, name, belongsTo };
  const parent = belongsTo.kind === 'container' ? join(belongsTo.directory, 'pkgs') : cwd;
  return { directory: join(parent, name), category: own, name, belongsTo };
}

function misnamed(typed: string, hint?: string): BuilditError {
  return new BuilditError(
    'usage',
    `Cannot name a package "${printable(typed)}": expected NAME, CATEGORY/NAME or a directory, in lower-case letters, ` +
      'digits, ".", "_", "+" and "-"',
    { hint },
  );
}

function atOrAbove(start: string, file: string): string | undefined {
  for (let directory = start; ; directory = dirname(directory)) {
    if (existsSync(join(directory, file))) return directory;
    if (directory === dirname(directory)) return undefined;
  }
}
