import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';
import { describe, expect, test } from 'vitest';
import { findSlowText, textOf } from './support/pattern-attack.ts';

const compiled = fileURLToPath(new URL('../dist', import.meta.url));

/** Patterns that read more than linear time, and the bound of what they are given. */
const BOUNDED: Record<string, string> = {
  [String(/^(.+?)[-_.]v?([0-9][0-9A-Za-z+.~]*(?:[-_](?:rc|alpha|beta|p)[0-9.]*)?)$/)]:
    'names of at most 255 characters',
};

interface Found {
  readonly file: string;
  readonly pattern: RegExp;
}

/** Every regular expression that stands in src/, out of the compiled files. */
function patternsIn(directory: string): Found[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js') && !file.includes('validators'))
    .flatMap((file) => literalsIn(readFileSync(join(directory, file), 'utf8')).map((pattern) => ({ file, pattern })));
}

function literalsIn(text: string): RegExp[] {
  const found: RegExp[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null || node instanceof RegExp) return;
    if ('regex' in node && 'value' in node && node.value instanceof RegExp) found.push(node.value);
    Object.values(node).forEach(visit);
  };
  visit(parse(text, { ecmaVersion: 'latest', sourceType: 'module' }));
  return found;
}

describe('a regular expression of src/', () => {
  test('reads each text in linear time', () => {
    const slow = patternsIn(compiled)
      .filter(({ pattern }) => BOUNDED[String(pattern)] === undefined)
      .flatMap(({ file, pattern }) => {
        const attack = findSlowText(pattern);
        return attack === undefined ? [] : [`${file} ${pattern} ${JSON.stringify(textOf(attack, 20).slice(0, 40))}`];
      });
    expect(slow).toEqual([]);
  });
});

describe('the search for slow texts', () => {
  test.each([
    [/\s+$/, true],
    [/"(?:[^"\\]|\\.)*"/g, true],
    [/^(.*?)(?:\s+(\d{4}.*))?$/, true],
    [/<a\s[^>]*?href\s*=\s*"([^"]*)"/g, true],
    [/^(a+)+$/, true],
    [/^\s+/, false],
    [/^[a-z]+(?:-[a-z]+)*$/, false],
    [/[^\n]*\n|[^\n]+$/g, false],
  ])('%s is slow: %s', (pattern, isSlow) => {
    expect(findSlowText(pattern) !== undefined).toBe(isSlow);
  });
});
