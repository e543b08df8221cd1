import type { Config } from '../model/config.ts';
import { printable } from '../model/names.ts';
import { durationText } from './quantities.ts';

/** Settings whose name and value differ from how a person writes them. */
const AS_WRITTEN: Readonly<Record<string, { name: string; text(value: never): string }>> = {
  'build.timeoutMs': { name: 'build.timeout', text: durationText },
  'build.memoryBytes': { name: 'build.memory', text: (bytes: number) => `${bytes / 2 ** 20}M` },
  'trust.allowedSigners': { name: 'trust.allowed-signers', text: settingText },
  userPatches: { name: 'user-patches', text: (path: string | undefined) => String(path !== undefined) },
  'build.keepFailed': { name: 'build.keep-failed', text: String },
};

/** Every setting as a row of its name in configuration files, its value, and where that came from. */
export function configRows({ origins, notices: _, gitRecipes, ...settings }: Config): string[][] {
  return rowsOf({ ...settings, recipes: [...settings.recipes, ...gitRecipes] }, '').map(([key, value]) => {
    const written = AS_WRITTEN[key];
    const name = written?.name ?? key;
    const text = written === undefined ? settingText(value) : written.text(value as never);
    return [name, text, originOf(name, origins)].map(printable);
  });
}

/** Mappings and lists of named things become a row for each of their members. */
function rowsOf(value: unknown, key: string): [string, unknown][] {
  const below = (name: string) => (key === '' ? name : `${key}.${name}`);
  if (Array.isArray(value) && value.length > 0 && value.every(isNamed)) {
    return value.flatMap(({ name, ...rest }) => rowsOf(rest, below(name)));
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [[key, value]];
  return Object.entries(value).flatMap(([name, member]) => rowsOf(member, below(name)));
}

function isNamed(value: unknown): value is { readonly name: string } {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}

function settingText(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '(none)';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** Origins are recorded for a setting itself or for something it is part of; what has none is the default. */
function originOf(key: string, origins: Config['origins']): string {
  for (let name = key; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const origin = origins[name];
    if (origin !== undefined) return origin;
  }
  return 'default';
}
