import { expect, test } from 'vitest';
import { licenseProblems } from '../../../src/definition/lint/license-expression.ts';

test.each([
  'MIT',
  'GPL-3.0-or-later',
  'MIT OR Apache-2.0',
  '(MIT AND BSD-3-Clause) OR (Zlib AND (ISC))',
  'GPL-2.0-only WITH Classpath-exception-2.0',
  'Apache-2.0+',
  'LicenseRef-Company-1.0',
  'DocumentRef-spdx:LicenseRef-x AND MIT',
])('the expression "%s" is sound', (expression) => {
  expect(licenseProblems(expression)).toEqual([]);
});

test.each([
  ['BSD', 'unknown BSD'],
  ['mit', 'unknown mit'],
  ['GPL-2.0', 'deprecated GPL-2.0'],
  ['LGPL-2.1+', 'deprecated LGPL-2.1+'],
  ['GPL-2.0-only WITH Some-exception', 'unknown-exception Some-exception'],
  ['MIT WITH', 'unknown-exception '],
  ['MIT OR', 'misplaced '],
  ['OR MIT', 'misplaced OR'],
  ['MIT Apache-2.0', 'misplaced Apache-2.0'],
  ['(MIT', 'misplaced '],
  ['MIT)', 'misplaced )'],
  ['()', 'misplaced )'],
  ['', 'misplaced '],
  ['('.repeat(1000), 'misplaced ('],
])('the expression "%s" is not', (expression, problem) => {
  expect(licenseProblems(expression).map(({ kind, word }) => `${kind} ${word}`)).toEqual([problem]);
});

test('all identifiers that are wrong are told', () => {
  expect(licenseProblems('Foo OR MIT AND Bar').map(({ word }) => word)).toEqual(['Foo', 'Bar']);
});
