import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lineDiff } from '../../src/edit/line-diff.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const numbers = Array.from({ length: 40 }, (_, index) => `line ${index + 1}\n`);
const changed = (...edits: [at: number, ...lines: string[]][]) => {
  const lines = [...numbers];
  for (const [at, ...put] of edits.toReversed()) lines.splice(at, 1, ...put);
  return lines.join('');
};

requires('patch').test.each<[string, string, string]>([
  ['one line', numbers.join(''), changed([20, 'other\n'])],
  ['several places', numbers.join(''), changed([2], [12, 'a\n', 'b\n', 'c\n'], [38, 'end\n'])],
  ['the first and the last line', numbers.join(''), changed([0], [39])],
  ['a newline at the end that is gone', 'a\nb\n', 'a\nb'],
  ['a newline at the end that is new', 'a\nb', 'a\nb\n'],
  ['everything', 'a\nb\n', 'c\n'],
])('a diff of %s turns one text into the other', (_, before, after) => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'file'), before);
  const diff = lineDiff('file', before, after);
  execFileSync('patch', ['--fuzz=0', 'file'], { cwd: directory, input: `${diff.join('\n')}\n`, stdio: 'pipe' });
  expect(readFileSync(join(directory, 'file'), 'utf8')).toBe(after);
});

test('what did not change is not shown, but for three lines around', () => {
  const before = numbers.join('');
  expect(lineDiff('file', before, changed([20, 'other\n']))).toEqual([
    '--- file',
    '+++ file',
    '@@ -18,7 +18,7 @@',
    ...[' line 18', ' line 19', ' line 20', '-line 21', '+other', ' line 22', ' line 23', ' line 24'],
  ]);
  expect(lineDiff('file', before, before)).toEqual([]);
});
