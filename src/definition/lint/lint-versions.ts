import { mapAt } from '../../document/fields.ts';
import { positionAt, type YamlMap, type YamlMember } from '../../document/yaml-node.ts';
import { isVersion } from '../../model/names.ts';
import { compareVersions } from '../../model/version-order.ts';
import { readScheme } from '../read-scheme.ts';
import { type DefinitionFinding, styleFinding, type TextEdit } from './definition-finding.ts';

/** Versions stand newest first, so that the one that is built by default is the one that is seen. */
export function lintVersions(root: YamlMap): readonly DefinitionFinding[] {
  const map = mapAt(root, 'versions');
  if (map === undefined || !map.members.every(({ name }) => isVersion(name))) return [];
  const scheme = readScheme(root);
  const sorted = map.members.toSorted((a, b) => compareVersions(b.name, a.name, scheme));
  const index = map.members.findIndex((member, at) => member !== sorted[at]);
  if (index < 0) return [];
  const message = `expected the newest version first, found ${map.members[index]!.name} before ${sorted[index]!.name}`;
  return [styleFinding('versions-order', map.members[index]!.key, message, { fix: reordered(map, sorted) })];
}

/** Moves whole lines, comments at their ends with them; only where each version has one line and nothing is between. */
function reordered(map: YamlMap, sorted: readonly YamlMember[]): Omit<TextEdit, 'path'> | undefined {
  const { document, members } = map;
  const lineOf = (offset: number) => positionAt(document, offset).line;
  const first = lineOf(members[0]!.key.start);
  const isPlain = members.every(
    ({ key, value }, index) =>
      lineOf(key.start) === first + index && lineOf(Math.max(key.end, value.end)) === first + index,
  );
  if (!isPlain || document.text[map.start] === '{') return undefined;
  const start = document.lineStarts[first - 1]!;
  const end = document.lineStarts[first - 1 + members.length] ?? document.text.length;
  const lines = document.text.slice(start, end).split(/(?<=\n)/);
  const isWhole = lines.length === members.length && lines.every((line) => line.endsWith('\n'));
  if (!isWhole) return undefined;
  return { start, end, text: sorted.map((member) => lines[members.indexOf(member)]!).join('') };
}
