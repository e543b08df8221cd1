import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe as describeAlways, expect, onTestFinished } from 'vitest';
import { openSshPlace, type SshPlaceLocation, type SshPlaceOptions } from '../../src/remote/open-ssh-place.ts';
import { type DelayingProxy, startDelayingProxy } from '../support/delaying-proxy.ts';
import { filesBelow } from '../support/place-files.ts';
import { requires } from '../support/requires.ts';
import { makeKey, type Sshd, serverAccount, startSshd } from '../support/sshd.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { contentOf } from './remote-place.suite.ts';

const { test, describe } = requires('sshd', 'ssh', 'ssh-keygen', 'ssh-agent', 'ssh-add');

function open(
  { at, home }: Pick<Sshd, 'at' | 'home'>,
  options: Partial<SshPlaceOptions & SshPlaceLocation> = {},
): ReturnType<typeof openSshPlace> {
  const { driver, timeoutMs, path = `${at}/p`, ...rest } = options;
  const place = openSshPlace(
    { path, driver, timeoutMs },
    { environment: { PATH: process.env.PATH }, home, systemConfig: '/dev/null', ...rest },
  );
  onTestFinished(() => place.close());
  return place;
}

function write(home: string, path: string, text: string): void {
  mkdirSync(join(home, '.ssh'), { recursive: true });
  writeFileSync(join(home, '.ssh', path), text, { mode: 0o600 });
}

/** The server behind a proxy, whose port known_hosts has too. */
async function proxied(sshd: Sshd, delayMs = 0): Promise<DelayingProxy & Pick<Sshd, 'at' | 'home'>> {
  const proxy = await startDelayingProxy(sshd.port, delayMs);
  write(sshd.home, 'known_hosts', `[127.0.0.1]:${proxy.port} ${sshd.hostKey}\n`);
  return Object.assign(proxy, { at: sshd.at.replace(/\d+$/, String(proxy.port)), home: sshd.home });
}

