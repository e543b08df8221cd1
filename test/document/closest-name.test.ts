import { expect, test } from 'vitest';
import { closestName, didYouMean } from '../../src/document/closest-name.ts';

const KEYS = ['src', 'dest', 'recursive', 'chmod', 'dirmode', 'chown', 'exclude', 'template'];

test.each([
  ['chmdo', 'chmod'],
  ['Recursive', 'recursive'],
  ['recursve', 'recursive'],
  ['dst', 'dest'],
  ['scr', 'src'],
  ['templates', 'template'],
])('%s means %s', (name, meant) => {
  expect(closestName(name, KEYS)).toBe(meant);
});

test('what is far from everything means nothing', () => {
  expect(closestName('permissions', KEYS)).toBeUndefined();
  expect(didYouMean('x'.repeat(1000), KEYS)).toBeUndefined();
});

test('of two that are equally near the first is meant', () => {
  expect(didYouMean('ab', ['ac', 'aa'])).toBe('did you mean "ac"?');
});
