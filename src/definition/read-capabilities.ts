import { mapAt, scalarsOf } from '../document/fields.ts';
import { positionOf } from '../document/yaml-node.ts';
import { sortCapabilities } from '../model/capability.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';
import type { FileCapabilities } from '../model/package.ts';
import { acceptText, refuseText } from './checked-text.ts';
import type { RecipeReading } from './recipe-reading.ts';

/**
 * The files of a package that give capabilities to whoever starts them, sorted by path:
 * `capabilities: {usr/bin/ping: [cap_net_raw]}`. The schema knows the names of capabilities.
 */
export function readCapabilities(reading: RecipeReading): readonly FileCapabilities[] {
  const check = { label: 'capabilities', problems: reading.problems };
  const files = new Map<string, FileCapabilities>();
  for (const { key, value } of mapAt(reading.root, 'capabilities')?.members ?? []) {
    const text = reading.rendered(key);
    const expected = 'a path in the package without a leading slash such as usr/bin/ping';
    const path = acceptText(text, expected, isPackagePath, check);
    if (path === undefined) continue;
    if (files.has(path)) refuseText(text!, 'each path once', check);
    const capabilities = sortCapabilities(scalarsOf(value).map((name) => name.text));
    files.set(path, { path, capabilities, position: positionOf(key) });
  }
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isPackagePath(text: string): boolean {
  return text.length <= 500 && printable(text) === text && isCleanRelativePath(text);
}
