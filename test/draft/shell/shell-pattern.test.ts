import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { cutMatch, parseShellPattern, replaceMatches } from '../../../src/draft/shell/shell-pattern.ts';
import { requires } from '../../support/requires.ts';

type Operator = '#' | '##' | '%' | '%%' | '/' | '//';

function changed(value: string, operator: Operator, pattern: string): string | undefined {
  const parsed = parseShellPattern(pattern);
  if (parsed === undefined) return undefined;
  if (operator === '/' || operator === '//') return replaceMatches(value, parsed, 'X', operator === '//');
  return cutMatch(value, operator, parsed);
}

describe('a pattern of the shell', () => {
  test.each<[string, Operator, string, string]>([
    ['nginx-1.22.1', '%', '.*', 'nginx-1.22'],
    ['nginx-1.22.1', '%%', '.*', 'nginx-1'],
    ['nginx-1.22.1', '#', '*-', '1.22.1'],
    ['nginx-1.22.1', '//', '[.]', 'nginx-1X22X1'],
    ['abc', '//', '[z-a]', 'abc'],
    ['abc', '%', '[z-a]*', 'abc'],
    ['a[b', '/', '[', 'aXb'],
    ['a]b', '/', '[]]', 'aXb'],
    ['abc', '/', '[!a]', 'aXc'],
    ['abc', '/', '', 'abc'],
    ['abc', '/', '*', 'X'],
  ])('of %j, %s%s, gives %j', (value, operator, pattern, expected) => {
    expect(changed(value, operator, pattern)).toBe(expected);
  });

  test.each(['a*b*c', '[[:alpha:]]', '\\*', 'a'.repeat(101)])('that is not understood is none: %j', (pattern) => {
    expect(parseShellPattern(pattern)).toBeUndefined();
  });

  requires('bash').test('does what bash does with it', () => {
    const cases = randomCases(1500);
    const script = cases
      .map(([value, operator, pattern]) => {
        const rest = operator.startsWith('/') ? '/X' : '';
        return `v='${value}'; p='${pattern}'; printf '%s\\n' "\${v${operator}$p${rest}}"`;
      })
      .join('\n');
    const { stdout } = spawnSync('bash', ['-c', script], { encoding: 'utf8', env: { LC_ALL: 'C' } });
    const bash = stdout.split('\n');
    const differing = cases.filter((each, index) => {
      const own = changed(...each);
      return own !== undefined && own !== bash[index];
    });
    expect(differing).toEqual([]);
  });
});

function randomCases(count: number): [string, Operator, string][] {
  let state = 20_261_130;
  const below = (limit: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % limit;
  };
  const text = (alphabet: string, longest: number) =>
    Array.from({ length: below(longest) }, () => alphabet[below(alphabet.length)]).join('');
  const operators: Operator[] = ['#', '##', '%', '%%', '/', '//'];
  return Array.from({ length: count }, () => [text('ab.z-', 8), operators[below(6)]!, text('ab.z*?[]!^-', 6)]);
}
