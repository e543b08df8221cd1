export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * Serialises a value as RFC 8785 (JSON Canonicalization Scheme): keys sorted by UTF-16 code units, no white space,
 * numbers and strings as ECMAScript prints them. Throws on values that JSON cannot hold (NaN, undefined, lone surrogates).
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`Cannot serialise ${value} as JSON`);
    return JSON.stringify(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('Cannot serialise a string with a lone surrogate as canonical JSON');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`Cannot serialise ${typeof value} as JSON`);
  return canonicalObject(value as { readonly [key: string]: JsonValue }, {});
}

/** The same for an object of which the texts of some members are known already, by their keys. */
export function canonicalObject(
  value: { readonly [key: string]: JsonValue },
  known: Readonly<Record<string, string>>,
): string {
  const members = Object.keys(value)
    .sort()
    .map((key) => `${canonicalJson(key)}:${Object.hasOwn(known, key) ? known[key] : canonicalJson(value[key]!)}`);
  return `{${members.join(',')}}`;
}
