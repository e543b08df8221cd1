import { describe, expect, test } from 'vitest';
import { compareSemanticVersions, SEMVER_ORDER } from '../../src/model/semver-order.ts';

describe('compareSemanticVersions', () => {
  /** Semantic Versioning 2.0.0, 11. */
  test.each([
    [['1.0.0', '2.0.0', '2.1.0', '2.1.1']],
    [['1.0.0-alpha', '1.0.0']],
    [
      [
        '1.0.0-alpha',
        '1.0.0-alpha.1',
        '1.0.0-alpha.beta',
        '1.0.0-beta',
        '1.0.0-beta.2',
        '1.0.0-beta.11',
        '1.0.0-rc.1',
        '1.0.0',
      ],
    ],
    [['1.9.0', '1.10.0', '1.11.0']],
    [['1.0.0--', '1.0.0-0a', '1.0.0-A', '1.0.0-a', '1.0.0-a-b', '1.0.0-aa']],
    [['1.0.0-99999999999999999999998', '1.0.0-99999999999999999999999', '1.0.0-x', '99999999999999999999998.0.0']],
  ])('sorts %j as the specification does', (ordered) => {
    for (const [index, version] of ordered.entries()) {
      expect(SEMVER_ORDER.isVersion(version), version).toBe(true);
      for (const [other, later] of ordered.entries()) {
        expect(Math.sign(compareSemanticVersions(version, later)), `${version} ${later}`).toBe(
          Math.sign(index - other),
        );
      }
    }
  });

  test('what follows a plus does not count', () => {
    expect(compareSemanticVersions('1.0.0+20130313144700', '1.0.0')).toBe(0);
    expect(compareSemanticVersions('1.0.0-beta+exp.sha.5114f85', '1.0.0-beta+21AF26D3---117B344092BD')).toBe(0);
  });

  test('a range may name the beginning of a version, a recipe may not', () => {
    for (const text of ['1', '1.26', '1.26-rc.1']) {
      expect(SEMVER_ORDER.isOperand(text), text).toBe(true);
      expect(SEMVER_ORDER.isVersion(text), text).toBe(false);
    }
    expect(compareSemanticVersions('1.26', '1.26.0')).toBe(0);
  });

  /** Semantic Versioning 2.0.0, 2 and 9. */
  test.each(['01.0.0', '1.0.0-01', '1.0.0-', '1.0.0-a..b', '1.0.0+', 'v1.0.0', '1.0.0.0', '1.0.0-a_b', '1.1.1w', ''])(
    '"%s" is none, and sorts before all that are',
    (text) => {
      expect(SEMVER_ORDER.isVersion(text)).toBe(false);
      expect(compareSemanticVersions(text, '0.0.0-0')).toBeLessThan(0);
      expect(compareSemanticVersions('0.0.0-0', text)).toBeGreaterThan(0);
    },
  );
});
