import type { JsonValue } from '../model/canonical-json.ts';
import { printable } from '../model/names.ts';

/** A JSON value as an indented tree, one line for each scalar; `nameOf` adds what a value means. */
export function inputTree(
  value: JsonValue,
  nameOf: (value: JsonValue) => string | undefined = () => undefined,
  indent = '  ',
): string[] {
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).flatMap((item) => memberLines('-', item, nameOf, indent));
  }
  if (value === null || typeof value !== 'object') return scalarLines(indent, value, nameOf, indent);
  return Object.entries(value).flatMap(([key, member]) => memberLines(`${printable(key)}:`, member, nameOf, indent));
}

function memberLines(
  label: string,
  value: JsonValue,
  nameOf: (value: JsonValue) => string | undefined,
  indent: string,
): string[] {
  if (value === null || typeof value !== 'object') {
    return scalarLines(`${indent}${label} `, value, nameOf, `${indent}  `);
  }
  const below = inputTree(value, nameOf, `${indent}  `);
  if (below.length === 0) return [`${indent}${label} ${Array.isArray(value) ? '[]' : '{}'}`];
  return [`${indent}${label}`, ...below];
}

/** Texts of several lines, such as phases, stand below their name with a bar before each line. */
function scalarLines(
  start: string,
  value: JsonValue,
  nameOf: (value: JsonValue) => string | undefined,
  indent: string,
): string[] {
  const text = typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
  const lines = text.replace(/\n$/, '').split('\n').map(printable);
  if (lines.length > 1) return [start.trimEnd(), ...lines.map((line) => `${indent}| ${line}`)];
  const name = nameOf(value);
  return [`${start}${lines[0]}${name === undefined ? '' : `  ${name}`}`];
}
