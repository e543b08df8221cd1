import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { gitAuthorities } from '../../src/discover/git-authorities.ts';
import { isGitRef } from '../../src/discover/git-ref.ts';
import { gitEnvironment, gitPolicy, localGitEnvironment, localGitPolicy } from '../../src/system/git-command.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('git', () => {
  test('speaks https and nothing else, without hooks, helpers and links', () => {
    const policy = gitPolicy({ allowHttp: false });
    expect(policy).toContain('--no-optional-locks');
    for (const setting of [
      'protocol.allow=never',
      'protocol.https.allow=always',
      'core.hooksPath=/dev/null',
      'core.symlinks=false',
      'credential.helper=',
    ]) {
      expect(policy[policy.indexOf(setting) - 1]).toBe('-c');
    }
    expect(policy.join(' ')).not.toContain('protocol.http.');
  });

  test('speaks http to this machine without following redirects', () => {
    const policy = gitPolicy({ allowHttp: true });
    expect(policy).toContain('protocol.http.allow=always');
    expect(policy).toContain('http.followRedirects=false');
  });

  test('speaks nothing at all in a repository of this machine, whatever that says and however old git is', () => {
    const environment = localGitEnvironment('/empty');
    expect(environment).toMatchObject({ GIT_ALLOW_PROTOCOL: '', GIT_CONFIG_GLOBAL: '/dev/null', HOME: '/empty' });
    expect(localGitPolicy('/a b')).toEqual(
      expect.arrayContaining([
        '--git-dir=/a b/.git',
        '--work-tree=/a b',
        '--no-replace-objects',
        'core.fsmonitor=false',
      ]),
    );
  });

  test('gets proxies and authorities, and nothing else of the environment', () => {
    const hostile = {
      PATH: '/evil',
      HOME: '/root',
      GIT_SSH_COMMAND: 'id',
      GIT_EXEC_PATH: '/evil',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.gitProxy',
      GIT_SSL_NO_VERIFY: '1',
      GIT_ALLOW_PROTOCOL: 'ext',
      GIT_TRACE: '2',
      TOKEN: 's3cret',
      HTTPS_PROXY: 'http://proxy:3128',
      no_proxy: 'localhost',
    };
    const { HTTPS_PROXY, no_proxy, ...own } = gitEnvironment(hostile, { home: '/empty', caFile: '/ca.pem' });
    expect([HTTPS_PROXY, no_proxy]).toEqual(['http://proxy:3128', 'localhost']);
    expect(own).toEqual({
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: '/empty',
      XDG_CONFIG_HOME: '/empty',
      LC_ALL: 'C',
      GIT_SSL_CAINFO: '/ca.pem',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_SYSTEM: '/dev/null',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_PROTOCOL_FROM_USER: '0',
      GIT_LFS_SKIP_SMUDGE: '1',
      GIT_NO_LAZY_FETCH: '1',
      GIT_ALLOW_PROTOCOL: 'https',
    });
  });
});

describe('authorities of git', () => {
  const file = (text: string) => {
    const path = join(temporaryDirectory(), 'ca.pem');
    writeFileSync(path, text);
    return path;
  };

  test('are those of the system where nothing else is said', () => {
    expect(gitAuthorities({})).toBeUndefined();
  });

  test('are more with NODE_EXTRA_CA_CERTS, as for all other downloads', () => {
    const text = gitAuthorities({ NODE_EXTRA_CA_CERTS: file('EXTRA') });
    expect(text).toContain(rootCertificates[0]);
    expect(text).toContain('EXTRA');
  });

  test('are those of SSL_CERT_FILE, or of GIT_SSL_CAINFO alone', () => {
    const environment = { SSL_CERT_FILE: file('USUAL'), NODE_EXTRA_CA_CERTS: file('EXTRA') };
    expect(gitAuthorities(environment)).toBe('USUAL\nEXTRA');
    expect(gitAuthorities({ ...environment, GIT_SSL_CAINFO: file('OWN') })).toBe('OWN');
  });

  test('that cannot be read are a fault of the environment', () => {
    expect(() => gitAuthorities({ SSL_CERT_FILE: '/nowhere' })).toThrow('because SSL_CERT_FILE names them, found none');
  });
});

test.each(['main', 'v1.4', 'refs/heads/main', 'feature/x_y', 'a+b', '0123456789'.repeat(4)])('%s is a ref', (text) => {
  expect(isGitRef(text)).toBe(true);
});

test.each([
  '-x',
  '--upload-pack=id',
  '',
  'a..b',
  'a b',
  'a:b',
  'a~1',
  'a^{}',
  'a@{1}',
  'a?',
  'a*',
  'a[',
  'a\\b',
  '/a',
  'a/',
  'a//b',
  'a.lock',
  'a/.b',
  'a.',
  '+a',
  'a\nb',
  'a'.repeat(201),
])('%j is no ref', (text) => {
  expect(isGitRef(text)).toBe(false);
});
