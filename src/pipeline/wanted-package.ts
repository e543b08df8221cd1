import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { DEBIAN_CATEGORY, readingsOfAtom } from '../definition/atom.ts';
import { BuilditError } from '../model/errors.ts';
import { isCleanRelativePath, isDebianPackageName, isDebianVersion, isVersion, printable } from '../model/names.ts';
import type { Atom } from '../model/package.ts';

/** A package as somebody typed it, before anything is known of it. */
export type WantedPackage =
  /** `path` as container.yaml writes it: `./pkgs/nginx`. */
  | { readonly kind: 'embedded'; readonly path: string }
  | { readonly kind: 'debian'; readonly name: string; readonly version: string | undefined }
  /** The ways to read it, the likeliest first; `version` where it was typed behind a `=`. */
  | { readonly kind: 'recipe'; readonly readings: readonly Atom[]; readonly version: string | undefined };

export interface TypedPackage {
  readonly typed: string;
  readonly wanted: WantedPackage;
}

/**
 * Understands `www-servers/nginx`, `www-servers/nginx-1.22.1`, `debian/curl`, `debian/curl=VERSION` and the path of a
 * package's directory, from the container's directory or from the working directory.
 */
export function parseWanted(typed: string, { directory, cwd }: { directory: string; cwd: string }): TypedPackage {
  if (/^(?:\.{0,2}\/|~)/.test(typed) || typed.split('/').length > 2) {
    return { typed, wanted: { kind: 'embedded', path: insidePath(typed, directory, cwd) } };
  }
  const [, atom, version] = /^([^=]*)(?:=(.*))?$/s.exec(typed) ?? [];
  const [category, name] = (atom ?? '').split('/');
  if (category === DEBIAN_CATEGORY && name !== undefined) {
    if (isDebianPackageName(name) && (version === undefined || isDebianVersion(version))) {
      return { typed, wanted: { kind: 'debian', name, version } };
    }
  } else {
    const all = readingsOfAtom(atom ?? '');
    const readings = version === undefined ? all : all.filter((reading) => reading.version === undefined);
    if (readings.length > 0 && (version === undefined || isVersion(version))) {
      return { typed, wanted: { kind: 'recipe', readings, version } };
    }
  }
  throw new BuilditError(
    'usage',
    `Cannot use the package "${printable(typed)}": expected CATEGORY/NAME, debian/NAME or ./pkgs/NAME, found none`,
    { hint: '`buildit search WORD` finds recipes' },
  );
}

/** The path as the container names it: of what it may mean, the container's own directory first, that which is there. */
function insidePath(typed: string, directory: string, cwd: string): string {
  const possible = [directory, cwd]
    .map((from) => relative(directory, resolve(from, typed)))
    .filter(isCleanRelativePath);
  const path = possible.find((one) => existsSync(join(directory, one))) ?? possible[0];
  if (path !== undefined) return `./${path}`;
  throw new BuilditError(
    'usage',
    `Cannot use the package "${printable(typed)}": expected a directory inside the container's, found one outside`,
    { hint: 'packages of a container lie below its directory: ./pkgs/NAME' },
  );
}
