import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { DEBIAN_CATEGORY, readingsOfAtom } from '../definition/atom.ts';
import { wantedVersionOf } from '../definition/wanted-version.ts';
import { BuilditError } from '../model/errors.ts';
import { isCleanRelativePath, isDebianPackageName, isDebianVersion, isVersion, printable } from '../model/names.ts';
import type { Atom } from '../model/package.ts';

/** A package as somebody typed it, before anything is known of it. */
export type WantedPackage =
  /** `path` as container.yaml writes it: `./pkgs/nginx`. */
  | { readonly kind: 'embedded'; readonly path: string }
  | { readonly kind: 'debian'; readonly name: string; readonly version: string | undefined }
  /** The ways to read it, the likeliest first, each with the version or the range that it asks for. */
  | { readonly kind: 'recipe'; readonly readings: readonly Atom[] };

export interface TypedPackage {
  readonly typed: string;
  readonly wanted: WantedPackage;
}

/**
 * Understands `www-servers/nginx`, `www-servers/nginx-1.22.1`, `www-servers/nginx=1.22.1`, `www-servers/nginx>=1.22,<1.27`,
 * `debian/curl`, `debian/curl=VERSION` and the path of a package's directory, from the container's directory or from the
 * working directory.
 */
export function parseWanted(typed: string, { directory, cwd }: { directory: string; cwd: string }): TypedPackage {
  if (/^(?:\.{0,2}\/|~)/.test(typed) || typed.split('/').length > 2) {
    return { typed, wanted: { kind: 'embedded', path: insidePath(typed, directory, cwd) } };
  }
  const wanted = typed.startsWith(`${DEBIAN_CATEGORY}/`) ? debianPackage(typed) : recipe(typed);
  if (wanted !== undefined) return { typed, wanted };
  throw new BuilditError(
    'usage',
    `Cannot use the package "${printable(typed)}": expected CATEGORY/NAME, debian/NAME or ./pkgs/NAME, found none`,
    { hint: hintFor(typed) },
  );
}

function debianPackage(typed: string): WantedPackage | undefined {
  const [, name = '', version] = /^[^/]*\/([^=]*)(?:=(.*))?$/s.exec(typed) ?? [];
  if (!isDebianPackageName(name) || !(version === undefined || isDebianVersion(version))) return undefined;
  return { kind: 'debian', name, version };
}

/** A single version behind a `=` is that version exactly, as behind a `-`. */
function recipe(typed: string): WantedPackage | undefined {
  const [, name = '', version = ''] = /^([^ ~^=!<>]+)=(.*)$/s.exec(typed) ?? [];
  const readings = isVersion(version)
    ? readingsOfAtom(name).flatMap((atom) => (wantedVersionOf(atom) === undefined ? { ...atom, version } : []))
    : readingsOfAtom(typed);
  return readings.length === 0 ? undefined : { kind: 'recipe', readings };
}

function hintFor(typed: string): string {
  if (!/[~^=!<>]/.test(typed)) return '`buildit search WORD` finds recipes';
  return typed.startsWith(`${DEBIAN_CATEGORY}/`)
    ? 'a package of Debian takes one version and no range: debian/NAME=VERSION'
    : 'versions and ranges are written like www-servers/nginx=1.22.1, "www-servers/nginx~1.26" or "dev-libs/openssl>=3.0,<4"';
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
