import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareDebianVersions } from '../../src/model/debian-order.ts';
import { requires } from '../support/requires.ts';

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

  test('is an order: antisymmetric and transitive', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareDebianVersions(a, b))).toBe(-Math.sign(compareDebianVersions(b, a)) + 0);
        const [low, middle, high] = [a, b, c].sort(compareDebianVersions);
        expect(compareDebianVersions(low!, middle!)).toBeLessThanOrEqual(0);
        expect(compareDebianVersions(low!, high!)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });

  requires('dpkg').test('agrees with dpkg on hundreds of pairs', () => {
    const pairs = fc.sample(fc.tuple(version, version), { numRuns: 400, seed: 12 });
    // One shell for all pairs: a process for each comparison alone would take a minute.
    const script = pairs
      .map(
        ([a, b]) =>
          `dpkg --compare-versions '${a}' lt '${b}' && echo '<' || { dpkg --compare-versions '${a}' eq '${b}' && echo = || echo '>'; }`,
      )
      .join('\n');
    const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
    expect(pairs.map(([a, b]) => `${a} ${sign(compareDebianVersions(a, b))} ${b}`)).toEqual(
      stdout
        .trim()
        .split('\n')
        .map((order, index) => `${pairs[index]![0]} ${order} ${pairs[index]![1]}`),
    );
  });
});
