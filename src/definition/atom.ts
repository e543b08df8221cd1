import { isDebianPackageName, isPackageNamePart, isVersion } from '../model/names.ts';
import type { Atom } from '../model/package.ts';
import { parseRange } from '../model/version-range.ts';

/** The category whose names are binary packages of the repository's Debian suite. */
export const DEBIAN_CATEGORY = 'debian';

/** The category of what is built from Debian source packages without a recipe of its own. */
export const DEBIAN_SOURCE_CATEGORY = 'debian-source';

/**
 * All ways to read `category/name`, `category/name-version` or `category/name RANGE`, the likeliest first: the whole text
 * as a name, or a range behind it that begins at the first operator; then with a version that begins behind the last `-`
 * before a digit, then behind earlier ones. No name holds an operator, but a version may hold `~`. Names of Debian
 * packages hold dashes themselves (`debian/gcc-12`) and take no version. Empty when the text is no atom at all.
 *
 *     www-servers/nginx~1.26   dev-libs/openssl>=3.0,<4   dev-libs/openssl >=3.0, <4   dev-libs/pcre2!=10.40
 */
export function readingsOfAtom(text: string): readonly Atom[] {
  const slash = text.indexOf('/');
  const category = text.slice(0, Math.max(0, slash));
  const rest = text.slice(slash + 1);
  if (category === DEBIAN_CATEGORY) return isDebianPackageName(rest) ? [{ category, name: rest }] : [];
  if (slash < 0 || !isPackageNamePart(category) || rest.length > 200) return [];
  const readings: Atom[] = isPackageNamePart(rest) ? [{ category, name: rest }] : rangedReading(category, rest);
  for (let dash = rest.lastIndexOf('-'); dash > 0; dash = rest.lastIndexOf('-', dash - 1)) {
    const name = rest.slice(0, dash);
    const version = rest.slice(dash + 1);
    if (/^[0-9]/.test(version) && isPackageNamePart(name) && isVersion(version))
      readings.push({ category, name, version });
  }
  return readings;
}

function rangedReading(category: string, rest: string): Atom[] {
  const [, name = '', text = ''] = /^([^ ~^=!<>]+) *([~^=!<>].*)$/.exec(rest) ?? [];
  const range = isPackageNamePart(name) ? parseRange(text) : undefined;
  return range === undefined ? [] : [{ category, name, range }];
}

/** The reading to show when no package of any reading is known: with the version behind the last `-` before a digit. */
export function likeliestReading(readings: readonly Atom[]): Atom | undefined {
  return readings.find(({ version }) => version !== undefined) ?? readings[0];
}

export function packageName({ category, name }: Atom): string {
  return `${category}/${name}`;
}
