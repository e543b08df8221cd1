import { expect, test } from 'vitest';
import { parseControlStanza, withoutLastEmptyLines } from '../../src/debian/control-stanza.ts';
import { BuilditError } from '../../src/model/errors.ts';

test('a control file may end in empty lines', () => {
  expect([...parseControlStanza('Package: x\nDescription: y\n more\n\n\n', 'control')]).toEqual([
    ['Package', 'x'],
    ['Description', 'y\nmore'],
  ]);
});

test.each([
  ['empty lines in the middle', `Package: x${'\n'.repeat(1 << 20)}y`],
  ['empty lines at the end', `Package: x${'\n'.repeat(1 << 20)}`],
  ['blanks of a value', `Package: ${' '.repeat(1 << 20)}x`],
  ['a name', `${'x'.repeat(1 << 20)}\n`],
  ['continued lines', `Package: x\n${' y\n'.repeat(1 << 18)}`],
])('a control file is read in linear time: %s', (_, text) => {
  const before = process.cpuUsage();
  try {
    parseControlStanza(text, 'control');
    withoutLastEmptyLines(text);
  } catch (error) {
    expect(error).toBeInstanceOf(BuilditError);
    expect((error as BuilditError).message.length).toBeLessThan(500);
  }
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(1);
});
