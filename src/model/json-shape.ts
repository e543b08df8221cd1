/** Whether a value that was read as JSON is what it should be, however deep. Members that no shape names are let be. */
export type Shape<Value> = (value: unknown) => value is Value;

export const isText: Shape<string> = (value) => typeof value === 'string';
export const isBoolean: Shape<boolean> = (value) => typeof value === 'boolean';
/** A whole number that is not negative and exact. */
export const isCount: Shape<number> = (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
export const isNumber: Shape<number> = (value): value is number => Number.isFinite(value);

export function textThat(is: (text: string) => boolean): Shape<string> {
  return (value): value is string => typeof value === 'string' && is(value);
}

export function oneOf<Value extends string | number>(...values: readonly Value[]): Shape<Value> {
  return (value): value is Value => values.includes(value as Value);
}

export function listOf<Value>(is: Shape<Value>): Shape<readonly Value[]> {
  return (value): value is readonly Value[] => Array.isArray(value) && value.every(is);
}

export function mapOf<Value>(is: Shape<Value>): Shape<Readonly<Record<string, Value>>> {
  return (value): value is Readonly<Record<string, Value>> => isObject(value) && Object.values(value).every(is);
}

/** Absent, or of a shape. */
export function optional<Value>(is: Shape<Value>): Shape<Value | undefined> {
  return (value): value is Value | undefined => value === undefined || is(value);
}

export function nullable<Value>(is: Shape<Value>): Shape<Value | null> {
  return (value): value is Value | null => value === null || is(value);
}

export function objectOf<Fields extends Readonly<Record<string, unknown>>>(
  shapes: {
    readonly [Key in keyof Fields]-?: Shape<Fields[Key]>;
  },
): Shape<Fields> {
  return (value): value is Fields =>
    isObject(value) &&
    Object.entries(shapes).every(([key, is]) => is(Object.hasOwn(value, key) ? value[key] : undefined));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value where it has the shape, else undefined. */
export function shaped<Value>(is: Shape<Value>): (value: unknown) => Value | undefined {
  return (value) => (is(value) ? value : undefined);
}
