import { positionOf, shorten, type YamlMap, type YamlNode } from '../../document/yaml-node.ts';
import type { DraftField } from '../recipe-draft.ts';
import type { DraftNotes } from './draft-notes.ts';

/** Notes every key of a mapping that is not read and means something, by its path and line. */
export function noteKeys(
  map: YamlMap | undefined,
  read: string,
  { path, at, notes }: { readonly path: string; readonly at: DraftField; readonly notes: DraftNotes },
): void {
  const known = new Set(read.split(' '));
  for (const { key, name, value } of map?.members ?? []) {
    if (known.has(name)) continue;
    notes.todo(at, `${path}${name} (line ${lineOf(key)}) is not translated: ${writtenIn(value)}`);
  }
}

export function lineOf(node: YamlNode): number {
  return positionOf(node).line;
}

function writtenIn(node: YamlNode): string {
  return shorten(node.document.text.slice(node.start, node.end).replace(/\s+/g, ' ').trim());
}
