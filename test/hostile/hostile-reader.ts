/** A reader of bytes from elsewhere, and the texts that cost it most. */
export interface HostileReader {
  readonly name: string;
  /** What its callers hand it at most, where that is less than 1 MB. */
  readonly mostBytes?: number;
  readonly patterns: readonly Pattern[];
  /** An error of the reader is an answer like others; `isDefect` tells which are none. */
  feed(input: Buffer): unknown;
  /** Its contract has `RangeError` for an odd text. */
  readonly throwsRangeError?: boolean;
}

/** A family of inputs, one of about each size. */
export interface Pattern {
  readonly name: string;
  make(bytes: number): Buffer;
}

export interface Around {
  readonly before?: string;
  readonly after?: string;
}

/** A unit as often as there is room for it. A function makes each one different. */
export function repeated(
  unit: string | ((index: number) => string),
  { before = '', after = '' }: Around = {},
): Pattern {
  const first = typeof unit === 'string' ? unit : unit(0);
  const shown = JSON.stringify(`${before.slice(0, 24)}…${first.slice(0, 24)}…${after.slice(0, 16)}`);
  return {
    name: shown,
    make: (bytes) => {
      const room = bytes - before.length - after.length;
      if (typeof unit === 'string')
        return latin1(before + unit.repeat(Math.max(0, Math.floor(room / unit.length))) + after);
      const units: string[] = [];
      for (let length = 0, index = 0; length < room; index += 1) {
        const next = unit(index);
        units.push(next);
        length += next.length;
      }
      return latin1(before + units.join('') + after);
    },
  };
}

/** One text nested in itself: `[[[…]]]`. */
export function nested(open: string, close: string, around: Around = {}): Pattern {
  const { before = '', after = '' } = around;
  return {
    name: JSON.stringify(`${before.slice(0, 24)}${open}…${close}${after.slice(0, 16)}`),
    make: (bytes) => {
      const times = Math.max(0, Math.floor((bytes - before.length - after.length) / (open.length + close.length)));
      return latin1(before + open.repeat(times) + close.repeat(times) + after);
    },
  };
}

export function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** What no reader of text has a reason to read slowly. */
export const COMMON: readonly Pattern[] = [
  ...[
    ' ',
    '\t',
    '\n',
    '\r',
    '\r\n',
    "'",
    '"',
    '\\',
    '{',
    '[',
    '(',
    '<',
    '{{',
    ':',
    '- ',
    'a ',
    'a',
    ',',
    '#',
    '%',
    '..',
  ],
  ...['/', '0', '\u00ff', '\0', '@', '=', '-', '*', '?', '~', '&', '$', '|', '!', '.', '\u001b', '}', ']', '>'],
  ...[
    'a\n',
    ' \n',
    'a:',
    'a: ',
    '"a',
    '\\"',
    ' a',
    'a=',
    'a=\n',
    '0.',
    '0-',
    'a,',
    'a|',
    '${',
    '$(',
    '//',
    '[]',
    '- -',
  ],
  ...['a: b\n', '#\n', '{{a}}', '-a', '{"', '["', '\u001b[', '%41', ' #', '\n ', '\n\n'],
].map((unit) => repeated(unit));

/** Each common unit behind a beginning that leads into the depth of a reader. */
export function behind(before: string, after = ''): readonly Pattern[] {
  return [
    ' ',
    '\t',
    '\n',
    "'",
    '"',
    '\\',
    '{',
    '[',
    '(',
    'a',
    'a ',
    'a\n',
    ',',
    '-',
    '.',
    '0',
    '/',
    '*',
    '\u00ff',
    ':',
  ].map((unit) => repeated(unit, { before, after }));
}

/** An error that tells of a mistake in buildit itself. */
export function isDefect(
  error: unknown,
  { throwsRangeError = false }: Pick<HostileReader, 'throwsRangeError'>,
): boolean {
  if (error instanceof RangeError) return !throwsRangeError;
  if (error instanceof TypeError || error instanceof ReferenceError || error instanceof URIError) return true;
  return !(error instanceof Error);
}
