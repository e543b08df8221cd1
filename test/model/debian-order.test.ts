import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareDebianVersions, DEBIAN_ORDER } from '../../src/model/debian-order.ts';
import { requires } from '../support/requires.ts';

/** Real ones, each odd in its own way. */
const ODD_VERSIONS = [
  '1.3.dfsg+really1.3.1',
  '1.3.dfsg+really1.3.1-1+b1',
  '1:1.2.13.dfsg-1',
  '2.12.7+dfsg+really2.9.14',
  '2.12.7+dfsg+really2.9.14-2.1+deb13u1',
  '2.9.14+dfsg-1.3~deb12u2',
  '5:7.0.15-1~deb12u7',
  '5:7.0.15-1',
  '2.1.12-stable',
  '2.1.12-stable-10+b1',
  '0.5.11+git20200708+dd9ef66',
  '0.5.11+git20210903+057cd650a4ed-3+b1',
  '1.1.1w',
  '1.1.1n-0+deb11u5',
  '2026b',
  '2026a-0+deb12u1',
  '6.5+20250216',
  '6.4-4',
  '1.0~rc1',
  '1.0rc1',
  '1.0~beta2-1',
  '1.00',
  '1.0.0',
  '1.10',
  '1.9',
  '20240101000000000000000000000001',
  '20240101000000000000000000000002',
];

const sign = (order: number) => (order < 0 ? '<' : order > 0 ? '>' : '=');

describe('compareDebianVersions', () => {
  test.each([
    ['1.0', '<', '1.1'],
    ['1.9', '<', '1.10'],
    ['1.0~rc1', '<', '1.0'],
    ['1.0~~', '<', '1.0~'],
    ['1.0', '<', '1.0a'],
    ['1.0a', '<', '1.0+b'],
    ['1.0-1', '<', '1.0-1+b1'],
    ['1.0-1~deb12u1', '<', '1.0-1'],
    ['1.0', '=', '1.0-0'],
    ['1.0', '=', '0:1.0'],
    ['1:0.9', '>', '2.0'],
    ['1.00', '=', '1.0'],
    ['1.0-1-2', '>', '1.0-1'],
    ['2.36-9+deb12u10', '>', '2.36-9+deb12u9'],
    ['1.0+dfsg-1', '>', '1.0-1'],
    ['99999999999999999999999', '>', '99999999999999999999998'],
  ])('%s %s %s', (left, order, right) => {
    expect(sign(compareDebianVersions(left, right))).toBe(order);
    expect(sign(compareDebianVersions(right, left))).toBe({ '<': '>', '>': '<', '=': '=' }[order]);
  });

  const digit = fc.constantFrom('0', '1', '9', '10', '007');
  const piece = fc.oneof(digit, fc.constantFrom('a', 'b', 'Z', '.', '~', '+', 'rc'));
  const part = fc.array(piece, { minLength: 0, maxLength: 5 }).map((pieces) => pieces.join(''));
  const version = fc
    .record({ epoch: fc.constantFrom('', '0:', '1:'), upstream: part, revision: fc.option(part, { nil: undefined }) })
    .map(({ epoch, upstream, revision }) => `${epoch}1${upstream}${revision ? `-${revision}` : ''}`);

  requires('dpkg').test('agrees with dpkg on thousands of pairs', { timeout: 300_000 }, () => {
    const generated = fc.sample(fc.tuple(version, version), { numRuns: 2500, seed: 12 });
    const odd = ODD_VERSIONS.flatMap((left) => ODD_VERSIONS.map((right) => [left, right] as const));
    const pairs = [...generated, ...odd];
    // One shell for all pairs, and one question for each: of the three relations only one can hold.
    const relations = { '<': 'lt', '=': 'eq', '>': 'gt' };
    const script = pairs
      .map(([a, b]) => {
        const relation = relations[sign(compareDebianVersions(a, b))];
        return `dpkg --compare-versions '${a}' ${relation} '${b}' && n=$((n+1)) || echo 'not ${a} ${relation} ${b}'`;
      })
      .join('\n');
    const { stdout } = spawnSync('sh', ['-s'], { input: `n=0\n${script}\necho $n`, encoding: 'utf8' });
    expect(stdout).toBe(`${pairs.length}\n`);
  });

  test('its numbers are those the upstream version begins with', () => {
    const numbers = (text: string) => DEBIAN_ORDER.numbers(text);
    expect(numbers('5:7.0.15-1~deb12u7')).toEqual({ epoch: '5', numbers: ['7', '0', '15'] });
    expect(numbers('1.3.dfsg+really1.3.1-1')).toEqual({ epoch: '0', numbers: ['1', '3'] });
  });
});