describe('the host key', () => {
  test('one that nobody knows is refused, with its fingerprint and what to do', async () => {
    const sshd = await startSshd();
    write(sshd.home, 'known_hosts', '');
    await expect(open(sshd).list('.incoming')).rejects.toMatchObject({
      code: 'authentication-failed',
      message: expect.stringContaining('SHA256:'),
      hint: expect.stringContaining(`ssh-keyscan -p ${sshd.port} 127.0.0.1`),
    });
  });

  test('a changed one is refused with file and line', async () => {
    const sshd = await startSshd();
    const other = join(temporaryDirectory(), 'key');
    makeKey(other);
    write(sshd.home, 'known_hosts', `# old\n[127.0.0.1]:${sshd.port} ${readFileSync(`${other}.pub`, 'utf8')}`);
    await expect(open(sshd).list('x')).rejects.toMatchObject({
      code: 'authentication-failed',
      message: expect.stringContaining('known_hosts:2'),
    });
  });

  test('a revoked one is refused', async () => {
    const sshd = await startSshd();
    write(sshd.home, 'known_hosts', `${sshd.hostLine}\n@revoked * ${sshd.hostKey}\n`);
    await expect(open(sshd).list('x')).rejects.toMatchObject({
      code: 'authentication-failed',
      message: expect.stringContaining('revokes'),
    });
  });

  test('a hashed line and one of the alias are found', async () => {
    const sshd = await startSshd();
    execFileSync('ssh-keygen', ['-q', '-H', '-f', join(sshd.home, '.ssh/known_hosts')], { stdio: 'ignore' });
    expect(await open(sshd).list('x')).toEqual([]);
    write(sshd.home, 'known_hosts', `alias ${sshd.hostKey}\n`);
    write(sshd.home, 'config', `Host short\n  HostName 127.0.0.1\n  Port ${sshd.port}\n  HostKeyAlias alias\n`);
    const user = serverAccount().name;
    expect(await open(sshd, { path: `${user}@short:p` }).list('x')).toEqual([]);
  });

  test("is known by the same lines that the system's ssh knows it by", async () => {
    const sshd = await startSshd();
    const file = join(temporaryDirectory(), 'other');
    makeKey(file);
    const own = sshd.hostKey;
    const other = readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
    const withPort = `[127.0.0.1]:${sshd.port}`;
    const knownHosts = join(sshd.home, '.ssh/known_hosts');
    const hashed = (text: string) => {
      writeFileSync(knownHosts, text);
      execFileSync('ssh-keygen', ['-q', '-H', '-f', knownHosts], { stdio: 'ignore' });
      return readFileSync(knownHosts, 'utf8');
    };
    const files = [
      `${withPort} ${own}`,
      `127.0.0.1 ${own}`,
      `127.0.0.1 ${other}`,
      `${withPort} ${other}\n127.0.0.1 ${own}`,
      `${withPort} ${own}\n127.0.0.1 ${other}`,
      hashed(`127.0.0.1 ${own}\n`),
      hashed(`127.0.0.1 ${other}\n`),
      `10.0.0.1,127.0.*,!127.0.0.2 ${own} words`,
      `*,!127.0.0.1 ${own}`,
      `[127.0.0.?]:* ${own}\r`,
      `* ${other}\n127.0.0.1 ${own}`,
      `127.0.0.1 ${own}\n@revoked 127.0.0.1 ${own}`,
      `${withPort} ${own}\n@revoked * ${own}`,
      `${withPort} ${other.slice(0, -8)}\n\t127.0.0.1\t \t${own}`,
      `@unheard-of 127.0.0.1 ${own}`,
    ];
    for (const text of files) {
      write(sshd.home, 'known_hosts', `${text}\n`);
      const ssh = spawnSync('ssh', [
        ...['-F', '/dev/null', '-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'GlobalKnownHostsFile=/dev/null'],
        ...['-o', 'StrictHostKeyChecking=yes', '-o', 'BatchMode=yes', '-i', join(sshd.home, '.ssh/id_ed25519')],
        ...['-p', String(sshd.port), '-l', serverAccount().name, '-s', '127.0.0.1', 'sftp'],
      ]);
      const asked = await open(sshd)
        .list('x')
        .then(
          () => 'known',
          () => 'refused',
        );
      expect([text, asked]).toEqual([text, ssh.status === 0 ? 'known' : 'refused']);
    }
  });

  test('a server with several keys shows the one that is known', async () => {
    const rsa = join(temporaryDirectory(), 'rsa');
    execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-N', '', '-f', rsa]);
    const sshd = await startSshd({ config: [`HostKey ${rsa}`] });
    write(sshd.home, 'known_hosts', `[127.0.0.1]:${sshd.port} ${readFileSync(`${rsa}.pub`, 'utf8')}`);
    expect(await open(sshd).list('x')).toEqual([]);
  });

  test("one that only a certificate authority vouches for is left to the system's ssh", async () => {
    const directory = temporaryDirectory();
    makeKey(join(directory, 'authority'));
    makeKey(join(directory, 'host'));
    const sign = ['-q', '-s', join(directory, 'authority'), '-h', '-I', 'host', '-n', '127.0.0.1'];
    execFileSync('ssh-keygen', [...sign, join(directory, 'host.pub')]);
    const sshd = await startSshd({
      config: [`HostKey ${join(directory, 'host')}`, `HostCertificate ${join(directory, 'host-cert.pub')}`],
    });
    const authority = readFileSync(join(directory, 'authority.pub'), 'utf8');
    write(sshd.home, 'known_hosts', `@cert-authority * ${authority}`);
    const notices: string[] = [];
    const place = open(sshd, { onNotice: (text) => notices.push(text) });
    expect(await place.create('a', Buffer.from('x'))).toBe(true);
    expect(notices).toEqual([expect.stringContaining("the system's ssh is used instead")]);
  });

  test.each(['builtin', 'system'] as const)('is checked whatever the configuration says (%s)', async (driver) => {
    const sshd = await startSshd();
    write(sshd.home, 'known_hosts', '');
    write(sshd.home, 'config', 'StrictHostKeyChecking no\n');
    await expect(open(sshd, { driver }).list('x')).rejects.toMatchObject({ code: 'authentication-failed' });
  });
});

describe('logging in', () => {
  async function startAgent(): Promise<string> {
    const socket = join(temporaryDirectory(), 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    onTestFinished(() => {
      agent.kill();
    });
    while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 20));
    return socket;
  }

  test('by a key of the agent', async () => {
    const sshd = await startSshd();
    const socket = await startAgent();
    execFileSync('ssh-add', ['-q', join(sshd.home, '.ssh/id_ed25519')], { env: { SSH_AUTH_SOCK: socket } });
    rmSync(join(sshd.home, '.ssh/id_ed25519'));
    const environment = { PATH: process.env.PATH, SSH_AUTH_SOCK: socket };
    expect(await open(sshd, { environment }).list('x')).toEqual([]);
  });

  test('the right key of an agent that has many is offered first', async () => {
    const sshd = await startSshd({ config: ['MaxAuthTries 2'] });
    const socket = await startAgent();
    const env = { SSH_AUTH_SOCK: socket };
    for (const name of ['a', 'b', 'c', 'd']) {
      const path = join(temporaryDirectory(), name);
      makeKey(path);
      execFileSync('ssh-add', ['-q', path], { env });
    }
    execFileSync('ssh-add', ['-q', join(sshd.home, '.ssh/id_ed25519')], { env });
    rmSync(join(sshd.home, '.ssh/id_ed25519'));
    const environment = { PATH: process.env.PATH, ...env };
    expect(await open(sshd, { environment }).list('x')).toEqual([]);
  });

  test('an agent that is not there is no reason to give up', async () => {
    const sshd = await startSshd();
    const environment = { PATH: process.env.PATH, SSH_AUTH_SOCK: '/nonexistent/agent' };
    expect(await open(sshd, { environment }).list('x')).toEqual([]);
  });

  /** A server that takes keys that an authority signed, and the certificate of the key in `home`. */
  async function startSshdWithAuthority(): Promise<Sshd> {
    const authority = join(temporaryDirectory(), 'authority');
    makeKey(authority);
    const sshd = await startSshd({ config: [`TrustedUserCAKeys ${authority}.pub`, 'AuthorizedKeysFile none'] });
    const key = join(sshd.home, '.ssh/id_ed25519.pub');
    execFileSync('ssh-keygen', ['-q', '-s', authority, '-I', 'test', '-n', serverAccount().name, key]);
    return sshd;
  }

  test("by a certificate is left to the system's ssh, wherever the certificate is", async () => {
    const sshd = await startSshdWithAuthority();
    const at = (name: string) => join(sshd.home, '.ssh', name);
    const log = async (options: Partial<SshPlaceOptions> = {}) => {
      const notices: string[] = [];
      await open(sshd, { ...options, onNotice: (text) => notices.push(text) }).list('x');
      return notices.join('\n');
    };
    expect(await log()).toMatch(/id_ed25519 were refused, and the certificate .*-cert.pub .*system's ssh is used/);

    renameSync(at('id_ed25519-cert.pub'), at('elsewhere.pub'));
    await expect(open(sshd).list('x')).rejects.toMatchObject({
      code: 'authentication-failed',
      hint: expect.stringMatching(`ssh -v -p ${sshd.port} ${sshd.at.split(':')[0]}" .*"driver: system"`),
    });
    write(sshd.home, 'config', `CertificateFile ${at('elsewhere.pub')}\n`);
    expect(await log()).toContain('elsewhere.pub');

    write(sshd.home, 'config', '');
    renameSync(at('elsewhere.pub'), at('id_ed25519-cert.pub'));
    const environment = { PATH: process.env.PATH, SSH_AUTH_SOCK: await startAgent() };
    execFileSync('ssh-add', ['-q', at('id_ed25519')], { env: environment });
    for (const name of ['id_ed25519', 'id_ed25519.pub', 'id_ed25519-cert.pub']) rmSync(at(name));
    expect(await log({ environment })).toContain('a certificate of the agent');
  });

  test("by a security key is left to the system's ssh, and never asked for here", async () => {
    const sshd = await startSshd();
    renameSync(join(sshd.home, '.ssh/id_ed25519'), join(sshd.home, '.ssh/id_ed25519_sk'));
    write(sshd.home, 'id_ed25519_sk.pub', 'sk-ssh-ed25519@openssh.com AAAA test\n');
    const questions: string[] = [];
    const ask = async (question: string) => `${questions.push(question)}`;
    const notices: string[] = [];
    // The key is a plain one, so the system's ssh gets in.
    await open(sshd, { ask, onNotice: (text) => notices.push(text) }).list('x');
    expect(notices.join()).toMatch(/no key to offer, and the security key .*id_ed25519_sk/);
    expect(questions).toEqual([]);
  });

  test('without a key it fails, and says so', async () => {
    const sshd = await startSshd();
    rmSync(join(sshd.home, '.ssh/id_ed25519'));
    await expect(open(sshd).list('x')).rejects.toMatchObject({
      code: 'authentication-failed',
      message: expect.stringContaining('no key to offer'),
    });
  });

  test('a key that the host does not take is named', async () => {
    const sshd = await startSshd();
    makeKey(join(sshd.home, '.ssh/other'));
    renameSync(join(sshd.home, '.ssh/other'), join(sshd.home, '.ssh/id_ed25519'));
    rmSync(join(sshd.home, '.ssh/id_ed25519.pub'));
    await expect(open(sshd).list('x')).rejects.toMatchObject({
      code: 'authentication-failed',
      message: expect.stringContaining('id_ed25519'),
    });
  });

  test('a passphrase is asked for once, and never without a terminal', async () => {
    const sshd = await startSshd();
    const key = join(sshd.home, '.ssh/id_ed25519');
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', key], { stdio: 'ignore' });
    await expect(open(sshd).list('x')).rejects.toMatchObject({
      code: 'authentication-failed',
      details: [expect.stringContaining('passphrase')],
    });
    const proxy = await proxied(sshd);
    const questions: string[] = [];
    const place = open(proxy, {
      ask: async (question) => {
        questions.push(question);
        return 'open sesame';
      },
    });
    expect(await place.list('x')).toEqual([]);
    proxy.cutAfter(1);
    expect(await place.list('x')).toEqual([]);
    expect(proxy.connections).toBe(2);
    expect(questions).toEqual([expect.stringContaining('id_ed25519')]);
  });

  test('a password is never asked for without a terminal', async () => {
    const sshd = await startSshd({ config: ['PasswordAuthentication yes'] });
    rmSync(join(sshd.home, '.ssh/id_ed25519'));
    await expect(open(sshd).list('x')).rejects.toMatchObject({ code: 'authentication-failed' });
    await expect(open(sshd, { driver: 'system' }).list('x')).rejects.toMatchObject({ code: 'authentication-failed' });
  });
});

describe('the user configuration', () => {
  test('ProxyCommand is never run, and the user is told', async () => {
    const sshd = await startSshd();
    const canary = join(temporaryDirectory(), 'canary');
    write(sshd.home, 'config', `Host *\n  ProxyCommand sh -c "touch ${canary}; nc %h %p"\n`);
    await expect(open(sshd).list('x')).rejects.toMatchObject({
      code: 'configuration-invalid',
      hint: expect.stringContaining('driver: system'),
    });
    expect(existsSync(canary)).toBe(false);
  });

  test("a command of Match exec is not run, even where the system's ssh would be needed", async () => {
    const sshd = await startSshd({ config: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'] });
    const canary = join(temporaryDirectory(), 'canary');
    write(sshd.home, 'config', `Match exec "touch ${canary}"\n  User x\n`);
    await expect(open(sshd).list('x')).rejects.toMatchObject({ hint: expect.stringContaining('Match exec') });
    expect(existsSync(canary)).toBe(false);
  });

  test("a key exchange that is not built in is left to the system's ssh, with a notice", async () => {
    const sshd = await startSshd({ config: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'] });
    const notices: string[] = [];
    const place = open(sshd, { onNotice: (text) => notices.push(text) });
    await place.put('a/b', contentOf(Buffer.from('x')));
    expect(filesBelow(join(sshd.directory, 'p')).read('a/b').toString()).toBe('x');
    expect(notices).toEqual([expect.stringContaining('no matching key exchange')]);
  });

  test('ProxyJump goes through other hosts, each checked by its own key', async () => {
    const sshd = await startSshd();
    const jump = await startSshd({ home: sshd.home, forwarding: true });
    const second = await startSshd({ home: sshd.home, forwarding: true });
    const user = serverAccount().name;
    write(
      sshd.home,
      'config',
      `Host inner\n  HostName 127.0.0.1\n  Port ${sshd.port}\n  ProxyJump ${jump.at},${second.at}\n`,
    );
    const place = open(sshd, { path: `${user}@inner:p` });
    await place.put('a/b', contentOf(Buffer.from('x')));
    expect(filesBelow(join(sshd.directory, 'p')).read('a/b').toString()).toBe('x');
    await place.close();
    const known = readFileSync(join(sshd.home, '.ssh/known_hosts'), 'utf8');
    write(sshd.home, 'known_hosts', known.replace(`${second.hostLine}\n`, ''));
    await expect(open(sshd, { path: `${user}@inner:p` }).list('x')).rejects.toMatchObject({
      code: 'authentication-failed',
      message: expect.stringContaining(`[127.0.0.1]:${second.port}`),
    });
  });

  test('a circle of ProxyJump ends', async () => {
    const home = temporaryDirectory();
    write(home, 'config', 'Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n');
    await expect(open({ at: 'a', home }).list('x')).rejects.toMatchObject({ code: 'configuration-invalid' });
  });
});

describe('a connection that breaks', () => {
  test('in the middle of a put is made again, and the put goes on from there', async () => {
    const sshd = await startSshd();
    const proxy = await proxied(sshd);
    const bytes = randomBytes(60_000_000);
    const place = open(proxy);
    const begun: number[] = [];
    const content = contentOf(bytes);
    proxy.cutAfter(50_000_000);
    await place.put('blobs/x', {
      ...content,
      from: (offset) => {
        begun.push(offset);
        return content.from(offset);
      },
    });
    expect(filesBelow(join(sshd.directory, 'p')).read('blobs/x').equals(bytes)).toBe(true);
    expect(begun).toHaveLength(2);
    expect(begun[1]).toBeGreaterThan(20_000_000);
    expect(proxy.sent).toBeLessThan(100_000_000);
  });

  test('far away, with content under way in several sessions, loses nothing either', async () => {
    const sshd = await startSshd();
    const proxy = await proxied(sshd, 15);
    const bytes = randomBytes(60_000_000);
    const place = open(proxy);
    const content = contentOf(bytes);
    const begun: number[] = [];
    proxy.cutAfter(45_000_000);
    await place.put('blobs/x', {
      ...content,
      from: (offset) => {
        begun.push(offset);
        return content.from(offset);
      },
    });
    expect(filesBelow(join(sshd.directory, 'p')).read('blobs/x').equals(bytes)).toBe(true);
    expect(begun).toHaveLength(2);
    expect(begun[1]).toBeGreaterThan(10_000_000);
  });

  test.each([false, true])(
    'anywhere in a create leaves one winner, who knows it (delivered: %s)',
    async (delivered) => {
      const sshd = await startSshd();
      const proxy = await proxied(sshd);
      const place = open(proxy);
      const files = filesBelow(join(sshd.directory, 'p'));
      expect(await place.create('gen/first', Buffer.from('x'))).toBe(true);
      for (let point = 1; point <= 24; point += 1) {
        proxy.cutAfter(point * 45, { delivered });
        expect(await place.create(`gen/${point}`, Buffer.from(`${point}`))).toBe(true);
        expect(files.read(`gen/${point}`).toString()).toBe(String(point));
      }
      expect(proxy.connections).toBeGreaterThan(10);
    },
  );

  test.each([false, true])(
    'anywhere in a put and a replace leaves the file whole (delivered: %s)',
    async (delivered) => {
      const sshd = await startSshd();
      const proxy = await proxied(sshd);
      const place = open(proxy);
      const files = filesBelow(join(sshd.directory, 'p'));
      await place.put('b/first', contentOf(Buffer.from('x')));
      for (let point = 1; point <= 16; point += 1) {
        proxy.cutAfter(point * 60, { delivered });
        await place.put(`b/${point}`, contentOf(Buffer.from(`put ${point}`)));
        await place.replace('current', Buffer.from(`replaced ${point}`));
        expect(files.read(`b/${point}`).toString()).toBe(`put ${point}`);
        expect(files.read('current').toString()).toBe(`replaced ${point}`);
      }
    },
  );

  test('for good is given up after a few tries', async () => {
    const sshd = await startSshd();
    const place = open(sshd);
    expect(await place.list('x')).toEqual([]);
    await sshd.stop();
    await expect(place.stat('x')).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a server that is no good', () => {
  test('and down costs one try for the whole run', async () => {
    const sshd = await startSshd();
    const proxy = await proxied(sshd);
    await sshd.stop();
    const place = open(proxy);
    const first = await place.list('x').catch((error: unknown) => error);
    expect(first).toMatchObject({ code: 'unreachable' });
    await expect(place.stat('y')).rejects.toBe(first);
    expect(proxy.connections).toBe(1);
  });

  test('and sends a byte now and then is left when the time is over', async () => {
    const server = createServer((socket) => {
      const timer = setInterval(() => socket.write('x'), 100);
      socket.on('close', () => clearInterval(timer)).on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const place = open({ at: `u@127.0.0.1:${port}`, home: temporaryDirectory() }, { timeoutMs: 500 });
    await expect(place.list('x')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('no answer in time'),
    });
  });

  test('and falls silent is left when the time is over', async () => {
    const sshd = await startSshd();
    const proxy = await proxied(sshd);
    const place = open(proxy, { idleMs: 300, timeoutMs: 300 });
    expect(await place.list('x')).toEqual([]);
    proxy.stall();
    const begin = performance.now();
    await expect(place.stat('y')).rejects.toMatchObject({ code: 'unreachable' });
    expect(performance.now() - begin).toBeLessThan(14_000);
  });

  test('and speaks something else is told', async () => {
    const server = createServer((socket) => {
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n').on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const place = open({ at: `u@127.0.0.1:${port}`, home: temporaryDirectory() });
    await expect(place.list('x')).rejects.toMatchObject({ code: 'unreachable' });
  });

  test.each(['builtin', 'system'] as const)('and has no SFTP is told (%s)', async (driver) => {
    const sshd = await startSshd({ config: ['ForceCommand echo This account is for mail only'] });
    await expect(open(sshd, { driver }).list('x')).rejects.toMatchObject({
      code: expect.stringMatching(/unreachable/),
    });
  });

  test('and lets nobody write says so', async () => {
    const sshd = await startSshd();
    const files = filesBelow(sshd.directory, serverAccount());
    files.write('p/blobs/x', '');
    files.chmod('p', 0o555);
    await expect(open(sshd).put('blobs/y', contentOf(Buffer.from('y')))).rejects.toMatchObject({
      code: 'cannot-write',
      message: expect.stringContaining('"Permission denied"'),
    });
    chmodSync(join(sshd.directory, 'p'), 0o755);
  });
});

describe('a directory that cannot be made', () => {
  test.each(['builtin', 'system'] as const)('is named with what the server says (%s)', async (driver) => {
    const sshd = await startSshd();
    const files = filesBelow(sshd.directory, serverAccount());
    files.write('ro/x', '');
    files.write('file', '');
    files.write('p/x', '');
    files.chmod('ro', 0o555);
    files.chmod('p', 0o555);
    const refusals = [
      ['ro/c', 'ro/c', '"Permission denied"'],
      ['ro/c/d/e', 'ro/c', '"Permission denied"'],
      ['file/c', 'file', 'a file where a directory belongs'],
      ['p', 'p/.incoming', '"Permission denied"'],
    ] as const;
    for (const [path, directory, found] of refusals) {
      await expect(
        open(sshd, { path: `${sshd.at}/${path}`, driver }).create('x', Buffer.from('x')),
      ).rejects.toMatchObject({
        code: 'cannot-write',
        message: `Cannot create "ssh://${sshd.at}/${directory}": expected a directory that this user may make, found ${found}`,
      });
    }
    const place = open(sshd, { path: `ssh://${sshd.at}/my%20shelf/~x/y@z`, driver });
    expect(await place.create('a', Buffer.from('a'))).toBe(true);
    expect(existsSync(join(sshd.directory, 'my shelf/~x/y@z/a'))).toBe(true);
    chmodSync(join(sshd.directory, 'ro'), 0o755);
    chmodSync(join(sshd.directory, 'p'), 0o755);
  });
});

requires('sshd', 'root', 'mount').describe('a full file system', () => {
  test('is told as such', async () => {
    const sshd = await startSshd();
    const small = join(sshd.directory, 'p');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=777', 'none', small]);
    onTestFinished(() => {
      execFileSync('umount', ['-l', small]);
    });
    const place = open(sshd);
    await place.put('blobs/x', contentOf(Buffer.from('x')));
    await expect(place.put('blobs/y', contentOf(randomBytes(8_000_000)))).rejects.toMatchObject({
      code: 'cannot-write',
      message: expect.stringContaining('no free space'),
    });
    expect(filesBelow(small).list('blobs')).toEqual(['x']);
    expect(filesBelow(small).list('.incoming')).toEqual([]);
  });
});

describe('a run that is interrupted', () => {
  test('does not wait for a host that does not answer', async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const at = `u@127.0.0.1:${(server.address() as AddressInfo).port}`;
    const stop = new AbortController();
    const listing = open({ at, home: temporaryDirectory() }, { signal: stop.signal }).list('x');
    setTimeout(() => stop.abort(), 100);
    await expect(listing).rejects.toMatchObject({ code: 'interrupted' });
  });

  test('ends what is under way', async () => {
    const sshd = await startSshd();
    const stop = new AbortController();
    const place = open(sshd, { signal: stop.signal });
    expect(await place.list('x')).toEqual([]);
    const content = contentOf(randomBytes(1000));
    const put = place.put('x', {
      ...content,
      from: async function* () {
        yield Buffer.from('a');
        stop.abort();
        await new Promise((resolve) => setTimeout(resolve, 50));
        yield Buffer.from('b');
      },
    });
    await expect(put).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describeAlways('a location that could be more than a place', () => {
  test.each([`-oProxyCommand=touch\${IFS}canary@host/x`, '-F/tmp/x', 'u@-oProxyCommand=x:y'])(
    '%s is refused',
    (path) => {
      expect(() => openSshPlace({ path }, { environment: {}, home: '/nonexistent' })).toThrow(
        expect.objectContaining({ code: 'configuration-invalid' }),
      );
    },
  );
});
