import type { Config } from '../model/config.ts';
import { printable } from '../model/names.ts';

/** Every setting as a row of its dotted name, its value, and where that came from. */
export function configRows({ origins, ...settings }: Config): string[][] {
  return rowsOf(settings, '').map(([key, value]) => [key, printable(value), printable(originOf(key, origins))]);
}

function rowsOf(value: unknown, key: string): [string, string][] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [[key, settingText(value)]];
  return Object.entries(value).flatMap(([name, member]) => rowsOf(member, key === '' ? name : `${key}.${name}`));
}

function settingText(value: unknown): string {
  if (value === undefined) return '(none)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Origins are recorded for a setting itself or for a mapping above it; what has none is the default. */
function originOf(key: string, origins: Config['origins']): string {
  for (let name = key; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const origin = origins[name];
    if (origin !== undefined) return origin;
  }
  return 'default';
}
