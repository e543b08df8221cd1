import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareVersions, versionOrder } from '../../src/model/version-order.ts';
import { VERSION_SCHEMES, type VersionScheme } from '../../src/model/version-scheme.ts';

const digits = fc.constantFrom('0', '1', '2', '9', '10', '01', '010', '007', '99999999999999999999');
const numbers = fc.array(digits, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));

/** Any mixture of what versions are made of, whether it is one of the scheme or not. */
const anything = fc
  .array(
    fc.oneof(digits, fc.constantFrom('a', 'b', 'w', 'Z', 'rc', 'alpha', 'stable', 'p', 'dev', '.', '_', '-', '~', '+')),
    { maxLength: 8 },
  )
  .map((pieces) => pieces.join(''));

const tail = (suffix: fc.Arbitrary<string>) =>
  fc.tuple(numbers, fc.array(suffix, { maxLength: 3 })).map(([start, suffixes]) => start + suffixes.join(''));
const number = fc.constantFrom('', '0', '1', '02', '10');

/** Versions of each scheme, close enough to each other to differ late or not at all. */
const versionsOf: Readonly<Record<VersionScheme, fc.Arbitrary<string>>> = {
  debian: fc
    .tuple(fc.constantFrom('', '0:', '1:'), tail(fc.constantFrom('~rc1', '~', '+b', 'a', '.1', '+dfsg')), number)
    .map(([epoch, upstream, revision]) => `${epoch}${upstream}${revision && `-${revision}`}`),
  gentoo: fc
    .tuple(
      numbers,
      fc.constantFrom('', 'a', 'b'),
      fc.array(
        fc.tuple(fc.constantFrom('_alpha', '_beta', '_pre', '_rc', '_p'), number).map((parts) => parts.join('')),
        { maxLength: 3 },
      ),
      fc.constantFrom('', '-r0', '-r1', '-r10'),
    )
    .map(([start, letter, suffixes, revision]) => `${start}${letter}${suffixes.join('')}${revision}`),
  loose: tail(
    fc
      .tuple(
        fc.constantFrom('', '.', '-', '_', '~', '+'),
        fc.constantFrom('', 'a', 'b', 'w', 'rc', 'RC', 'beta', 'stable', 'p', 'git', '+really'),
        number,
      )
      .map((parts) => parts.join('')),
  ),
  semver: fc
    .tuple(
      fc.array(fc.constantFrom('0', '1', '10'), { minLength: 3, maxLength: 3 }),
      fc.array(fc.constantFrom('0', '1', '10', 'a', 'rc', '0a', '-'), { maxLength: 3 }),
      fc.constantFrom('', '+1', '+x.y'),
    )
    .map(([core, labels, build]) => core.join('.') + (labels.length > 0 ? `-${labels.join('.')}` : '') + build),
};

describe.each(VERSION_SCHEMES)('the order %s', (scheme) => {
  const compare = (a: string, b: string) => Math.sign(compareVersions(a, b, scheme));
  const version = fc.oneof({ weight: 4, arbitrary: versionsOf[scheme] }, { weight: 1, arbitrary: anything });

  test('is made of versions of its own form', () => {
    fc.assert(fc.property(versionsOf[scheme], (text) => versionOrder(scheme).isVersion(text)));
  });

  test('answers for any two texts, and the other way round when asked so', () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect([-1, 0, 1]).toContain(compare(a, b));
        expect(compare(a, b) + compare(b, a)).toBe(0);
        expect(compare(a, a)).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  test('is transitive, also where versions are equal', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c), `${a} ${b} ${c}`).toBeLessThanOrEqual(0);
        if (compare(a, b) === 0) expect(compare(a, c), `${a} ${b} ${c}`).toBe(compare(b, c));
      }),
      { numRuns: 10_000 },
    );
  });

  test('sorts its example after what is no version at all, and takes it', () => {
    const { example, isVersion, isOperand } = versionOrder(scheme);
    expect([isVersion(example), isOperand(example), compare('', example)]).toEqual([true, true, -1]);
  });

  test('takes no time for long texts', () => {
    const texts = [
      '1'.repeat(200),
      'a'.repeat(200),
      '1.'.repeat(100),
      'ab-'.repeat(60),
      '1_p'.repeat(60),
      '~'.repeat(200),
    ];
    const started = performance.now();
    for (const a of texts) for (const b of texts) compareVersions(a, b, scheme);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

test('loose is the order where none is named', () => {
  expect(compareVersions('1.0-rc1', '1.0')).toBeLessThan(0);
  expect(compareVersions('1.0-rc1', '1.0', 'debian')).toBeGreaterThan(0);
});
