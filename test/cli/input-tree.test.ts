import { expect, test } from 'vitest';
import { inputTree } from '../../src/cli/input-tree.ts';

test('a tree shows every value once, texts of several lines below their name, and what a HASH stands for', () => {
  const inputs = {
    name: 'app-misc/hello',
    format: 1,
    flags: {},
    prefix: '',
    phases: { build: 'make\nmake doc\n' },
    root: ['ab12', 'cd34'],
    sources: [{ sha256: 'ee', unpack: true }],
    evil: 'a\u001b[2J',
  };
  expect(inputTree(inputs, (value) => (value === 'cd34' ? 'libc6-2.36' : undefined))).toEqual([
    '  name: app-misc/hello',
    '  format: 1',
    '  flags: {}',
    '  prefix: ""',
    '  phases:',
    '    build:',
    '      | make',
    '      | make doc',
    '  root:',
    '    - ab12',
    '    - cd34  libc6-2.36',
    '  sources:',
    '    -',
    '      sha256: ee',
    '      unpack: true',
    '  evil: a\\u001b[2J',
  ]);
});
