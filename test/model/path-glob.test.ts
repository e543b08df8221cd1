import { describe, expect, test } from 'vitest';
import { pathGlob } from '../../src/model/path-glob.ts';

const fits = (pattern: string, path: string) => pathGlob(pattern)!(path);

describe('a pattern of paths', () => {
  test.each([
    ['usr/share/doc/**', ['usr/share/doc', 'usr/share/doc/x', 'usr/share/doc/x/y/.z'], ['usr/share/docs', 'usr/share']],
    ['**/*.so*', ['a.so', 'usr/lib/libx.so.1', '.so'], ['usr/a.so/x', 'usr/lib/libx.s']],
    ['usr/*/x', ['usr/lib/x', 'usr/.lib/x'], ['usr/x', 'usr/a/b/x', 'usr/lib/xy']],
    ['**', ['a', 'a/b/c'], []],
    ['a/**/b/**/c', ['a/b/c', 'a/x/b/c', 'a/x/y/b/z/c', 'a/b/b/c/c'], ['a/c', 'a/b', 'b/c']],
    ['a**b', ['ab', 'axb'], ['a/b']],
    ['?.c', ['x.c', '🙂.c', '..c'], ['.c', 'xy.c']],
    ['[a-cx]', ['a', 'b', 'x'], ['d', '-', 'ab']],
    ['[!a-c]*', ['d', 'dd'], ['a', 'ad']],
    ['[]a]', [']', 'a'], ['[']],
    ['[a-]', ['-', 'a'], ['b']],
    ['{bin,sbin}/{a,b{1,2}}', ['bin/a', 'sbin/b1', 'bin/b2'], ['bin/b', 'a', 'bin/{a,b1}']],
    ['a{/**,}', ['a', 'a/b'], ['ab']],
    ['a{b}', ['a{b}'], ['ab']],
    ['a{b*}c{d,e}', ['a{bx}cd', 'a{b}ce'], ['abcd']],
    ['\\*\\[', ['*['], ['x[']],
    ['\\{a,b}', ['{a,b}'], ['a', 'b']],
  ] satisfies [string, string[], string[]][])('%s', (pattern, those, others) => {
    expect(those.filter((path) => !fits(pattern, path))).toEqual([]);
    expect(others.filter((path) => fits(pattern, path))).toEqual([]);
  });

  test.each(['', 'a//b', '/a', 'a/', '[a', '[b-a]', 'a\\', '{a,b', 'a/{,b}/c', '{a,b}'.repeat(8)])(
    'is not %j',
    (text) => {
      expect(pathGlob(text)).toBeUndefined();
    },
  );

  test('ends for one that fits almost, however many stars it has: a regular expression takes days', () => {
    expect(fits(`${'*a'.repeat(100)}b`, 'a'.repeat(255))).toBe(false);
    expect(fits(`${'*a*/'.repeat(50)}b`, `${'aaaaaaaa/'.repeat(50)}c`)).toBe(false);
    expect(fits(`${'**/a/'.repeat(50)}b`, `${'a/'.repeat(1000)}c`)).toBe(false);
  });

  test('is at most as long as a path of Linux, for a longer one takes its length times that of each path', () => {
    expect(pathGlob(`${'a/'.repeat(2047)}*`)).toBeDefined();
    expect(pathGlob(`${'a/'.repeat(2048)}*`)).toBeUndefined();
  });
});
