import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import type { ServerCheck } from '../../src/model/test-definition.ts';
import { requires } from '../support/requires.ts';
import { POSITION, runOn, testOf } from './open-test-harness.ts';

const needs = requires('bwrap', 'user namespaces');

/** A server of HTTP in perl without modules: answers 403 and the path that was asked for. */
function perlServer(port: number, { before = '' } = {}): readonly string[] {
  const address = `pack("S n N x8", 2, ${port}, 0x7f000001)`;
  const serve = [
    `socket(S, 2, 1, 0) or die "socket: $!"; setsockopt(S, 1, 2, 1); bind(S, ${address}) or die "bind: $!"; listen(S, 5);`,
    before,
    'while (accept(C, S)) { my $asked = <C>; while (<C>) { last if /^\\r?$/ }',
    'syswrite(C, "HTTP/1.1 403 Forbidden\\r\\nConnection: close\\r\\n\\r\\nno to $asked"); close C }',
  ].join(' ');
  return ['perl', '-e', serve];
}

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    });
}

needs.describe('tests of a package', () => {
  test('pass where everything is as expected', async () => {
    const { failures, events } = await runOn(
      {},
      testOf('echo out; echo err >&2; exit 3', { stdout: 'out', stderr: 'err', exitCode: 3 }),
      testOf('', { action: { kind: 'run', command: ['/usr/bin/cat'] }, stdin: 'from stdin', stdout: 'from stdin' }),
      testOf('', { action: { kind: 'run', command: ['cat', '/etc/own'] }, stdout: 'own' }),
      testOf('echo "$GREETING"; echo "$HOME"', { environment: { GREETING: "it's $me" }, stdout: "it's $me\n/tmp" }),
    );
    expect(failures).toEqual([]);
    expect(events.at(-1)).toMatchObject({ kind: 'task-finished', outcome: 'done' });
  });

  test('say what was expected, what was found, where, and what was written last; the others run all the same', async () => {
    const { failures } = await runOn(
      {},
      testOf('echo other; echo \x1b[31mred >&2', { name: 'greets', stdout: 'hello' }),
      testOf('kill -SEGV $$'),
      testOf('', { action: { kind: 'run', command: ['/usr/bin/absent'] } }),
      testOf('true'),
    );
    expect(failures).toHaveLength(3);
    expect(failures[0]).toMatchObject({
      code: 'test-failed',
      message:
        'Cannot pass the test "greets" of "app-misc/probe-1.0": expected "hello" in its standard output, found "other"',
      details: ['stdout | other', 'stderr | red'],
      hint: 'buildit shell app-misc/probe --test',
      position: POSITION,
    });
    expect(failures[1]?.message).toMatch(/expected exit code 0, found exit code 139 \(SIGSEGV\)$/);
    expect(failures[2]?.message).toMatch(/found no such program, or none of the interpreter or loader it names$/);
  });

  test('that take too long are ended', async () => {
    const start = performance.now();
    const { failures } = await runOn({}, testOf('echo begun; sleep 600', { timeoutMs: 1000 }));
    expect(performance.now() - start).toBeLessThan(15_000);
    expect(failures[0]).toMatchObject({
      message: expect.stringMatching(/found that the time limit of 1 s was exceeded$/),
      details: ['stdout | begun'],
    });
  });

  test('that flood their output are ended, and the end of it is shown', async () => {
    const { failures } = await runOn({}, testOf('while :; do echo 0123456789012345678901234567890123456789; done'));
    expect(failures[0]?.message).toMatch(/found that the log limit of 8 MiB was exceeded$/);
    expect(failures[0]?.details).toHaveLength(20);
  });

  test('leave nothing behind that runs', async () => {
    const { failures } = await runOn({}, testOf('setsid sleep 98765.4 & setsid sleep 98765.4 & sleep 0.2'));
    expect(failures).toEqual([]);
    expect(commandLines().filter((line) => line.includes('sleep 98765.4'))).toEqual([]);
  });

  test('write to nothing but /tmp, which is fresh for each', async () => {
    const write = 'for place in / /usr /usr/bin /etc /.buildit/usr; do ! touch "$place/x" || echo "wrote $place"; done';
    const { failures } = await runOn(
      {},
      testOf(`${write} 2>/dev/null; test -z "$(ls -A /tmp)"; touch /tmp/x; id -u`, { stdout: '1000' }),
      testOf('test -z "$(ls -A /tmp)"; ! (echo x >>/etc/own) 2>/dev/null'),
      testOf(`${write} 2>/dev/null`, { name: 'none was written', stdout: 'wrote' }),
    );
    expect(failures.map(({ message }) => message)).toEqual([
      'Cannot pass the test "none was written" of "app-misc/probe-1.0": expected "wrote" in its standard output, found nothing',
    ]);
  });

  test('reach no network but their own', async () => {
    const server = createServer((socket) => socket.end('outside')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    try {
      const { failures } = await runOn(
        {},
        testOf(`! (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null; ! (exec 3<>/dev/udp/10.0.0.1/53) 2>/dev/null`),
        testOf('cut -d: -f1 /proc/net/dev; test "$(grep -c : /proc/net/dev)" = 1', { stdout: 'lo' }),
      );
      expect(failures).toEqual([]);
    } finally {
      server.close();
    }
  });

  test('with a script need a shell in the root, and without one need none', async () => {
    const { failures } = await runOn(
      { programs: ['cat'] },
      testOf('', { action: { kind: 'run', command: ['/usr/bin/cat', '/etc/own'] }, stdout: 'own' }),
      testOf('echo hello', { name: 'greets' }),
    );
    expect(failures).toMatchObject([
      {
        code: 'test-failed',
        message: expect.stringContaining('expected a shell for its script, found none'),
        hint: expect.stringContaining('dependencies: {test: [debian/dash]}'),
        position: POSITION,
      },
    ]);
  });

  test('end with their run', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 500);
    await expect(runOn({ signal: controller.signal }, testOf('sleep 98766.5'))).rejects.toMatchObject({
      code: 'interrupted',
    });
    expect(commandLines().filter((line) => line.includes('sleep 98766.5'))).toEqual([]);
  });
});

