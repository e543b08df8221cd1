import { describe, expect, test } from 'vitest';
import { parseSshLocation, shownLocation } from '../../src/model/ssh-location.ts';

describe('a location over SSH', () => {
  test.each([
    ['containers@host.org/containers', { user: 'containers', host: 'host.org', port: undefined, path: 'containers' }],
    ['u@host.org:2222/a/b', { user: 'u', host: 'host.org', port: 2222, path: 'a/b' }],
    ['ssh://u@host.org:2222/a', { user: 'u', host: 'host.org', port: 2222, path: 'a' }],
    ['u@host.org:a/b', { user: 'u', host: 'host.org', port: undefined, path: 'a/b' }],
    ['u@host.org:/srv/a', { user: 'u', host: 'host.org', port: undefined, path: '/srv/a' }],
    ['u@host.org//srv/a/', { user: 'u', host: 'host.org', port: undefined, path: '/srv/a' }],
    ['u@host.org//', { user: 'u', host: 'host.org', port: undefined, path: '/' }],
    ['host', { user: undefined, host: 'host', port: undefined, path: '' }],
    ['my_alias:x', { user: undefined, host: 'my_alias', port: undefined, path: 'x' }],
    ['u@[2001:db8::1]:22/a', { user: 'u', host: '2001:db8::1', port: 22, path: 'a' }],
    ['u@host.org/./a//b/', { user: 'u', host: 'host.org', port: undefined, path: 'a/b' }],
    ['me@host/my dir', { user: 'me', host: 'host', port: undefined, path: 'my dir' }],
    ['16843@a.org/c', { user: '16843', host: 'a.org', port: undefined, path: 'c' }],
    ['jane@corp.org@a.org:22/c', { user: 'jane@corp.org', host: 'a.org', port: 22, path: 'c' }],
    ['CORP\\jane+x.y@a.org/c', { user: 'CORP\\jane+x.y', host: 'a.org', port: undefined, path: 'c' }],
    ['jane doe@a.org/c', { user: 'jane doe', host: 'a.org', port: undefined, path: 'c' }],
    ['u@a.org/p@th:x', { user: 'u', host: 'a.org', port: undefined, path: 'p@th:x' }],
    ['u@a.org:p@th', { user: 'u', host: 'a.org', port: undefined, path: 'p@th' }],
    ['a.org/p@th', { user: undefined, host: 'a.org', port: undefined, path: 'p@th' }],
    ['u@a_b.org./c', { user: 'u', host: 'a_b.org.', port: undefined, path: 'c' }],
    ['u@a.org:~/c', { user: 'u', host: 'a.org', port: undefined, path: 'c' }],
    ['u@a.org/~', { user: 'u', host: 'a.org', port: undefined, path: '' }],
    ['u@a.org//~x/c~', { user: 'u', host: 'a.org', port: undefined, path: '/~x/c~' }],
    ['u@[fe80::1%eth0]:22/a', { user: 'u', host: 'fe80::1%eth0', port: 22, path: 'a' }],
    ['ssh://u@[fe80::1%25eth0]/a', { user: 'u', host: 'fe80::1%eth0', port: undefined, path: 'a' }],
    ['u@[host.org]:22/a', { user: 'u', host: 'host.org', port: 22, path: 'a' }],
    ['ssh://jane%40corp.org@a.org/my%20dir', { user: 'jane@corp.org', host: 'a.org', port: undefined, path: 'my dir' }],
    ['u@a.org/100%', { user: 'u', host: 'a.org', port: undefined, path: '100%' }],
    ['host:22', { user: undefined, host: 'host', port: 22, path: '' }],
  ])('%s is understood', (text, location) => {
    expect(parseSshLocation(text)).toEqual(location);
  });

  test.each([
    '',
    '-oProxyCommand=x',
    '-oProxyCommand=x@host/a',
    'u@-oProxyCommand=x/a',
    '-u@host/a',
    'u@host/../a',
    'u@host/a/../b',
    'u@host/-rf',
    'u@host:-rf',
    'u@host:0/a',
    'u@host:65536/a',
    'u@host/a\nb',
    'u@host/a\u0000b',
    'u@ho\u0007st/a',
    'u@host/a\u202eb',
    'u@host/~root/a',
    'u@host;touch x/a',
    'u@$(touch x)/a',
    'u@host name/a',
    "u'@host/a",
    'u@[::1/a',
    'u@[not an address]/a',
    'u -x@host/a',
    'u\\@host/a',
    'ssh://u@host/%zz',
    'ssh://u@host/%2e%2e/a',
    'ssh://u@host/a%00b',
    'ssh://u%0ax@host/a',
    'ssh://-u@host/a',
    ' u@host/a',
    'ssh://u@host:a/b',
    'http://host/a',
    `u@${'h'.repeat(64)}/a`,
    `u@host/${'a'.repeat(1000)}`,
  ])('%j is refused', (text) => {
    expect(() => parseSshLocation(text)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }));
  });

  test.each([
    ['u@host/~root/a', '"~root"'],
    ['u@ho;st/a', 'the character ";" in "ho;st"'],
    ["it's@host/a", `the character "'" in it`],
    ['u@hö/a', 'the character "ö" in "hö"'],
    ['u@host/a/../b', 'the element ".."'],
    ['u@host/a/-rf', '"-rf"'],
  ])('%s is refused for %s', (text, found) => {
    expect(() => parseSshLocation(text)).toThrow(found);
  });

  test.each(['u:secret@host/a', 'ssh://u:secret@host/a'])('a password is not repeated: %s', (text) => {
    expect(() => parseSshLocation(text)).toThrow('an address without a password');
    expect(() => parseSshLocation(text)).not.toThrow('secret');
  });

  test('is shown without anything that a terminal would obey', () => {
    const shown = shownLocation({ user: 'u', host: '::1', port: 22, path: 'a' });
    expect(shown).toBe('ssh://u@[::1]:22/a');
    expect(() => parseSshLocation('u@host/\u001b[31m')).toThrow('\\u001b');
  });
});
