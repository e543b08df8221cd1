import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { parseSshLocation } from '../../src/model/ssh-location.ts';
import { systemSshArguments } from '../../src/remote/system-ssh.ts';

const home = userInfo().homedir;

describe("the system's ssh", () => {
  test('is asked for SFTP alone, with strict host keys and no questions', () => {
    const found = systemSshArguments(parseSshLocation('u@host:2222/p'), { home, terminal: false });
    expect(found.slice(found.indexOf('-l'))).toEqual(['-l', 'u', '-p', '2222', '-s', '--', 'host', 'sftp']);
    expect(found).toEqual(expect.arrayContaining(['-oBatchMode=yes', '-oStrictHostKeyChecking=yes']));
    expect(found.join(' ')).not.toContain('ProxyCommand');
  });

  test('may ask where there is a terminal', () => {
    expect(systemSshArguments(parseSshLocation('host'), { home, terminal: true })).toContain('-oBatchMode=no');
  });

  test('runs no command where the user did not ask for it', () => {
    const none = systemSshArguments(parseSshLocation('host'), { home, terminal: false, jumps: [] });
    expect(none).toEqual(expect.arrayContaining(['-oProxyCommand=none', '-oKnownHostsCommand=none']));
    const jumps = [parseSshLocation('a@one:2222'), parseSshLocation('two')];
    const through = systemSshArguments(parseSshLocation('host'), { home, terminal: false, jumps });
    expect(through).toContain('-oProxyJump=ssh://a@one:2222,ssh://two');
  });
});
