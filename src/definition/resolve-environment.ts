import { mapAt, scalarAt } from '../document/fields.ts';
import type { Problems } from '../document/problems.ts';
import type { YamlMap } from '../document/yaml-node.ts';
import { renderTemplate, type TemplateValues } from './template.ts';

/** Set by buildit itself for every phase. */
const RESERVED = new Set(['DESTDIR', 'FILESDIR', 'HOME', 'JOBS', 'SOURCE_DATE_EPOCH', 'TMPDIR']);

/**
 * Lays `environment` mappings over a class's variables in order: a text replaces, `{append: text}` adds behind a space.
 * Sorted by name.
 */
export function resolveEnvironment(
  start: Readonly<Record<string, string>>,
  layers: readonly (YamlMap | undefined)[],
  values: TemplateValues,
  problems: Problems,
): Readonly<Record<string, string>> {
  const environment = new Map(Object.entries(start));
  for (const layer of layers) {
    for (const { key, name, value } of mapAt(layer, 'environment')?.members ?? []) {
      if (RESERVED.has(name) || name.startsWith('BUILDIT_')) {
        problems.add(key, `Cannot set "${name}": expected another variable, found one that buildit sets itself`);
        continue;
      }
      const node = value.kind === 'map' ? scalarAt(value, 'append') : value.kind === 'scalar' ? value : undefined;
      const text = node === undefined ? undefined : renderTemplate(node, { values, problems });
      if (text === undefined) continue;
      const before = value.kind === 'map' ? environment.get(name) : undefined;
      environment.set(name, before === undefined || before === '' ? text : `${before} ${text}`);
    }
  }
  return Object.fromEntries([...environment].sort(([a], [b]) => (a < b ? -1 : 1)));
}