needs.describe('a started server', () => {
  const http: ServerCheck = { kind: 'http', url: 'http://127.0.0.1:8080/path', status: 403, body: 'no to GET /path' };
  const started = (command: readonly string[], check: ServerCheck) =>
    testOf('', { action: { kind: 'start', command, check }, timeoutMs: 8000 });

  test('is asked as soon as it listens, and ended when it answered', async () => {
    const slow = ['bash', '-c', `sleep 0.5; exec "$@"`, 'slow', ...perlServer(8080)];
    const { failures } = await runOn(
      {},
      started(perlServer(8080), http),
      started(slow, http),
      started(perlServer(8081), { kind: 'tcp', host: '127.0.0.1', port: 8081 }),
    );
    expect(failures).toEqual([]);
    expect(commandLines().filter((line) => line.includes('HTTP/1.1 403'))).toEqual([]);
  });

  test('that puts itself into the background is asked too', async () => {
    const daemon = ['bash', '-c', 'setsid "$@" & exit 0', 'daemon', ...perlServer(8080)];
    expect((await runOn({}, started(daemon, http))).failures).toEqual([]);
  });

  test('fails at once when it ends well before it listens', async () => {
    const start = performance.now();
    const { failures } = await runOn(
      {},
      {
        ...started(['bash', '-c', 'sleep 0.3; echo hello'], { kind: 'tcp', host: '127.0.0.1', port: 80 }),
        timeoutMs: 60_000,
      },
    );
    expect(performance.now() - start).toBeLessThan(30_000);
    expect(failures[0]).toMatchObject({
      message: expect.stringMatching(
        /expected a server at 127\.0\.0\.1:80, found that the server ended with exit code 0 before it listened, and left nothing that runs$/,
      ),
      details: ['stdout | hello'],
    });
  });

  test('fails with another answer, without one, and when it ends', async () => {
    const { failures } = await runOn(
      {},
      started(perlServer(8080), { ...http, status: 200 }),
      started(perlServer(8080), { ...http, body: 'yes' }),
      started(['bash', '-c', 'echo cannot listen >&2; exit 3'], http),
      { ...started(['sleep', '600'], http), timeoutMs: 1000 },
      started(perlServer(8080, { before: 'while (accept(C, S)) { close C }' }), http),
    );
    expect(failures.map(({ message }) => message.replace(/^.*: expected /, ''))).toEqual([
      'status 200 from http://127.0.0.1:8080/path, found status 403',
      '"yes" in the answer of http://127.0.0.1:8080/path, found "no to GET /path HTTP/1.1"',
      'an answer of http://127.0.0.1:8080/path, found that the server ended with exit code 3',
      'an answer of http://127.0.0.1:8080/path, found that the time limit of 1 s was exceeded',
      expect.stringMatching(/^an answer of .*, found a broken connection \(.*\)$/),
    ]);
    expect(failures[2]?.details).toEqual(['stderr | cannot listen']);
  });
});

