import { describe, expect, test } from 'vitest';
import { compareLooseVersions } from '../../src/model/loose-order.ts';

/** Oldest first; what stands in one line is one version in several spellings. */
const RELEASES: readonly (readonly string[])[] = [
  ['1.0~git20240101', '1.0-~git20240101'],
  ['1.0.dev1', '1.0-dev.1', '1.0-SNAPSHOT1'],
  ['1.0-alpha', '1.0_alpha', '1.0alpha0'],
  ['1.0a1', '1.0-alpha1', '1.0~alpha1', '1.0.Alpha.1'],
  ['1.0b2', '1.0-beta.2', '1.0_beta2', '1.0~beta2', '1.0-beta-2'],
  ['1.0-beta11'],
  ['1.0-milestone1'],
  ['1.0pre3', '1.0-preview3'],
  ['1.0rc1', '1.0-rc1', '1.0-RC.1', '1.0~rc1', '1.0_rc1', '1.0.CR1', 'v1.0-rc1'],
  ['1.0rc2'],
  ['1.0rc2-1'],
  ['1.0rc10'],
  ['1.0', '1.0.0', '1', '01.00', 'v1.0', 'release-1.0', '1.0-stable', '1.0.Final', '0:1.0', 'foo-1.0', '1_0'],
  ['1.0a'],
  ['1.0b'],
  ['1.0p1', '1.0-p1', '1.0_p1', '1.0.post1', '1.0-patch1', '1.0pl1'],
  ['1.0-1~deb12u7'],
  ['1.0-1', '1.0-01'],
  ['1.0-1.2'],
  ['1.0-10'],
  ['1.0+20240101'],
  ['1.0+20250216'],
  ['1.0+dfsg'],
  ['1.0+dfsg1-2'],
  ['1.0+dfsg1-10'],
  ['1.0.0.1'],
  ['1.0.1'],
  ['1.9'],
  ['1.10', '1_10', '1.010'],
  ['1.99999999999999999999998'],
  ['1.99999999999999999999999'],
  ['2~rc1'],
  ['2', '2.0.0.0'],
  ['1:0.1'],
];

test('compareLooseVersions sorts spellings of upstream projects, and knows which are the same', () => {
  for (const [index, versions] of RELEASES.entries()) {
    for (const [other, laters] of RELEASES.entries()) {
      for (const version of versions) {
        for (const later of laters) {
          expect(Math.sign(compareLooseVersions(version, later)), `${version} ${later}`).toBe(Math.sign(index - other));
        }
      }
    }
  }
});

describe('oddities of real versions', () => {
  const sign = (order: number) => (order < 0 ? '<' : order > 0 ? '>' : '=');

  test.each([
    ['1.3.dfsg+really1.3.1', '=', '1.3.1'],
    ['1.3.dfsg+really1.3.1', '>', '1.3'],
    ['1.2.13.dfsg', '<', '1.3.dfsg+really1.3.1'],
    ['2.12.7+dfsg+really2.9.14', '=', '2.9.14'],
    ['2.12.7+dfsg+really2.9.14', '<', '2.12.7'],
    ['5:7.0.15-1~deb12u7', '>', '5:7.0.15-1~deb12u6'],
    ['5:7.0.15-1~deb12u7', '<', '5:7.0.15-1'],
    ['5:7.0.15-1~deb12u7', '>', '7.2.0'],
    ['2.1.12-stable', '=', '2.1.12'],
    ['2.1.12-stable', '>', '2.1.11-stable'],
    ['2.1.12-stable', '>', '2.1.12-beta'],
    ['2.2.1-alpha-dev', '<', '2.2.1-stable'],
    ['0.5.11+git20200708+dd9ef66', '>', '0.5.11'],
    ['0.5.11+git20200708+dd9ef66', '<', '0.5.11+git20210903+057cd650a4ed'],
    ['0.5.11+git20200708+dd9ef66', '<', '0.5.12'],
    // Digests are no words: the letters in them announce nothing.
    ['0.5.11+git20200708+rc1a1b2', '>', '0.5.11+git20200708'],
    ['1.1.1w', '>', '1.1.1'],
    ['1.1.1w', '>', '1.1.1v'],
    ['0.9.8zh', '>', '0.9.8z'],
    ['1.1.1w', '<', '1.1.2'],
    ['3.5a', '>', '3.5'],
    ['2026b', '>', '2026a'],
    ['2026b', '>', '2025z'],
    ['R_2_5_0', '=', '2.5.0'],
    ['R_2_5_0', '<', 'R_2_10_0'],
    ['curl-8_14_1', '=', '8.14.1'],
    ['curl-8_14_1', '>', 'curl-8_9_0'],
    ['6.5+20250216', '>', '6.5'],
    ['6.5+20250216', '<', '6.6'],
    ['9.9p1', '<', '9.9p2'],
    ['9.9p2', '<', '10.0p1'],
    ['7.1.1-47', '<', '7.1.2-0'],
    ['6.9.13-25', '>', '6.9.13-9'],
    ['20250104-3.1', '>', '20240808-3.1'],
    ['1.0', '=', '1.0.0'],
    ['1.10', '>', '1.9'],
    ['1.10', '>', '1.1'],
    ['17.0.1+12', '>', '17.0.1+9'],
    ['20240101000000000000000000000002', '>', '20240101000000000000000000000001'],
    ['constructor', '=', 'constructor'],
    ['1.0constructor1', '>', '1.0'],
    ['1.0__proto__', '>', '1.0'],
  ])('%s %s %s', (left, order, right) => {
    expect(sign(compareLooseVersions(left, right))).toBe(order);
    expect(sign(compareLooseVersions(right, left))).toBe({ '<': '>', '>': '<', '=': '=' }[order]);
  });
});
