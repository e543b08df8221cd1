import { expect, test } from 'vitest';
import { closedAtEnd, closeEverything } from '../../src/system/at-end.ts';

test('what is open at the end is closed, the latest first, once', async () => {
  const closed: string[] = [];
  const one = closedAtEnd(() => void closed.push('one'));
  closedAtEnd(() => void closed.push('two'));
  closedAtEnd(async () => void closed.push('three'));
  await one();
  await one();
  await closeEverything();
  await closeEverything();
  expect(closed).toEqual(['one', 'three', 'two']);
});

test('what cannot be closed keeps nothing else open, and nobody waits for it', async () => {
  let isClosed = false;
  closedAtEnd(() => {
    isClosed = true;
  });
  closedAtEnd(() => Promise.reject(new Error('gone')));
  closedAtEnd(() => {
    throw new Error('gone');
  });
  closedAtEnd(() => new Promise(() => {}));
  const startMs = performance.now();
  await closeEverything(50);
  expect(isClosed).toBe(true);
  expect(performance.now() - startMs).toBeLessThan(1500);
});
