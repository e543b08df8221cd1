import { expect, test } from 'vitest';
import { likeliestReading, readingsOfAtom } from '../../src/definition/atom.ts';
import { atomText } from '../../src/model/package.ts';

const readings = (text: string) => readingsOfAtom(text).map(({ name, version }) => [name, version]);

test('a version begins behind the last dash before a digit', () => {
  expect(likeliestReading(readingsOfAtom('www-servers/nginx-1.22.1'))).toEqual({
    category: 'www-servers',
    name: 'nginx',
    version: '1.22.1',
  });
  expect(readings('app/foo-2bar')).toEqual([
    ['foo-2bar', undefined],
    ['foo', '2bar'],
  ]);
  expect(readings('app/nginx-production-1.7.6-p1')).toEqual([
    ['nginx-production-1.7.6-p1', undefined],
    ['nginx-production', '1.7.6-p1'],
  ]);
  expect(readings('app/a-1.0-2')).toEqual([
    ['a-1.0-2', undefined],
    ['a-1.0', '2'],
    ['a', '1.0-2'],
  ]);
});

test('names of Debian packages hold dashes and digits, and take no version', () => {
  expect(readings('debian/gcc-12')).toEqual([['gcc-12', undefined]]);
  expect(readings('debian/libstdc++6')).toEqual([['libstdc++6', undefined]]);
});

test('what is no atom has no reading', () => {
  for (const text of [
    '',
    'nginx',
    '/nginx',
    'a/',
    'a/b/c',
    '../a',
    'a/..',
    '-a/b',
    'a/-b',
    'A/b',
    'a/b c',
    'a/b\n',
    'debian/a_b',
    'debian/../x',
    `a/${'b'.repeat(300)}`,
  ]) {
    expect(readings(text), text).toEqual([]);
  }
});

test('reading and writing an atom are inverse', () => {
  for (const text of ['www-servers/nginx-1.22.1', 'dev-libs/openssl', 'debian/libssl3']) {
    expect(atomText(likeliestReading(readingsOfAtom(text))!)).toBe(text);
  }
});