needs.describe('tests of an image', () => {
  const image = { kind: 'image', uid: 0 } as const;

  test('write to copies of their own, everywhere but in /usr', async () => {
    const { failures } = await runOn(
      { ...image, files: { 'var/lib/state': { text: 'first\n' } } },
      testOf('echo second >/var/lib/state; echo >/etc/x; echo >/run/x; ! (echo >/usr/x) 2>/dev/null'),
      testOf('cat /var/lib/state; test ! -e /etc/x; test ! -e /run/x', { stdout: 'first' }),
    );
    expect(failures).toEqual([]);
  });

  test('begin in a directory that the image lacks as engines make it, where localhost has a name', async () => {
    const look = 'pwd; touch x 2>/dev/null || echo closed; cat /etc/hostname';
    const connect = '(exec 3<>/dev/tcp/localhost/9) 2>&1 | grep -o "Connection refused" || true';
    const { failures } = await runOn(
      { ...image, uid: 101, directory: '/srv/none' },
      testOf(`${look}; ${connect}`, { stdout: '/srv/none\nclosed\nlocalhost\nConnection refused\n' }),
    );
    expect(failures).toEqual([]);
  });

  test('of a server ask for localhost at both of its addresses', async () => {
    // struct sockaddr_in6 with ::1, without a module for it.
    const listen =
      'socket(S, 10, 1, 0); bind(S, pack("S n N a16 N", 10, 8080, 0, "\\0" x 15 . "\\1", 0)) or die; listen(S, 1);';
    const command = ['/usr/bin/perl', '-e', `${listen} accept(C, S); sleep 9`];
    const check = { kind: 'tcp', host: 'localhost', port: 8080 } as const;
    const { failures } = await runOn(image, testOf('', { action: { kind: 'start', command, check }, timeoutMs: 8000 }));
    expect(failures).toEqual([]);
  });

  test('name in their own words why a program or a server cannot be started', async () => {
    const files = {
      'srv/plain': { text: 'text', mode: 0o644 },
      'srv/script': { text: '#!/nowhere/sh\n', mode: 0o755 },
    };
    const run = (command: readonly string[]) => testOf('', { action: { kind: 'run', command } });
    const check = { kind: 'tcp', host: 'localhost', port: 80 } as const;
    const { failures } = await runOn(
      { ...image, files },
      run(['/srv/plain']),
      run(['/srv']),
      run(['/srv/script']),
      run(['absent']),
      testOf('', { action: { kind: 'start', command: ['/srv/absent'], check }, timeoutMs: 8000 }),
    );
    expect(failures.map(({ message }) => message.replace(/^.*, found /, ''))).toEqual([
      'a program that cannot be run: Permission denied',
      'a program that cannot be run: Permission denied',
      ...Array.from({ length: 3 }, () => 'no such program, or none of the interpreter or loader it names'),
    ]);
    expect(JSON.stringify(failures.map(({ details }) => details))).not.toMatch(/bwrap|\.buildit/);
  });

  test('share memory among processes and with nobody after them', async () => {
    const make = `perl -e '$i = shmget(7, 56, 01600) // die $!; shmwrite($i, "kept", 0, 4) or die $!'`;
    const read = `perl -e '$i = shmget(7, 0, 0) // exit 1; shmread($i, $x, 0, 4); print $x'`;
    const { failures } = await runOn(image, testOf(`${make}; ${read}`, { stdout: 'kept' }), testOf(`! ${read}`));
    expect(failures).toEqual([]);
  });

  test('run as a user who may do what that user will', async () => {
    const files = {
      'etc/key': { text: 'secret', mode: 0o600 },
      'var/own/data': { text: 'mine', mode: 0o600, uid: 101 },
    };
    const { failures } = await runOn(
      { ...image, uid: 101, files },
      testOf('id -u; ! cat /etc/key; ! (echo >/etc/x); cat /var/own/data; echo more >/var/own/data', {
        stdout: '101\nmine',
        stderr: 'Permission denied',
      }),
    );
    expect(failures).toEqual([]);
    expect((await runOn({ ...image, files }, testOf('cat /etc/key', { stdout: 'secret' }))).failures).toEqual([]);
  });

  test.each([0, 101])('as uid %i listen at low ports, and give up being root without an error', async (uid) => {
    const check = { kind: 'http', url: 'http://localhost/', status: 403, body: undefined } as const;
    const before = '$( = 33; $) = "33 33"; $< = 33; die "chown: $!" if chown(33, 33, "/tmp") != 1;';
    const { failures } = await runOn(
      { ...image, uid },
      testOf('', { action: { kind: 'start', command: perlServer(80, { before }), check }, timeoutMs: 8000 }),
    );
    expect(failures).toEqual([]);
  });

  test('make no namespaces, change no mounts and trace no process', async () => {
    const { failures } = await runOn(
      image,
      testOf('grep -E "^Cap(Eff|Bnd)" /proc/self/status', {
        stdout: 'CapEff:\t0000000000000400\nCapBnd:\t0000000000000400',
      }),
      ...(process.arch === 'x64'
        ? [
            ['unshare of a user namespace', '272, 0x10000000'],
            ['unshare of a network', '272, 0x40000000'],
            ['clone of a user namespace', '56, 0x10000011, 0, 0, 0, 0'],
            ['clone3', '435, 0, 0'],
            ['ptrace', '101, 0, 0, 0, 0'],
            ['setns', '308, 0, 0'],
            ['umount', '166, 0, 0'],
          ].map(([name, call]) => testOf(`perl -e 'exit(syscall(${call}) == -1 ? 0 : 1)'`, { name: name! }))
        : []),
    );
    expect(failures).toEqual([]);
  });
});
