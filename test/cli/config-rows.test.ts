import { expect, test } from 'vitest';
import { configRows } from '../../src/cli/config-rows.ts';
import type { Config } from '../../src/model/config.ts';

test('settings are named and written as in configuration files, each with where it came from', () => {
  const config: Config = {
    store: '/s\u001b',
    recipes: [
      { name: 'main', path: '/shipped' },
      { name: 'team', path: '/team' },
    ],
    gitRecipes: [{ name: 'far', git: 'https://example.org/far.git', ref: undefined }],
    repository: undefined,
    repositories: [],
    debian: { mirror: undefined },
    registries: {},
    build: { jobs: 2, timeoutMs: 7_200_000, memoryBytes: 4 * 2 ** 30, keepFailed: false, executor: 'local' },
    sign: { key: undefined },
    trust: { allowedSigners: '/etc/signers' },
    use: { with: ['ipv6', 'http2'], without: [] },
    offline: false,
    origins: { 'build.jobs': '--jobs', 'build.timeout': 'BUILDIT_TIMEOUT', use: '/etc/buildit/config.yaml' },
    notices: [],
  };
  expect(configRows(config)).toEqual([
    ['store', '/s\\u001b', 'default'],
    ['recipes.main.path', '/shipped', 'default'],
    ['recipes.team.path', '/team', 'default'],
    ['recipes.far.git', 'https://example.org/far.git', 'default'],
    ['recipes.far.ref', '(none)', 'default'],
    ['repository', '(none)', 'default'],
    ['repositories', '(none)', 'default'],
    ['debian.mirror', '(none)', 'default'],
    ['build.jobs', '2', '--jobs'],
    ['build.timeout', '2h00m', 'BUILDIT_TIMEOUT'],
    ['build.memory', '4096M', 'default'],
    ['build.keep-failed', 'false', 'default'],
    ['build.executor', 'local', 'default'],
    ['sign.key', '(none)', 'default'],
    ['trust.allowed-signers', '/etc/signers', 'default'],
    ['use.with', 'ipv6, http2', '/etc/buildit/config.yaml'],
    ['use.without', '(none)', '/etc/buildit/config.yaml'],
    ['offline', 'false', 'default'],
  ]);
});
