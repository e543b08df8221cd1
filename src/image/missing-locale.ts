import type { MergedTree } from './merge-tree.ts';

export interface MissingLocale {
  /** `LANG`, `LC_ALL`. */
  readonly variable: string;
  readonly value: string;
  /** The Debian package that has the locale. */
  readonly package: string;
}

const VARIABLE = /^(?:LANG|LC_[A-Z]+)$/;
const BUILT_IN = new Set(['', 'C', 'POSIX']);

/**
 * Locales that an image's environment names and no file of it has. Only glibc reads locales from files: an image without
 * it lacks none. A variable that LC_ALL overrides has no effect.
 */
export function missingLocales(
  environment: Readonly<Record<string, string>>,
  tree: MergedTree,
): readonly MissingLocale[] {
  if (environment.LOCPATH !== undefined || !hasGlibc(tree)) return [];
  const overriding = environment.LC_ALL;
  const named = overriding === undefined || overriding === '' ? Object.entries(environment) : [['LC_ALL', overriding]];
  const missing: MissingLocale[] = [];
  for (const [variable = '', value = ''] of named) {
    if (!VARIABLE.test(variable) || BUILT_IN.has(value) || hasLocale(tree, value)) continue;
    if (missing.some((other) => other.value === value)) continue;
    const isC = /^C\./.test(value);
    missing.push({ variable, value, package: isC ? 'libc-bin' : 'locales-all' });
  }
  return missing;
}

function hasGlibc({ entries }: MergedTree): boolean {
  return [...entries.keys()].some((path) => /(?:^|\/)libc\.so\.6$/.test(path));
}

/** localedef(1) writes `en_US.utf8` for `en_US.UTF-8`, and setlocale(3) looks for either. An archive may have any. */
function hasLocale({ entries }: MergedTree, value: string): boolean {
  const directory = 'usr/lib/locale';
  if (entries.has(`${directory}/locale-archive`)) return true;
  const [, name = '', codeset = '', modifier = ''] = /^([^.@]*)(?:\.([^@]*))?(@.*)?$/.exec(value) ?? [];
  const normalised = codeset.toLowerCase().replace(/[^a-z0-9]/g, '');
  const suffixes = codeset === '' ? [''] : [`.${codeset}`, `.${normalised}`];
  return suffixes.some((suffix) => entries.has(`${directory}/${name}${suffix}${modifier}`));
}
