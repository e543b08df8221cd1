import { describe, expect, test } from 'vitest';
import { classifyLocation } from '../../src/discover/classify-location.ts';
import { failureOf } from './failure-of.ts';

describe('a location', () => {
  test.each([
    ['github.com/sysadmin42/containers', 'https://github.com/sysadmin42/containers.git'],
    ['https://github.com/sysadmin42/containers', 'https://github.com/sysadmin42/containers.git'],
    ['github.com/sysadmin42/containers.git/', 'https://github.com/sysadmin42/containers.git'],
    ['www.GitHub.com/sysadmin42/containers', 'https://github.com/sysadmin42/containers.git'],
    ['gitlab.com/group/sub/project', 'https://gitlab.com/group/sub/project.git'],
    ['codeberg.org/user/repo', 'https://codeberg.org/user/repo.git'],
    ['bitbucket.org/team/repo', 'https://bitbucket.org/team/repo.git'],
    ['git.sr.ht/~user/repo', 'https://git.sr.ht/~user/repo'],
    ['example.org/repo.git', 'https://example.org/repo.git'],
    ['git+https://example.org:8443/repo', 'https://example.org:8443/repo'],
    ['git+http://127.0.0.1:8080/repo', 'http://127.0.0.1:8080/repo'],
  ])('%s is a git repository', (text, url) => {
    expect(classifyLocation(text)).toEqual({ kind: 'git', url });
  });

  test.each([
    ['mysuperbinhost.org', 'https', 'mysuperbinhost.org', ''],
    ['mysuperbinhost.org/containers/', 'https', 'mysuperbinhost.org', 'containers'],
    ['https://MySuperBinhost.org/a/b', 'https', 'mysuperbinhost.org', 'a/b'],
    ['localhost:8443/x', 'https', 'localhost:8443', 'x'],
    ['http://localhost/x', 'http', 'localhost', 'x'],
    ['http://[::1]:8080', 'http', '[::1]:8080', ''],
  ])('%s is a place on the web', (text, scheme, host, path) => {
    expect(classifyLocation(text)).toEqual({ kind: 'web', scheme, host, path });
  });

  test.each(['/srv/containers', './x', '../x', '.', '..', 'team', 'team/containers'])('%s is a path', (text) => {
    expect(classifyLocation(text)).toEqual({ kind: 'path', path: text });
  });

  test.each([
    ['ext::sh -c id', /spaces or odd characters/],
    ['ext::id', /the scheme "ext:"/],
    ['file:///etc/passwd', /the scheme "file:"/],
    ['git://example.org/x', /the scheme "git:"/],
    ['ssh://example.org/x', /the scheme "ssh:"/],
    ['git+ssh://example.org/x', /the scheme "git\+ssh:"/],
    ['git+ext::id', /the scheme "git\+ext:"/],
    ['ftp://example.org/x', /the scheme "ftp:"/],
    ['data:text\u002fhtml,x', /the scheme "data:"/],
    ['http://example.org/x', /plain http to another machine/],
    ['http://127.0.0.1.example.org/', /plain http to another machine/],
    ['git+http://example.org/x', /plain http to another machine/],
    ['git@github.com:user/repo', /a user or a password/],
    ['https://me:s3cret@example.org/x', /a user or a password/],
    ['https://example.org/x?token=s3cret', /a query or a fragment/],
    ['https:example.org', /no host/],
    ['https:///x', /no host/],
    ['-oProxyCommand=id.org/x', /no name of a host/],
    ['https://exa+mple.org', /no name of a host/],
    ['example.org/../x', /a path with odd elements/],
    ['example.org//x', /a path with odd elements/],
    ['example.org/%2e%2e', /a path with odd elements/],
    ['github.com/user', /another path/],
    ['github.com/user/repo/tree/main', /another path/],
    ['git.sr.ht/user/repo', /another path/],
    ['example.org/\u202ex', /spaces or odd characters/],
    ['', /0 characters/],
    [`example.org/${'x'.repeat(1000)}`, /1012 characters/],
  ])('%j is refused by name', (text, found) => {
    const error = failureOf(() => classifyLocation(text));
    expect(error.code).toBe('usage');
    expect(error.message).toMatch(found);
    expect(error.message + error.hint).not.toContain('s3cret');
  });

  test('on a forge that names no repository is refused with the form of one', () => {
    expect(failureOf(() => classifyLocation('codeberg.org/user')).hint).toBe(
      'a repository there is codeberg.org/USER/REPOSITORY',
    );
  });
});
