import { expect, test } from 'vitest';
import { binhostLocationFault } from '../../src/config/binhost-location.ts';

test.each([
  ['ssh', 'containers@mysuperbinhost.org/containers'],
  ['ssh', 'user@host:2222/path'],
  ['ssh', 'ssh://user@host/path'],
  ['ssh', 'user@host:path'],
  ['ssh', 'user@host//absolute'],
  ['ssh', 'host'],
  ['ssh', 'me@host/my dir'],
  ['ssh', 'me@build_host/containers'],
  ['ssh', '16843@storage.example.org/c'],
  ['ssh', 'jane@corp.example@host.example.org/c'],
  ['ssh', 'backup@host.example.org:~/binhost'],
  ['https', 'mysuperbinhost.org/containers'],
  ['https', 'host:8443/a/b'],
  ['http', 'build_host:8080/containers'],
  ['http', '[::1]:8080/a'],
  ['https', 'host.example.org./a'],
  ['https', 'host/~me/a%20b/ä'],
  ['file', '/srv/packages'],
  ['file', '/tmp/my shelf'],
  ['file', '~/shelf'],
  ['file', './Größe/~x/(1)'],
] as const)('a %s location %s is accepted', (type, text) => {
  expect(binhostLocationFault(type, text)).toBeUndefined();
});

test.each([
  ['ssh', '-oProxyCommand=id', '"-oProxyCommand=id"'],
  ['ssh', 'user@-host/path', '"-host"'],
  ['ssh', '-user@host/path', 'begins with "-"'],
  ['ssh', 'user@host:-path', '"-path"'],
  ['ssh', 'user@ho st/path', 'a blank in "ho st"'],
  ['ssh', 'user@host;id/path', 'the character ";" in "host;id"'],
  ['ssh', 'user@host/path ', 'a blank at its start or end'],
  ['https', 'user:secret@host/a', 'a user or a password before the host'],
  ['https', 'host/a?b', 'the character "?" in the path'],
  ['https', 'host/a b', 'a blank in the path'],
  ['https', 'ho st/a', 'a blank in the name of the host'],
  ['https', 'https://host/a', '"https://"'],
  ['https', 'host:70000/a', '"host:70000/a"'],
  ['https', '-host/a', 'the host "-host"'],
  ['https', 'bücher.example/a', 'the character "ü" in the name of the host'],
  ['file', '-rf', 'a "-" at its start'],
  ['file', '/srv/a\u0007b', 'the character "\\u0007"'],
  ['file', '~bob/shelf', '"~bob"'],
  ['file', '', 'nothing'],
] as const)('a %s location %j is refused for %s', (type, text, found) => {
  const fault = binhostLocationFault(type, text);
  expect(fault?.found).toContain(found);
  expect(JSON.stringify(fault)).not.toContain('secret');
});
