import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { baseDirectory, expandHome, homeDirectory } from '../../src/system/needed-directories.ts';
import {
  absolutePath,
  findBaseDirectory,
  findHome,
  namesOtherHome,
  temporaryDirectory,
} from '../../src/system/user-directories.ts';

const account = userInfo().homedir;

describe('the home directory', () => {
  test.each(['', '.', './x', 'home/me', '~', ' ', '../..', ' /root'])('is the account’s where HOME is "%s"', (HOME) => {
    expect(findHome({ HOME })).toBe(account);
    expect(homeDirectory({ HOME })).toBe(account);
  });

  test('is the account’s where HOME is unset', () => {
    expect(findHome({})).toBe(account);
  });

  test.each(['/', '/home/me', '/nonexistent'])('is %s where HOME says so', (HOME) => {
    expect(findHome({ HOME })).toBe(HOME);
  });
});

describe('the directories of a user', () => {
  test('are those of the XDG variables where these are absolute', () => {
    const environment = { HOME: '/h', XDG_CONFIG_HOME: '/c', XDG_CACHE_HOME: '', XDG_STATE_HOME: 'state' };
    expect(baseDirectory(environment, 'config')).toBe('/c');
    expect(baseDirectory(environment, 'cache')).toBe('/h/.cache');
    expect(findBaseDirectory(environment, 'state')).toBe('/h/.local/state');
  });

  test('are never relative, whatever the variables say', () => {
    for (const value of [undefined, '', '.', '..', 'x', './.config', '~/x']) {
      const environment = { HOME: value, XDG_CONFIG_HOME: value, XDG_CACHE_HOME: value, XDG_STATE_HOME: value };
      for (const kind of ['config', 'cache', 'state'] as const) {
        expect(findBaseDirectory(environment, kind)?.startsWith(account)).toBe(true);
      }
      expect(absolutePath({ SSH_AUTH_SOCK: value }, 'SSH_AUTH_SOCK')).toBeUndefined();
    }
  });
});

test('~ is the home, and nothing else is', () => {
  expect(['~', '~/x', '/x', 'x', './~', 'a~'].map((path) => expandHome(path, { HOME: '/h' }))).toEqual([
    '/h',
    '/h/x',
    '/x',
    'x',
    './~',
    'a~',
  ]);
  expect(['~', '~/x', '~root', '~root/x', 'x~', ''].map(namesOtherHome)).toEqual([
    false,
    false,
    true,
    true,
    false,
    false,
  ]);
});

test.each(['', 'tmp', '.'])('temporary files never lie in the project: TMPDIR="%s"', (value) => {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = value;
  try {
    expect(temporaryDirectory()).toBe('/tmp');
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
});
