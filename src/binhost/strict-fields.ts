import { canonicalJson, type JsonValue } from '../model/canonical-json.ts';
import { isDigest } from '../model/digest.ts';

/** What is wrong with a value that a stranger sent: one clause, `expected <x> at <path>`. */
export class FieldFault extends Error {}

/** Reads one value of a document and answers it as what it is; throws `FieldFault`. */
export type Reader<Value> = (value: unknown, path: string) => Value;

/**
 * Reads a document that has exactly one form: canonical JSON and a newline. What the reader does not know, and what is
 * written in any other way, is a fault.
 */
export function readCanonical<Value>(text: string, read: Reader<Value>): Value {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new FieldFault('expected JSON');
  }
  const value = read(parsed, '');
  if (canonicalText(value) !== text) throw new FieldFault('expected canonical JSON without unknown members');
  return value;
}

/** The one form of a document. */
export function canonicalText(value: unknown): string {
  return `${canonicalJson(value as JsonValue)}\n`;
}

export function object<Fields extends { readonly [key: string]: Reader<unknown> }>(
  fields: Fields,
): Reader<{ readonly [Key in keyof Fields]: ReturnType<Fields[Key]> }> {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) fault('an object', path);
    const members = value as { readonly [key: string]: unknown };
    return Object.fromEntries(
      Object.entries(fields).map(([key, read]) => [
        key,
        read(Object.hasOwn(members, key) ? members[key] : undefined, `${path}/${key}`),
      ]),
    ) as { readonly [Key in keyof Fields]: ReturnType<Fields[Key]> };
  };
}

export function listOf<Value>(read: Reader<Value>, most = 100_000): Reader<readonly Value[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > most) return fault(`a list of at most ${most}`, path);
    return value.map((item, index) => read(item, `${path}/${index}`));
  };
}

/** An object whose keys are data too. */
export function mapOf<Value>(isKey: (key: string) => boolean, read: Reader<Value>): Reader<Record<string, Value>> {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return fault('an object', path);
    const entries = Object.entries(value);
    if (entries.length > 1000 || entries.some(([key]) => !isKey(key))) return fault('known keys', path);
    return Object.fromEntries(entries.map(([key, member]) => [key, read(member, `${path}/${key}`)]));
  };
}

export function nullOr<Value>(read: Reader<Value>): Reader<Value | null> {
  return (value, path) => (value === null ? null : read(value, path));
}

export function oneOf<const Value extends string | number>(...values: readonly Value[]): Reader<Value> {
  return (value, path) =>
    values.includes(value as Value) ? (value as Value) : fault(values.map(String).join(' or '), path);
}

export function text(what: string, isRight: (text: string) => boolean): Reader<string> {
  return (value, path) => (typeof value === 'string' && isRight(value) ? value : fault(what, path));
}

export const digest = text('a sha256', isDigest);

/** A whole number from 0 on. */
export const count: Reader<number> = (value, path) =>
  Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)
    ? (value as number)
    : fault('a whole number', path);

/** ISO 8601 in UTC, as `Date.prototype.toISOString` writes it. */
export const time = text('a time', (value) => {
  const date = new Date(value);
  return value.length === 24 && !Number.isNaN(date.getTime()) && date.toISOString() === value;
});

/** Text of elsewhere that is only shown; whoever shows it makes it printable. */
export function anyText(most: number): Reader<string> {
  return text('a text', (value) => value.length <= most && value.isWellFormed());
}

function fault(expected: string, path: string): never {
  throw new FieldFault(`expected ${expected} at ${path === '' ? 'the top' : path}`);
}
