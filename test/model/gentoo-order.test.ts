import { describe, expect, test } from 'vitest';
import { compareGentooVersions, GENTOO_ORDER } from '../../src/model/gentoo-order.ts';

const sign = (order: number) => (order < 0 ? '<' : order > 0 ? '>' : '=');

describe('compareGentooVersions', () => {
  /** Package Manager Specification 3.3, its algorithms one after the other. */
  test.each([
    // The first number is one, leading zeros aside.
    ['1.9', '<', '2.0'],
    ['9', '<', '10'],
    ['09', '=', '9'],
    ['0010.1', '>', '9.9'],
    // So are the others, unless one of the two begins with 0: then both are texts without the zeros at their end.
    ['1.9', '<', '1.10'],
    ['1.01', '<', '1.1'],
    ['1.02', '<', '1.1'],
    ['1.010', '=', '1.01'],
    ['1.01', '<', '1.011'],
    ['1.09', '<', '1.1'],
    ['1.0', '<', '1.00001'],
    ['1.0', '=', '1.00'],
    // More numbers are newer, even where they are 0.
    ['1.0', '<', '1.0.0'],
    ['1.0.0', '<', '1.0.0.0'],
    ['1.2', '>', '1.1.99'],
    // The letter.
    ['1.1.1', '<', '1.1.1a'],
    ['1.1.1v', '<', '1.1.1w'],
    ['1.1.1w', '<', '1.1.2'],
    ['2026a', '<', '2026b'],
    // Suffixes by kind, then by number; a number left out is 0.
    ['1_alpha', '<', '1_beta'],
    ['1_beta', '<', '1_pre'],
    ['1_pre', '<', '1_rc'],
    ['1_rc', '<', '1'],
    ['1', '<', '1_p'],
    ['1_p', '=', '1_p0'],
    ['1_rc', '=', '1_rc0'],
    ['1_rc2', '<', '1_rc10'],
    ['1_rc02', '=', '1_rc2'],
    ['1_alpha9', '<', '1_beta1'],
    // One more suffix is newer when it is _p, else older.
    ['1_alpha_p1', '>', '1_alpha'],
    ['1_alpha_beta', '<', '1_alpha'],
    ['1_p1_rc1', '<', '1_p1'],
    ['1_p1_p1', '>', '1_p1'],
    ['1_p1_rc1', '>', '1'],
    // The revision comes last; none is 0.
    ['1.0-r1', '>', '1.0'],
    ['1.0-r0', '=', '1.0'],
    ['1.0-r2', '<', '1.0-r10'],
    ['1.0-r01', '=', '1.0-r1'],
    ['1.0a-r9', '<', '1.0b'],
    ['1.0_rc1-r9', '<', '1.0'],
    ['99999999999999999999998', '<', '99999999999999999999999'],
    ['1.99999999999999999999998', '<', '1.99999999999999999999999'],
  ])('%s %s %s', (left, order, right) => {
    expect([left, right].every(GENTOO_ORDER.isVersion)).toBe(true);
    expect(sign(compareGentooVersions(left, right))).toBe(order);
    expect(sign(compareGentooVersions(right, left))).toBe({ '<': '>', '>': '<', '=': '=' }[order]);
  });

  /** Package Manager Specification 3.2. */
  test.each(['1.0rc1', '1.0-rc1', '1.0_foo', '1.0ab', '1.0A', 'v1', '1.', '.1', '1.0-r', '1.0_rc1a', '1.0+x', '1~rc1'])(
    '"%s" is none, and sorts before all that are',
    (text) => {
      expect(GENTOO_ORDER.isVersion(text)).toBe(false);
      expect(sign(compareGentooVersions(text, '0_alpha'))).toBe('<');
    },
  );
});
