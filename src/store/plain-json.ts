import type { JsonValue } from '../model/canonical-json.ts';

/** A value of the model as JSON holds it: members that are undefined are left out, in lists they are a mistake. */
export function plainJson(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(plainJson);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => [key, plainJson(member)]),
  );
}
