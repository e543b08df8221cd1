import { canonicalJson, type JsonValue } from './canonical-json.ts';

/** One place in which two values differ; undefined on the side that has nothing there. */
export interface JsonDifference {
  /** Keys and indexes from the top. */
  readonly path: readonly (string | number)[];
  readonly left: JsonValue | undefined;
  readonly right: JsonValue | undefined;
}

/**
 * Where two values differ, as deep down as both have the same kind there. Lists that only lack or gain members are
 * compared by their members, not by their positions.
 */
export function jsonDifferences(
  left: JsonValue | undefined,
  right: JsonValue | undefined,
  path: readonly (string | number)[] = [],
): readonly JsonDifference[] {
  if (left === undefined || right === undefined) return left === right ? [] : [{ path, left, right }];
  if (canonicalJson(left) === canonicalJson(right)) return [];
  if (isList(left) && isList(right)) return listDifferences(left, right, path);
  if (isObject(left) && isObject(right)) {
    const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
    return keys.flatMap((key) => jsonDifferences(memberOf(left, key), memberOf(right, key), [...path, key]));
  }
  return [{ path, left, right }];
}

function listDifferences(
  left: readonly JsonValue[],
  right: readonly JsonValue[],
  path: readonly (string | number)[],
): readonly JsonDifference[] {
  if (left.length === right.length) {
    return left.flatMap((item, index) => jsonDifferences(item, right[index], [...path, index]));
  }
  const [before, after] = [left, right].map((items) => new Set(items.map(canonicalJson)));
  return [
    ...left.flatMap((item, index) =>
      after!.has(canonicalJson(item)) ? [] : [{ path: [...path, index], left: item, right: undefined }],
    ),
    ...right.flatMap((item, index) =>
      before!.has(canonicalJson(item)) ? [] : [{ path: [...path, index], left: undefined, right: item }],
    ),
  ];
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function memberOf(value: { readonly [key: string]: JsonValue }, key: string): JsonValue | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
