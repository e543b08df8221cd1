import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseSshLocation } from '../../src/model/ssh-location.ts';
import { readSshSettings, type SshSettings } from '../../src/remote/ssh-settings.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

interface Situation {
  readonly config?: string;
  readonly system?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly location?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

function settings(situation: Situation): SshSettings & { readonly home: string } {
  const { config = '', system = '', files = {}, location = 'host', environment = {} } = situation;
  const home = temporaryDirectory();
  const all = { '.ssh/config': config, 'etc/ssh_config': system, ...files };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text.replaceAll('HOME', home));
  }
  const options = { home, environment, systemConfig: join(home, 'etc/ssh_config') };
  return { ...readSshSettings(parseSshLocation(location), options), home };
}

describe('what ssh_config says of a host', () => {
  test('without any, the host is itself, the port 22, and the user the one who asks', () => {
    const { home, ...found } = settings({ location: 'Host.org/x' });
    expect(found).toEqual({
      ...{ named: 'Host.org', host: 'Host.org', port: 22, user: userInfo().username, knownAs: ['host.org'] },
      certificateFiles: [],
      hasToken: false,
      identityFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa', 'id_ed25519_sk', 'id_ecdsa_sk'].map((name) =>
        join(home, '.ssh', name),
      ),
      ...{ identitiesOnly: false, agent: undefined, jumps: [], undecided: false },
      knownHostsFiles: [
        join(home, '.ssh/known_hosts'),
        join(home, '.ssh/known_hosts2'),
        '/etc/ssh/ssh_known_hosts',
        '/etc/ssh/ssh_known_hosts2',
      ],
    });
  });

  test('the first value of an option counts, identity files add up', () => {
    const found = settings({
      config:
        'Host host\n  Port 2222\n  IdentityFile ~/one\nHost *\n  Port 3333\n  User many\n  IdentityFile "~/t w o"\n',
      system: 'Port 4444\nUser system\n',
    });
    expect(found).toMatchObject({ port: 2222, user: 'many', knownAs: ['[host]:2222', 'host'] });
    expect(found.identityFiles).toEqual([join(found.home, 'one'), join(found.home, 't w o')]);
  });

  test('the location is stronger than the file', () => {
    const found = settings({ config: 'Port 2222\nUser file\n', location: 'place@host:22/x' });
    expect(found).toMatchObject({ port: 22, user: 'place' });
  });

  test('an alias stands for a host name, with tokens', () => {
    const found = settings({
      config: `Host short\n HostName %h.example.org\n IdentityFile ~/%r/%h-%p-%n\n UserKnownHostsFile %d/kh \${KH}\n`,
      location: 'u@short',
      environment: { KH: '/k' },
    });
    expect(found.host).toBe('short.example.org');
    expect(found.identityFiles).toEqual([join(found.home, 'u/short.example.org-22-short')]);
    expect(found.knownHostsFiles.slice(0, 2)).toEqual([join(found.home, 'kh'), '/k']);
  });

  test('a path with a token that is not known is passed over', () => {
    const found = settings({ config: `IdentityFile ~/%Q\nIdentityFile \${NOT_SET}/key\nIdentityFile ~/right\n` });
    expect(found.identityFiles).toEqual([join(found.home, 'right')]);
  });

  test('patterns may be negated', () => {
    const config = 'Host *.org !bad.org\n  User good\nHost *\n  User other\n';
    expect(settings({ config, location: 'a.org' }).user).toBe('good');
    expect(settings({ config, location: 'bad.org' }).user).toBe('other');
  });

  test('Include is followed, with wildcards, below ~/.ssh, and inside Host only for that host', () => {
    const found = settings({
      config: 'Include conf.d/*.conf none.conf\nHost other\n  Include other.conf\nHost host\n  Include host.conf\n',
      files: {
        '.ssh/conf.d/a.conf': 'Host host\n  Port 2200\n',
        '.ssh/other.conf': 'User wrong\n',
        '.ssh/host.conf': 'User right\n',
      },
    });
    expect(found).toMatchObject({ port: 2200, user: 'right' });
  });

  test('a circle of Include ends', () => {
    expect(settings({ config: 'Include config\nUser me\n' }).user).toBe('me');
  });

  test('Match counts where it can be decided', () => {
    const config = [
      'Match host h*,g* user other',
      '  Port 1',
      'Match originalhost host !user other',
      '  Port 2',
      'Match all',
      '  Port 3',
    ].join('\n');
    expect(settings({ config, location: 'other@host' }).port).toBe(1);
    expect(settings({ config, location: 'me@host' }).port).toBe(2);
    expect(settings({ config, location: 'me@elsewhere' }).port).toBe(3);
  });

  test('Match exec is never run, does not count, and is told', () => {
    const found = settings({ config: 'Match exec "touch HOME/canary"\n  Port 1\nMatch all\n  Port 2\n' });
    expect(found).toMatchObject({ port: 2, undecided: true });
    expect(existsSync(join(found.home, 'canary'))).toBe(false);
  });

  test('Match exec behind a criterion that fails already leaves nothing open', () => {
    expect(settings({ config: 'Match host other exec "true"\n  Port 1\n' }).undecided).toBe(false);
  });

  test('ProxyCommand is an error that says so, unless it is none or comes after ProxyJump', () => {
    expect(() => settings({ config: 'ProxyCommand nc %h %p\n' })).toThrow('without ProxyCommand');
    expect(settings({ config: 'ProxyCommand none\n' }).jumps).toEqual([]);
    expect(settings({ config: 'ProxyJump a\nProxyCommand nc %h %p\n' }).jumps).toHaveLength(1);
    expect(settings({ config: 'Host other\n  ProxyCommand nc %h %p\n' }).jumps).toEqual([]);
  });

  test('ProxyJump names one host or several', () => {
    const found = settings({ config: 'ProxyJump a@one:22,ssh://two:2222\n' });
    expect(found.jumps).toMatchObject([
      { user: 'a', host: 'one', port: 22 },
      { user: undefined, host: 'two', port: 2222 },
    ]);
    expect(settings({ config: 'ProxyJump none\n' }).jumps).toEqual([]);
    expect(() => settings({ config: 'ProxyJump -oProxyCommand=x\n' })).toThrow('expected');
  });

  test('the agent is that of the environment, unless the file names another or none', () => {
    const environment = { SSH_AUTH_SOCK: '/run/agent', OTHER: '/run/other' };
    expect(settings({ environment }).agent).toBe('/run/agent');
    expect(settings({ environment, config: 'IdentityAgent none\n' }).agent).toBeUndefined();
    expect(settings({ environment, config: 'IdentityAgent $OTHER\n' }).agent).toBe('/run/other');
    const { agent, home } = settings({ environment, config: 'IdentityAgent ~/agent.sock\nIdentitiesOnly yes\n' });
    expect(agent).toBe(join(home, 'agent.sock'));
  });

  test('a relative path, which would lie in the project, names no agent, no key and no known hosts', () => {
    const config = 'IdentityAgent agent.sock\nIdentityFile keys/own\nUserKnownHostsFile known ./known2\n';
    const found = settings({ config });
    expect(found).toMatchObject({ agent: undefined, identityFiles: [] });
    expect(found.knownHostsFiles.every((path) => path.startsWith('/etc/'))).toBe(true);
    for (const SSH_AUTH_SOCK of ['', 'agent', './agent']) {
      const environment = { SSH_AUTH_SOCK, OTHER: SSH_AUTH_SOCK };
      expect(settings({ environment }).agent).toBeUndefined();
      expect(settings({ environment, config: 'IdentityAgent $OTHER\n' }).agent).toBeUndefined();
    }
  });

  test('without a home only the configuration of the system counts', () => {
    const location = parseSshLocation('me@host');
    const found = readSshSettings(location, { environment: {}, home: undefined, systemConfig: '/nonexistent' });
    expect(found.identityFiles).toEqual([]);
    expect(found.knownHostsFiles).toEqual(['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']);
  });

  test('HostKeyAlias is the name in known_hosts', () => {
    expect(settings({ config: 'HostKeyAlias alias\nPort 2222\n' }).knownAs).toEqual(['alias']);
  });

  test.each(['User 16843', 'User "a b"', 'User jane@corp.example', 'User CORP\\jane'])('%s counts', (line) => {
    expect(settings({ config: `${line}\n` }).user).toBe(line.slice('User '.length).replaceAll('"', ''));
  });

  test.each(['HostName -oProxyCommand=x', 'HostName a;b', 'User -x', 'User "a;b"', 'Port 0', 'Port x'])(
    '%s is refused',
    (line) => {
      expect(() => settings({ config: `${line}\n` })).toThrow(
        expect.objectContaining({ code: 'configuration-invalid' }),
      );
    },
  );
});
