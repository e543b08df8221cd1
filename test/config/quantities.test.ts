import { expect, test } from 'vitest';
import { parseBytes, parseDurationMs } from '../../src/config/quantities.ts';

test.each([
  ['90', 90_000],
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['2h', 7_200_000],
  ['1.5h', 5_400_000],
  ['1d', 86_400_000],
  ['0', undefined],
  ['-1s', undefined],
  ['2 weeks', undefined],
  ['1e3', undefined],
  ['99999d', undefined],
])('the time %s', (text, expected) => {
  expect(parseDurationMs(text)).toBe(expected);
});

test.each([
  ['4G', 4 * 2 ** 30],
  ['512M', 512 * 2 ** 20],
  ['1.5GiB', 1.5 * 2 ** 30],
  ['100k', 102_400],
  ['4096', 4096],
  ['0', undefined],
  ['-1', undefined],
  ['4X', undefined],
  ['999999999999999T', undefined],
])('the size %s', (text, expected) => {
  expect(parseBytes(text)).toBe(expected);
});
