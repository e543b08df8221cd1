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
  ['recur', 'recursive'],
  ['temp', 'template'],
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

test('the only name that begins so is meant before one that is as long by chance, and not before one a letter away', () => {
  const capabilities = ['cap_setgid', 'cap_net_admin', 'cap_net_bind_service', 'cap_net_raw'];
  expect(closestName('cap_net_bind', capabilities)).toBe('cap_net_bind_service');
  expect(closestName('cap_net_raws', [...capabilities, 'cap_net_raws_more'])).toBe('cap_net_raw');
  expect(closestName('cap_net', ['cap_net_raw', 'cap_net_admin'])).toBeUndefined();
  expect(closestName('re', KEYS)).toBeUndefined();
});
