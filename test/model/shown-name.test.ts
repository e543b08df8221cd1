import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BuilditError } from '../../src/model/errors.ts';
import { boundedText, fewLines, shownName, shownNames } from '../../src/model/shown-name.ts';

const BOUNDS = { characters: 1000, lines: 4 };
const MEGABYTE = 2 ** 20;

describe('a name in a message', () => {
  test('is escaped, and cut in the middle where it is long', () => {
    expect(shownName('a\u202eb\u001b[2J')).toBe('a\\u202eb\\u001b[2J');
    expect(shownName(`begin${'x'.repeat(5000)}end`)).toMatch(/^beginx+…x+end$/);
    expect(shownName('\n'.repeat(5000)).length).toBe(200);
  });

  test('is one of a few', () => {
    expect(shownNames(['a', 'b'])).toBe('a, b');
    expect(shownNames(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toBe('a, b, c, d, e and 2 more');
  });
});

describe('a bounded text', () => {
  test('stays as it is where nothing in it is long', () => {
    const texts = ['', 'Cannot read "a b": expected a file, found none', 'one\ntwo', `${'word '.repeat(150)}end`];
    for (const text of texts) expect(boundedText(text, BOUNDS)).toBe(text);
  });

  test.each([
    ['a long word', 'x'.repeat(MEGABYTE)],
    ['words', 'long words '.repeat(MEGABYTE / 11)],
    ['line ends', 'line\n'.repeat(MEGABYTE / 5)],
    ['quotes', '"": "'.repeat(MEGABYTE / 5)],
    ['an expectation of its own', '": expected a name, '.repeat(MEGABYTE / 20)],
    ['surrogates', '\u{1f600}'.repeat(MEGABYTE / 4)],
  ])('keeps what was expected and found around a name of %s', (_, name) => {
    const startMs = performance.now();
    const text = boundedText(`Cannot read "${name}": expected a file, found none`, BOUNDS);
    expect(performance.now() - startMs).toBeLessThan(1000);
    expect(text).toMatch(/^Cannot read "/);
    expect(text).toMatch(/": expected a file, found none$/);
    expect(text.length).toBeLessThan(600);
    expect(text.split('\n').length).toBeLessThanOrEqual(4);
    expect(text.isWellFormed()).toBe(true);
  });

  test('is within its bounds, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ' ', '"', '": expected', '\n', 'x'.repeat(90)) }), (text) => {
        const lines = boundedText(text, { characters: 250, lines: 4 }).split('\n');
        expect(lines.length).toBeLessThanOrEqual(4);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(250);
      }),
    );
  });

  test('of too many lines keeps the first and the last', () => {
    expect(fewLines(['1', '2', '3', '4', '5', '6', '7'], 4)).toEqual(['1', '2', '… (4 more lines)', '7']);
  });
});

test('an error is bounded in all its texts, however it was made', () => {
  const evil = `${'evil name\n'.repeat(10_000)}`;
  const error = new BuilditError('input-invalid', evil, { hint: evil, details: Array(10_000).fill(evil) });
  const text = [error.message, error.hint, ...error.details].join('\n');
  expect(error.message.split('\n')).toHaveLength(4);
  expect(text.split('\n').length).toBeLessThan(1000);
  expect(text.length).toBeLessThan(50_000);
});
