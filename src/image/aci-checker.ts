import type { JsonValue } from '../model/canonical-json.ts';
import { compareVersions } from '../model/version-order.ts';
import { pointerTo } from './strict-json.ts';

export type JsonObject = { readonly [key: string]: JsonValue };

/** Names in the global namespace: appc spec/types.md. */
export const AC_IDENTIFIER = /^[a-z0-9]+([-._~/][a-z0-9]+)*$/;
export const AC_NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

export interface Violation {
  readonly pointer: string;
  /** Goes on where the pointer ends: `must be …`. */
  readonly message: string;
}

/** Collects what is wrong with a manifest, so that one run tells everything. */
export class AciChecker {
  readonly violations: Violation[] = [];
  readonly version: string;

  constructor(version: string) {
    this.version = version;
  }

  isBefore(version: string): boolean {
    return compareVersions(this.version, version) < 0;
  }

  violate(pointer: string, message: string): void {
    this.violations.push({ pointer, message });
  }

  expected(pointer: string, expected: string, found: JsonValue): void {
    this.violate(pointer, `must be ${expected}, and is ${shown(found)}`);
  }

  /** The members of an object; empty for what is none. */
  object(
    pointer: string,
    value: JsonValue,
    { required, optional }: { readonly required: readonly string[]; readonly optional: readonly string[] },
  ): JsonObject {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.expected(pointer, 'an object', value);
      return {};
    }
    const object = value as JsonObject;
    for (const key of required) if (!Object.hasOwn(object, key)) this.violate(pointer, `must have "${key}"`);
    for (const key of Object.keys(object)) {
      if (required.includes(key) || optional.includes(key)) continue;
      this.violate(pointerTo(pointer, key), `is not known to version ${this.version} of the specification`);
    }
    return object;
  }

  /** The items of a list; none for what is absent or no list. */
  list(pointer: string, value: JsonValue | undefined): readonly JsonValue[] {
    if (value === undefined) return [];
    if (Array.isArray(value)) return value;
    this.expected(pointer, 'a list', value);
    return [];
  }

  text(pointer: string, value: JsonValue): value is string {
    if (typeof value === 'string') return true;
    this.expected(pointer, 'a string', value);
    return false;
  }

  matching(pointer: string, value: JsonValue, pattern: RegExp, expected: string): void {
    if (typeof value !== 'string' || !pattern.test(value)) this.expected(pointer, expected, value);
  }

  integer(pointer: string, value: JsonValue, least: number, most: number): void {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return;
    this.expected(pointer, `an integer from ${least} to ${most}`, value);
  }

  boolean(pointer: string, value: JsonValue): void {
    if (typeof value !== 'boolean') this.expected(pointer, 'true or false', value);
  }

  /** A list of objects with a unique `name` and a text as `value`: labels, annotations, environment. */
  namedValues(pointer: string, value: JsonValue | undefined, pattern: RegExp): Map<string, string> {
    const values = new Map<string, string>();
    this.list(pointer, value).forEach((item, index) => {
      const at = `${pointer}/${index}`;
      const entry = this.object(at, item, { required: ['name', 'value'], optional: [] });
      const { name, value: text } = entry;
      if (name !== undefined) this.matching(`${at}/name`, name, pattern, `a name that matches ${pattern.source}`);
      if (text !== undefined && this.text(`${at}/value`, text) && typeof name === 'string') {
        if (values.has(name))
          this.violate(`${at}/name`, `must be unique, and ${JSON.stringify(name)} was there before`);
        values.set(name, text);
      }
    });
    return values;
  }
}

function shown(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
