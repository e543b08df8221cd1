export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * Serialises a value as RFC 8785 (JSON Canonicalization Scheme): keys sorted by UTF-16 code units, no white space,
 * numbers and strings as ECMAScript prints them. Throws on values that JSON cannot hold (NaN, undefined, lone surrogates).
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`Cannot serialise ${value} as JSON`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return canonicalArray(value);
  if (typeof value !== 'object') throw new TypeError(`Cannot serialise ${typeof value} as JSON`);
  return canonicalObject(value as { readonly [key: string]: JsonValue }, {});
}

/** What needs no escape. */
const PLAIN = /^[ !#-[\]-~]{0,64}$/;

function quoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new TypeError('Cannot serialise a string with a lone surrogate as canonical JSON');
  return JSON.stringify(text);
}

// Both add to one text: arrays of parts that are joined are most of what planning thousands of packages throws away.
function canonicalArray(values: readonly JsonValue[]): string {
  let text = '';
  for (const value of values) text += text === '' ? canonicalJson(value) : `,${canonicalJson(value)}`;
  return `[${text}]`;
}

/** The same for an object of which the texts of some members are known already, by their keys. */
export function canonicalObject(
  value: { readonly [key: string]: JsonValue },
  known: Readonly<Record<string, string>>,
): string {
  let text = '';
  for (const key of Object.keys(value).sort()) {
    const member = Object.hasOwn(known, key) ? known[key]! : canonicalJson(value[key]!);
    text += text === '' ? `${quoted(key)}:${member}` : `,${quoted(key)}:${member}`;
  }
  return `{${text}}`;
}
