import type { SourcePosition } from '../model/source-position.ts';
import { maskedSecrets, withoutSecrets } from '../model/without-secrets.ts';

/** The text a tree was read from. `name` is how messages call the file. */
export interface DocumentText {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  /** Offset of the first character of each line. */
  readonly lineStarts: readonly number[];
}

interface NodePlace {
  readonly document: DocumentText;
  /** Offsets into the document's text; `end` is behind the last character. */
  readonly start: number;
  readonly end: number;
}

export type ScalarStyle = 'plain' | 'quoted' | 'block';

/**
 * One scalar. `text` is what a person wrote: for a plain scalar its source, so that `1.10` stays `1.10` and `0644` stays
 * `0644`; for a quoted or block scalar its value. `value` is what the core schema of YAML 1.2 makes of it.
 */
export interface YamlScalar extends NodePlace {
  readonly kind: 'scalar';
  readonly style: ScalarStyle;
  readonly text: string;
  readonly value: string | number | boolean | null;
}

export interface YamlMember {
  readonly key: YamlScalar;
  readonly name: string;
  readonly value: YamlNode;
}

/** A mapping with its members in the order written. */
export interface YamlMap extends NodePlace {
  readonly kind: 'map';
  readonly members: readonly YamlMember[];
}

export interface YamlList extends NodePlace {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
}

export type YamlNode = YamlScalar | YamlMap | YamlList;

/** Where a node begins, or the character `offset` behind that. */
export function positionOf(node: NodePlace, offset = 0): SourcePosition {
  return positionAt(node.document, node.start + offset);
}

export function positionAt({ name, text, lineStarts }: DocumentText, offset: number): SourcePosition {
  const index = lineIndexAt(lineStarts, offset);
  const start = lineStarts[index]!;
  const end = lineStarts[index + 1] ?? text.length + 1;
  // A line that is cut could hide where a password ends.
  const line = maskedSecrets(text.slice(start, Math.min(end - 1, start + 4 * MAXIMUM_EXCERPT)));
  const excerpt = line.slice(0, MAXIMUM_EXCERPT).replace(/\r$/, '');
  return { file: name, line: index + 1, column: offset - start + 1, excerpt };
}

const MAXIMUM_EXCERPT = 500;

function lineIndexAt(lineStarts: readonly number[], offset: number): number {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lineStarts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function memberOf(map: YamlMap | undefined, name: string): YamlMember | undefined {
  return map?.members.find((member) => member.name === name);
}

/** The node at a key, or undefined where the key is missing or its value is empty (`key:` and nothing). */
export function nodeAt(map: YamlMap | undefined, name: string): YamlNode | undefined {
  const value = memberOf(map, name)?.value;
  return value === undefined || isNull(value) ? undefined : value;
}

export function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** The tree as plain JavaScript values, for validation; objects have no prototype. */
export function plainValue(node: YamlNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plainValue);
  const object: Record<string, unknown> = Object.create(null);
  for (const { name, value } of node.members) object[name] = plainValue(value);
  return object;
}

/** Names what a node is, for messages: `a list`, `"1.10"`. */
export function describeNode(node: YamlNode): string {
  if (node.kind === 'map') return node.members.length === 0 ? 'an empty mapping' : 'a mapping';
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.value === null) return 'nothing';
  return `"${shorten(node.text)}"`;
}

const MAXIMUM_SHORTENED = 4000;

/** The first line of a text without secrets of addresses, cut to what fits a message. */
export function shorten(text: string, length = 80): string {
  const shown = withoutSecrets(text.slice(0, MAXIMUM_SHORTENED));
  const line = shown.split('\n', 1)[0]!;
  const cut = line.length > length ? [...line.slice(0, length)].join('') : line;
  return cut.length < shown.trimEnd().length ? `${cut}…` : cut;
}
