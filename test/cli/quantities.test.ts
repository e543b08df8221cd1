import { expect, test } from 'vitest';
import { durationText, parseAge, sizeText } from '../../src/cli/quantities.ts';
import { textTable } from '../../src/cli/text-table.ts';
import { fitText, textWidth, withoutEscapes } from '../../src/cli/text-width.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [99_949, '99.9 kB'],
  [99_999, '100 kB'],
  [999_499, '999 kB'],
  [999_600, '1.0 MB'],
  [20_800_000, '20.8 MB'],
  [5.5e12, '5.5 TB'],
])('%i bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test.each([
  [999, '0s'],
  [59_999, '59s'],
  [65_000, '1m05s'],
  [3_600_000, '1h00m'],
])('%i milliseconds are %s', (milliseconds, text) => {
  expect(durationText(milliseconds)).toBe(text);
});

test('ages are read with their unit and nothing else is an age', () => {
  expect(['90s', '12h', '30d', '2w'].map(parseAge)).toEqual([90_000, 43_200_000, 2_592_000_000, 1_209_600_000]);
  expect(['', '30', '-1d', '1y', '1.5d', '99999999d'].map(parseAge)).toEqual(Array(6).fill(undefined));
});

test('widths count what a terminal shows', () => {
  expect(['abc', 'größe', '日本', 'e\u0301', '👍'].map(textWidth)).toEqual([3, 5, 4, 1, 2]);
});

test('a text is cut to fit and says that it was', () => {
  expect(fitText('abcdef', 6)).toBe('abcdef');
  expect(fitText('abcdef', 4)).toBe('abc…');
  expect(fitText('日本語', 4)).toBe('日…');
  expect(fitText('abc', 0)).toBe('');
});

test('escape sequences are taken out whole', () => {
  expect(withoutEscapes('\u001b[1;31ma\u001b[0m\u001b]8;;https://x\u001b\\b\u001b[?25lc')).toBe('abc');
});

test('a table is as wide as its cells and has no spaces at line ends', () => {
  expect(
    textTable(
      [{ title: 'KIND' }, { title: 'SIZE', align: 'right' }, { title: 'NOTE' }],
      [
        ['blobs', '1 B', ''],
        ['日本', '200 B', 'x'],
      ],
    ),
  ).toEqual(['KIND    SIZE  NOTE', 'blobs    1 B', '日本   200 B  x']);
});
