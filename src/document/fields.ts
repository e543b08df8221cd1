import type { Problems } from './problems.ts';
import { isNull, nodeAt, type YamlList, type YamlMap, type YamlNode, type YamlScalar } from './yaml-node.ts';

/**
 * Reading the fields of a mapping whose shape a schema has checked already: what has the wrong shape was reported there,
 * and is as good as absent here.
 */
export function mapAt(map: YamlMap | undefined, key: string): YamlMap | undefined {
  const node = nodeAt(map, key);
  return node?.kind === 'map' ? node : undefined;
}

export function listAt(map: YamlMap | undefined, key: string): YamlList | undefined {
  const node = nodeAt(map, key);
  return node?.kind === 'list' ? node : undefined;
}

export function scalarAt(map: YamlMap | undefined, key: string): YamlScalar | undefined {
  const node = nodeAt(map, key);
  return node?.kind === 'scalar' ? node : undefined;
}

export function textAt(map: YamlMap | undefined, key: string): string | undefined {
  return scalarAt(map, key)?.text;
}

/** The scalars of a list, or the one scalar that stands in place of a list. */
export function scalarsOf(node: YamlNode | undefined): readonly YamlScalar[] {
  if (node === undefined || node.kind === 'map') return [];
  if (node.kind === 'scalar') return isNull(node) ? [] : [node];
  return node.items.filter((item): item is YamlScalar => item.kind === 'scalar' && !isNull(item));
}

export function scalarsAt(map: YamlMap | undefined, key: string): readonly YamlScalar[] {
  return scalarsOf(nodeAt(map, key));
}

/** The mappings of a list, or the one mapping that stands in place of a list. */
export function mapsAt(map: YamlMap | undefined, key: string): readonly YamlMap[] {
  const node = nodeAt(map, key);
  const nodes = node === undefined ? [] : node.kind === 'list' ? node.items : [node];
  return nodes.filter((item) => item.kind === 'map');
}

const TRUE = /^(?:true|yes|on)$/i;
const FALSE = /^(?:false|no|off)$/i;

export function booleanAt(map: YamlMap | undefined, key: string): boolean | undefined {
  const text = textAt(map, key);
  if (text === undefined) return undefined;
  return TRUE.test(text) ? true : FALSE.test(text) ? false : undefined;
}

/** A whole number in decimal digits; complains about anything else. */
export function integerAt(
  map: YamlMap | undefined,
  key: string,
  { label, minimum, maximum, problems }: IntegerRules,
): number | undefined {
  const node = scalarAt(map, key);
  if (node === undefined) return undefined;
  const value = /^(?:0|[1-9][0-9]{0,14})$/.test(node.text) ? Number(node.text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  problems.expected(node, label, `a whole number from ${minimum} to ${maximum}`);
  return undefined;
}

export interface IntegerRules {
  readonly label: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly problems: Problems;
}
