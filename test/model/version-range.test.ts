import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareVersions } from '../../src/model/version-order.ts';
import { foreignOperand, parseRange, rangeAllows } from '../../src/model/version-range.ts';
import type { VersionScheme } from '../../src/model/version-scheme.ts';

const allowed = (range: string, versions: readonly string[], scheme: VersionScheme = 'loose') =>
  versions.filter((version) => rangeAllows(parseRange(range)!, version, scheme));

describe('a range', () => {
  const NGINX = ['1.22.1', '1.26.0-rc1', '1.26.0', '1.26.3', '1.27.0-rc1', '1.27.0', '2.0'];

  test.each([
    ['1.26.3', ['1.26.3']],
    ['=1.26', ['1.26.0']],
    ['!=1.26.3', ['1.22.1', '1.26.0-rc1', '1.26.0', '1.27.0-rc1', '1.27.0', '2.0']],
    ['>1.26.3', ['1.27.0-rc1', '1.27.0', '2.0']],
    ['>=1.26.3', ['1.26.3', '1.27.0-rc1', '1.27.0', '2.0']],
    ['<1.26.3', ['1.22.1', '1.26.0-rc1', '1.26.0']],
    ['<=1.26.3', ['1.22.1', '1.26.0-rc1', '1.26.0', '1.26.3']],
    ['>=1.22,<1.27', ['1.22.1', '1.26.0-rc1', '1.26.0', '1.26.3']],
    [' >= 1.22 , < 1.27 ', ['1.22.1', '1.26.0-rc1', '1.26.0', '1.26.3']],
    ['>=1.22,<1.27.0-rc2', ['1.22.1', '1.26.0-rc1', '1.26.0', '1.26.3', '1.27.0-rc1']],
    ['~1.26', ['1.26.0', '1.26.3']],
    ['~1.26.1', ['1.26.3']],
    ['~1', ['1.22.1', '1.26.0-rc1', '1.26.0', '1.26.3', '1.27.0-rc1', '1.27.0']],
    ['~1.26-rc1', ['1.26.0-rc1', '1.26.0', '1.26.3']],
    ['^1.26.1', ['1.26.3', '1.27.0-rc1', '1.27.0']],
    ['^1', ['1.22.1', '1.26.0-rc1', '1.26.0', '1.26.3', '1.27.0-rc1', '1.27.0']],
    ['^2', ['2.0']],
    ['>=1.22,!=1.26.0,!=1.26.3,<2', ['1.22.1', '1.26.0-rc1', '1.27.0-rc1', '1.27.0']],
    ['>2.0', []],
  ])('%s allows %j', (range, versions) => {
    expect(allowed(range, NGINX)).toEqual(versions);
  });

  test('^ holds the numbers fast up to the first that is not 0', () => {
    const versions = ['0.0.3', '0.0.4', '0.2.3', '0.2.9', '0.3.0', '1.0.0'];
    expect(allowed('^0.2.3', versions)).toEqual(['0.2.3', '0.2.9']);
    expect(allowed('^0.0.3', versions)).toEqual(['0.0.3']);
    expect(allowed('^0.0', versions)).toEqual(['0.0.3', '0.0.4']);
    expect(allowed('^0', versions)).toEqual(['0.0.3', '0.0.4', '0.2.3', '0.2.9', '0.3.0']);
  });

  test('a letter, a date or a patch level is later than the release it belongs to', () => {
    const versions = ['1.1.1-beta1', '1.1.1', '1.1.1a', '1.1.1w', '1.1.2'];
    expect(allowed('~1.1.1', versions)).toEqual(['1.1.1', '1.1.1a', '1.1.1w', '1.1.2']);
    expect(allowed('>=1.1.1a,<1.1.2', versions)).toEqual(['1.1.1a', '1.1.1w']);
    expect(allowed('<1.1.1a', versions)).toEqual(['1.1.1-beta1', '1.1.1']);
    expect(allowed('<=1.1.1', versions)).toEqual(['1.1.1-beta1', '1.1.1']);
  });

  test('< leaves out what was tried before a release, except by the rules of Debian', () => {
    expect(allowed('<4', ['3.9', '4.0-rc1', '4.0'], 'loose')).toEqual(['3.9']);
    expect(allowed('<4', ['3.9.0', '4.0.0-rc.1', '4.0.0'], 'semver')).toEqual(['3.9.0']);
    expect(allowed('<4.0', ['3.9', '4.0_rc1', '4.0'], 'gentoo')).toEqual(['3.9']);
    expect(allowed('<4', ['3.9', '4~rc1', '4'], 'debian')).toEqual(['3.9', '4~rc1']);
    expect(allowed('<4~', ['3.9', '4~rc1', '4'], 'debian')).toEqual(['3.9']);
  });

  test("shares the numbers that its scheme calls the same: a leading zero makes a fraction of an ebuild's", () => {
    expect(allowed('~1.05', ['1.05', '1.05.3', '1.5', '1.5.1'], 'gentoo')).toEqual(['1.05', '1.05.3']);
    expect(allowed('~1.05', ['1.05', '1.5', '1.6'], 'loose')).toEqual(['1.05', '1.5']);
  });

  test('knows epochs', () => {
    expect(allowed('~7.0', ['7.0.15', '5:7.0.15'], 'debian')).toEqual(['7.0.15']);
    expect(allowed('~5:7.0', ['7.0.15', '5:7.0.15', '5:7.2', '6:7.0'], 'debian')).toEqual(['5:7.0.15']);
  });

  test('says what is no version of a scheme', () => {
    const foreign = (range: string, scheme: VersionScheme) => foreignOperand(parseRange(range)!, scheme);
    expect(foreign('>=1.0,<2~rc1', 'semver')).toBe('2~rc1');
    expect(foreign('>=1.0,<2', 'semver')).toBeUndefined();
    expect(foreign('>=1.0-rc1', 'gentoo')).toBe('1.0-rc1');
    expect(foreign('>=1_0', 'debian')).toBe('1_0');
    expect(foreign('>=1_0', 'loose')).toBeUndefined();
  });

  test('is shown without blanks', () => {
    expect(parseRange(' >= 1.22 ,\t< 1.27')?.text).toBe('>=1.22,<1.27');
  });
});

test.each([
  '',
  ' ',
  ',',
  '>=',
  '1.0,',
  ',1.0',
  '<<1',
  '==1',
  '=>1',
  '>1 <2',
  '1 2',
  '>=1.0;<2',
  '~',
  '~v1',
  '^x',
  '<-1',
  '>=1..2',
  '>=1\n',
  '>=1 || 2',
  '*',
  '1.x y',
  `>=${'1'.repeat(200)}`,
  Array(17).fill('>1').join(','),
])('%j is no range', (text) => {
  expect(parseRange(text)).toBeUndefined();
});

test('comparisons agree with the order they are made of', () => {
  const version = fc
    .tuple(
      fc.array(fc.constantFrom('0', '1', '2', '10'), { minLength: 1, maxLength: 3 }),
      fc.constantFrom('', 'a', '-1'),
    )
    .map(([numbers, end]) => numbers.join('.') + end);
  fc.assert(
    fc.property(version, version, (a, b) => {
      const order = compareVersions(a, b);
      const found = ['<', '<=', '=', '!=', '>=', '>'].filter((operator) => allowed(`${operator}${b}`, [a]).length > 0);
      expect(found).toEqual(order < 0 ? ['<', '<=', '!='] : order > 0 ? ['!=', '>=', '>'] : ['<=', '=', '>=']);
      if (allowed(`~${b}`, [a]).length > 0) expect(order).toBeGreaterThanOrEqual(0);
    }),
  );
});
