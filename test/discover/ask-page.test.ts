import { expect, test } from 'vitest';
import { refusedRedirect } from '../../src/discover/ask-page.ts';

test.each([
  ['https://example.org/x', false, undefined],
  ['https://example.org/x', true, undefined],
  ['http://localhost:8080/x', true, undefined],
  ['https://127.0.0.1/x', false, 'a redirect to this machine, which is not taken'],
  ['https://[::1]/x', false, 'a redirect to this machine, which is not taken'],
  ['https://0x7f000001/x', false, 'a redirect to this machine, which is not taken'],
  ['http://example.org/x', true, 'a redirect to plain http, which is not taken'],
])('a page that came from %s (this machine was asked: %s): %s', (url, fromThisMachine, answer) => {
  expect(refusedRedirect(new URL(url), fromThisMachine)).toBe(answer);
});
