import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogLines } from '../../../src/cli/screen/log-lines.ts';

function linesOf(...chunks: (string | Uint8Array)[]): string[] {
  const log = createLogLines();
  const lines = chunks.flatMap((chunk) => log.add(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
  return [...lines, log.rest()];
}

test('lines are whole however the bytes are cut, inside a character too', () => {
  const text = 'größe: 3\r\nfertig ✓\n10%\r20%\r100%\nend';
  const whole = linesOf(text);
  expect(whole).toEqual(['größe: 3', 'fertig ✓', '10%', '20%', '100%', 'end']);
  const bytes = Buffer.from(text);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 6 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      expect(linesOf(...chunks)).toEqual(whole);
    }),
  );
});

test('what a terminal would obey is taken out or made visible', () => {
  expect(linesOf('\u001b[31mred\u001b[0m \u001b]0;title\u0007bell\u0007 \u202eflow\n')).toEqual([
    'red bell\\u0007 \\u202eflow',
    '',
  ]);
});

test('a line without an end does not grow for ever', () => {
  const log = createLogLines();
  for (let index = 0; index < 100; index += 1) log.add(Buffer.from('x'.repeat(1000)));
  expect(log.rest().length).toBeLessThan(10_000);
});
