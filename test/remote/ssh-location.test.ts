import { describe, expect, test } from 'vitest';
import { parseSshLocation, shownLocation } from '../../src/remote/ssh-location.ts';

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
    'u@host/./a',
    'u@host/a//b',
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
    'u u@host/a',
    "u'@host/a",
    'u@@host/a',
    'u@[::1/a',
    'u@[not an address]/a',
    'ssh://u@host:a/b',
    'http://host/a',
    `u@${'h'.repeat(64)}/a`,
    `u@host/${'a'.repeat(1000)}`,
  ])('%j is refused', (text) => {
    expect(() => parseSshLocation(text)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }));
  });

  test('is shown without anything that a terminal would obey', () => {
    const shown = shownLocation({ user: 'u', host: '::1', port: 22, path: 'a' });
    expect(shown).toBe('ssh://u@[::1]:22/a');
    expect(() => parseSshLocation('u@host/\u001b[31m')).toThrow('\\u001b');
  });
});
