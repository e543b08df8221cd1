import { expect, test } from 'vitest';
import { configRows } from '../../src/cli/config-rows.ts';
import { inputTree } from '../../src/cli/input-tree.ts';
import type { Config } from '../../src/model/config.ts';

test('a tree shows every value once, texts of several lines below their name, and what a HASH stands for', () => {
  const inputs = {
    name: 'app-misc/hello',
    format: 1,
    flags: {},
    phases: { build: 'make\nmake doc\n' },
    root: ['ab12', 'cd34'],
    sources: [{ sha256: 'ee', unpack: true }],
    evil: 'a\u001b[2J',
  };
  expect(inputTree(inputs, (value) => (value === 'cd34' ? 'libc6-2.36' : undefined))).toEqual([
    '  name: app-misc/hello',
    '  format: 1',
    '  flags: {}',
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

test('settings are rows of their dotted names with where they came from', () => {
  const config: Config = {
    store: '/s',
    recipes: [],
    repository: undefined,
    repositories: [],
    debian: { mirror: undefined },
    build: { jobs: 2, timeoutMs: 1, memoryBytes: 1, keepFailed: false, executor: 'local' },
    use: { with: ['ipv6'], without: [] },
    offline: false,
    origins: { 'build.jobs': '--jobs', use: '/etc/buildit/config.yaml' },
  };
  const rows = configRows(config);
  expect(rows).toContainEqual(['build.jobs', '2', '--jobs']);
  expect(rows).toContainEqual(['use.with', '["ipv6"]', '/etc/buildit/config.yaml']);
  expect(rows).toContainEqual(['debian.mirror', '(none)', 'default']);
});
