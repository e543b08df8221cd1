import { expect, test } from 'vitest';
import { isBinhostLocation } from '../../src/config/binhost-location.ts';
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

test.each([
  ['ssh', 'containers@mysuperbinhost.org/containers', true],
  ['ssh', 'user@host:2222/path', true],
  ['ssh', 'ssh://user@host/path', true],
  ['ssh', 'user@host:path', true],
  ['ssh', 'user@host//absolute', true],
  ['ssh', 'host', true],
  ['ssh', '-oProxyCommand=id', false],
  ['ssh', 'user@-host/path', false],
  ['ssh', '-user@host/path', false],
  ['ssh', 'user@host:-path', false],
  ['ssh', 'user@ho st/path', false],
  ['ssh', 'user@host;id/path', false],
  ['https', 'mysuperbinhost.org/containers', true],
  ['https', 'host:8443/a/b', true],
  ['https', 'user:secret@host/a', false],
  ['https', 'host/a?b', false],
  ['https', '-host/a', false],
  ['file', '/srv/packages', true],
  ['file', '-rf', false],
] as const)('a %s location %s: %s', (type, text, expected) => {
  expect(isBinhostLocation(type, text)).toBe(expected);
});
