import { spawn } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createLocalExecutor } from '../../src/build/local-executor.ts';
import { readTar } from '../../src/layer/read-tar.ts';
import { openStore } from '../../src/store/store.ts';
import { requires } from '../support/requires.ts';
import { traversableDirectory } from '../support/traversable-directory.ts';
import { openLocal } from './open-harness.ts';
import { build, LIMITS, requestFor, run } from './run-request.ts';

const sandboxed = requires('bwrap', 'user namespaces');

sandboxed.describe('a hostile build', () => {
  test('that leaves a daemon behind writes nothing after its end', async () => {
    const harness = await openLocal();
    const daemon = 'setsid bash -c "while :; do echo x >>$DESTDIR/late; done" </dev/null >/dev/null 2>&1 &';
    for (let round = 0; round < 5; round += 1) {
      const script = `echo ${round}; ${daemon} until test -s "$DESTDIR/late"; do :; done; disown -a`;
      const { result } = await run(harness, requestFor(harness, { install: script }));
      if (result.kind !== 'built') throw new Error(result.explanation);
      const late = join(onlyWorkspace(harness.store.directory), 'out/late');
      const before = lstatSync(late).size;
      await delay(30);
      expect(lstatSync(late).size).toBe(before);
      await result.release();
    }
  });

  test('that keeps the log open with a daemon does not hold up its end', async () => {
    const harness = await openLocal();
    const script = 'echo said; setsid sleep 60 & echo x >"$DESTDIR/x"';
    const start = performance.now();
    expect((await build(harness, requestFor(harness, { install: script }))).log).toContain('said');
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test('that takes too much memory is ended', async () => {
    const harness = await openLocal();
    const request = requestFor(
      harness,
      { build: `perl -e '$x = "a" x (200 << 20); sleep 20'` },
      { limits: { ...LIMITS, memoryBytes: 64 * 2 ** 20 } },
    );
    expect((await run(harness, request)).result).toMatchObject({ kind: 'failed', reason: 'memory' });
  });

  test('that hides memory in files of /dev/shm is ended', async () => {
    const harness = await openLocal();
    const fill = (place: string) => `head -c 50000000 /dev/zero >${place}/x`;
    const request = requestFor(
      harness,
      { build: `${fill('/dev/shm')}; ${fill('/tmp')}; sleep 20` },
      { limits: { ...LIMITS, memoryBytes: 64 * 2 ** 20 } },
    );
    expect((await run(harness, request)).result).toMatchObject({ kind: 'failed', reason: 'memory' });
  });

  test('that hides memory in System V segments that nothing has attached is ended', async () => {
    const harness = await openLocal();
    const segment =
      '$i = shmget(0, 100 << 20, 01600) // die $!; shmwrite($i, "a" x (1 << 20), $_ << 20, 1 << 20) for 0 .. 99';
    const request = requestFor(
      harness,
      { build: `perl -e '${segment}; print "written\\n"; sleep 20'` },
      { limits: { ...LIMITS, memoryBytes: 64 * 2 ** 20 } },
    );
    const { result } = await run(harness, request);
    expect(result).toMatchObject({ kind: 'failed', reason: 'memory' });
  });

  test.each([
    [
      'buffers of sockets',
      'my $b = "a" x 65536; my @s; for (1 .. 400) { socketpair(my $p, my $q, 1, 1, 0) or last; setsockopt($p, 1, 7, pack("i", 1 << 28)); fcntl($p, 4, 2048); push @s, $p, $q; 1 while syswrite($p, $b) }',
    ],
    [
      'empty files in memory',
      'for my $d ("/tmp", "/run", "/dev/shm") { for (1 .. 12000) { open(my $f, ">", "$d/$_") } }',
    ],
    [
      'page tables',
      // MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE, read a page of each table: the page of zeros is nobody\'s.
      `my $n = ${process.arch === 'arm64' ? 222 : 9}; open(my $m, "<", "/proc/self/mem"); my $a = syscall($n, 0, 1 << 37, 1, 0x4022, -1, 0); for (0 .. 40000) { sysseek($m, $a + ($_ << 21), 0); sysread($m, my $x, 1) }`,
    ],
  ])('that hides memory in %s is ended', async (_what, hide) => {
    const harness = await openLocal();
    const request = requestFor(
      harness,
      { build: `perl -e '${hide.replaceAll("'", '')}; print "hidden\\n"; sleep 20'` },
      { limits: { ...LIMITS, memoryBytes: 64 * 2 ** 20 } },
    );
    const { result } = await run(harness, request);
    expect(result).toMatchObject({ kind: 'failed', reason: 'memory' });
  });

  test('finds what an earlier phase left in shared memory, message queues and semaphores gone', async () => {
    const harness = await openLocal();
    const make = `perl -e '$i = shmget(7, 4096, 01600) // die $!; shmwrite($i, "kept", 0, 4) or die $!; msgget(7, 01600) // die $!; semget(7, 1, 01600) // die $!; shmread($i, $x, 0, 4); print "$x\\n"'`;
    const find = `perl -e 'print defined shmget(7, 0, 0) || defined msgget(7, 0) || defined semget(7, 0, 0) ? "there\\n" : "gone\\n"'`;
    const { log } = await build(
      harness,
      requestFor(harness, { build: make, install: `${find}; echo x >"$DESTDIR/x"` }),
    );
    expect(log).toBe('kept\ngone\n');
  });

  test.each([
    ['BASH_ENV', '/build/home/early'],
    ['ENV', '/build/home/early'],
    ['PS4', '$(. /build/home/early)'],
    ['LD_PRELOAD', '/nowhere.so'],
    ['GLIBC_TUNABLES', 'glibc.malloc.check=3'],
    ['PATH', '/build/home'],
    ['IFS', 'u'],
  ])('that sets %s does so for its phase alone, after the limits', async (name, value) => {
    const harness = await openLocal();
    const early = 'echo "$$ $(ulimit -u) $(ulimit -c) $(umask)"';
    const request = requestFor(
      harness,
      {
        prepare: `/usr/bin/bash -c 'echo "$1" >/build/home/early' - ${`'${early}'`} 2>/dev/null`,
        install: `ulimit -u; echo x >"$DESTDIR/x"`,
      },
      { environment: { SHELLOPTS: 'xtrace', [name]: value } },
    );
    const { log } = await build(harness, request);
    const said = [...log.matchAll(/^\+*([0-9]+) ([0-9]+|unlimited) ([0-9]+|unlimited) ([0-9]{4})/gm)];
    expect(said.filter(([, pid, processes]) => pid === '1' || processes !== String(LIMITS.processes))).toEqual([]);
    expect(log).toMatch(new RegExp(`^${LIMITS.processes}$`, 'm'));
    if (name === 'BASH_ENV' || name === 'PS4') expect(said.length).toBeGreaterThan(0);
  });

  test('cannot have more processes than its limit', async () => {
    const harness = await openLocal();
    const script = `perl -e 'for (1 .. 100) { my $p = fork; die "fork: $!" unless defined $p; if (!$p) { sleep 20; exit } }'`;
    const request = requestFor(harness, { build: script }, { limits: { ...LIMITS, processes: 20 } });
    const { result, log } = await run(harness, request);
    expect(result).toMatchObject({ kind: 'failed', reason: 'exit' });
    expect(log).toContain('fork: Resource temporarily unavailable');
  });

  test('that fills the disk with many files is ended', async () => {
    const harness = await openLocal();
    const script = 'for i in 1 2 3 4 5 6 7 8 9 10; do head -c 5000000 /dev/urandom >$i; done; sleep 20';
    const request = requestFor(harness, { build: script }, { limits: { ...LIMITS, diskBytes: 20 * 2 ** 20 } });
    expect((await run(harness, request)).result).toMatchObject({ kind: 'failed', reason: 'disk' });
  });

  test('cannot make one file larger than its limit', async () => {
    const harness = await openLocal();
    const request = requestFor(
      harness,
      { build: 'truncate -s 100G big' },
      { limits: { ...LIMITS, diskBytes: 20 * 2 ** 20 } },
    );
    expect((await run(harness, request)).result).toMatchObject({ kind: 'failed', phase: 'build' });
  });

  test('cannot have sparse files read or packed beyond the limit', async () => {
    const harness = await openLocal();
    const request = requestFor(
      harness,
      { install: 'for i in 1 2 3; do truncate -s 15M "$DESTDIR/$i"; done', strip: 'echo too late' },
      { limits: { ...LIMITS, diskBytes: 20 * 2 ** 20 } },
    );
    const { result, log } = await run(harness, request);
    expect(result).toMatchObject({ kind: 'failed', phase: 'pack', reason: 'output' });
    expect(result).toMatchObject({
      explanation: expect.stringMatching(/have 30 MiB, more than 20 MiB: \/[123] has 15 MiB/),
    });
    expect(log).toBe('');
  });

  test('that nests thousands of directories is refused before anything walks them', async () => {
    const harness = await openLocal();
    const install = `cd "$DESTDIR"; perl -e 'for (1 .. 5000) { mkdir "d" x 200; chdir "d" x 200 }'; mkdir "$DESTDIR/closed"; chmod 0 "$DESTDIR/closed"`;
    const { result, log } = await run(harness, requestFor(harness, { install, strip: 'echo too late' }));
    expect(result).toMatchObject({ kind: 'failed', phase: 'pack', reason: 'output' });
    expect(result).toMatchObject({
      explanation: expect.stringMatching(/^the output is deeper than 100 directories: \/d{100}…$/),
    });
    expect(log).toBe('');
  });

  test('cannot take room on disk without writing to it', async () => {
    const harness = await openLocal();
    const fallocate = process.arch === 'arm64' ? 47 : 285;
    const script = `perl -e 'open(my $f, "+>", "x"); syscall(${fallocate}, fileno($f), 0, 0, 1 << 20) == -1 or die; print 0 + $!, "\\n"'`;
    const { log } = await build(harness, requestFor(harness, { install: `${script}; echo x >"$DESTDIR/x"` }));
    expect(log).toBe('95\n');
  });

  test('that turns /build/src into a link to the root sees its own root there', async () => {
    const harness = await openLocal();
    const { log } = await build(
      harness,
      requestFor(harness, {
        build: 'cd /build; mv src away; ln -s / src',
        install: 'ls -d etc/passwd; touch etc/planted || echo refused; echo x >"$DESTDIR/x"',
      }),
    );
    expect(log).toContain('etc/passwd');
    expect(log).toContain('refused');
    expect(existsSync('/etc/planted')).toBe(false);
  });

  test('whose directory is gone is told so by buildit, not by bubblewrap', async () => {
    const harness = await openLocal();
    const { result, log } = await run(harness, requestFor(harness, { build: 'rm -rf /build/src', install: 'true' }));
    expect(result).toMatchObject({ kind: 'failed', phase: 'install', reason: 'exit' });
    expect(log).toBe('buildit: cannot enter the working directory /build/src\n');
  });

  test('cannot change the scripts of later phases', async () => {
    const harness = await openLocal();
    const { files } = await build(
      harness,
      requestFor(harness, {
        build:
          'echo "echo planted" >/run/buildit/install || rm -f /run/buildit/install || mv /run/buildit /run/x || true',
        install: 'echo real >"$DESTDIR/x"',
      }),
    );
    expect(files).toEqual({ x: 'real\n' });
  });

  test('gets the same limits to see on every machine', async () => {
    const harness = await openLocal();
    const script = 'for flag in c n s; do ulimit -S -$flag; done >"$DESTDIR/x"; umask >>"$DESTDIR/x"';
    expect((await build(harness, requestFor(harness, { install: script }))).files).toEqual({
      x: '0\n1024\n8192\n0022\n',
    });
  });

  test('can write to /dev/stdout and /dev/stderr by name', async () => {
    const harness = await openLocal();
    const script = 'echo one; echo two >/dev/stdout; echo three >/dev/stderr; echo four; echo x >"$DESTDIR/x"';
    expect((await build(harness, requestFor(harness, { install: script }))).log).toBe('one\ntwo\nthree\nfour\n');
  });

  test('cannot write to its output while upstream tests run', async () => {
    const harness = await openLocal();
    const { files } = await build(
      harness,
      requestFor(harness, {
        install: 'echo real >"$DESTDIR/x"',
        check: '(echo planted >"$DESTDIR/x") && exit 1 || true',
      }),
    );
    expect(files).toEqual({ x: 'real\n' });
  });
});

sandboxed.test('a build whose bubblewrap is killed ends with it, with everything it started', async () => {
  const harness = await openLocal();
  const marker = `buildit-test-${process.pid}-orphan`;
  const running = run(harness, requestFor(harness, { build: `(exec -a ${marker} sleep 300) & echo started; wait` }));
  await until(() => commandLines().some((line) => line.startsWith(marker)));
  for (const pid of childrenOf(process.pid)) process.kill(pid, 'SIGKILL');
  expect((await running).result).toMatchObject({ kind: 'failed', reason: 'signal', explanation: 'ended by SIGKILL' });
  expect(commandLines().some((line) => line.startsWith(marker))).toBe(false);
});

sandboxed.describe('packing', () => {
  test('ends when its reader has enough', async () => {
    const harness = await openLocal();
    const { result } = await run(harness, requestFor(harness, { install: 'head -c 20000000 /dev/zero >"$DESTDIR/x"' }));
    if (result.kind !== 'built') throw new Error(result.explanation);
    for await (const _ of result.output) break;
    expect(childrenOf(process.pid)).toEqual([]);
    await result.release();
  });

  test('takes everything, whatever its modes', async () => {
    const harness = await openLocal();
    const script = [
      'cd "$DESTDIR"; mkdir open closed; echo a >open/a; echo b >closed/b; echo c >c; echo d >d',
      'chmod 0111 c; chmod 4755 d; chmod 0 closed/b closed open/a',
    ].join('\n');
    const { result } = await run(harness, requestFor(harness, { install: script }));
    if (result.kind !== 'built') throw new Error(result.explanation);
    const modes: Record<string, string> = {};
    for await (const { path, mode } of readTar(result.output)) modes[path] = mode.toString(8);
    await result.release();
    expect(modes).toEqual({ c: '111', closed: '0', 'closed/b': '0', d: '4755', open: '755', 'open/a': '0' });
  });

  test('refuses sockets and named pipes by their paths', async () => {
    const harness = await openLocal();
    const socket = `perl -e 'socket(S, 1, 1, 0); bind(S, pack("S a*", 1, "/out/run/sock")) or die $!'`;
    for (const [script, path] of [
      ['mkfifo "$DESTDIR/pipe"', '/pipe'],
      [`mkdir "$DESTDIR/run"; ${socket}`, '/run/sock'],
    ] as const) {
      const { result } = await run(harness, requestFor(harness, { install: script }));
      expect(result).toMatchObject({ kind: 'failed', phase: 'pack', reason: 'output' });
      expect((result as { explanation: string }).explanation).toContain(path);
    }
  });

  test('keeps links as they are, wherever they lead', async () => {
    const harness = await openLocal();
    const script = 'ln -s /etc "$DESTDIR/etc"; ln -s ../../../../etc/shadow "$DESTDIR/secret"';
    const { files } = await build(harness, requestFor(harness, { install: script }));
    expect(files).toEqual({ etc: '-> /etc', secret: '-> ../../../../etc/shadow' });
  });

  test('runs nothing of the output', async () => {
    const harness = await openLocal();
    const planted = '#!/usr/bin/bash\\necho ran >>/out/ran; echo ran >>/build/ran\\n';
    const script = [
      'mkdir -p "$DESTDIR/usr/bin" "$DESTDIR/usr/lib"',
      `for name in tar find bash gzip; do printf '${planted}' >"$DESTDIR/usr/bin/$name"; chmod 755 "$DESTDIR/usr/bin/$name"; done`,
      'echo /out/usr/lib/evil.so >"$DESTDIR/ld.so.preload"; echo --checkpoint=1 >"$DESTDIR/--checkpoint-action=exec=sh"',
    ].join('\n');
    const { files } = await build(harness, requestFor(harness, { install: script }));
    expect(Object.keys(files)).not.toContain('ran');
    expect(Object.keys(files)).toContain('--checkpoint-action=exec=sh');
  });
});

sandboxed.test("a machine that cannot run a sandbox says so in bubblewrap's own words", async () => {
  const harness = await openLocal();
  const program = join(traversableDirectory(), 'bwrap');
  writeFileSync(program, '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2; exit 1\n', {
    mode: 0o755,
  });
  for (const [command, message] of [
    [program, 'No permissions to create new namespace'],
    ['/nowhere/bwrap', 'ENOENT'],
  ] as const) {
    const executor = createLocalExecutor({ ...harness.sandbox, bubblewrap: [command] });
    await expect(run({ executor }, requestFor(harness, { install: 'true' }))).rejects.toMatchObject({
      code: 'sandbox-unavailable',
      message: expect.stringContaining(message),
    });
  }
});

sandboxed.test('a build dies with buildit, and the next run removes what it left', { timeout: 30_000 }, async () => {
  const directory = traversableDirectory();
  const script = join(traversableDirectory(), 'script');
  writeFileSync(script, `touch /out/started; exec -a ${directory.replaceAll('/', '_')} sleep 300`, { mode: 0o644 });
  const program = fileURLToPath(new URL('run-probe.ts', import.meta.url));
  const loader = fileURLToPath(import.meta.resolve('tsx'));
  const child = spawn(process.execPath, ['--import', loader, program, directory, script], { stdio: 'ignore' });
  const slot = join(directory, 'store/temporary/0');
  await until(() => existsSync(slot) && readdirSync(slot).some((name) => existsSync(join(slot, name, 'out/started'))));
  const marker = directory.replaceAll('/', '_');
  await until(() => commandLines().some((line) => line.startsWith(marker)));
  const ended = new Promise((resolve) => child.on('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  await until(() => !commandLines().some((line) => line.startsWith(marker)));
  await openStore(join(directory, 'store'));
  expect(readdirSync(slot)).toEqual([]);
});

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
}

/** Processes with this parent that run bubblewrap. */
function childrenOf(parent: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return status.startsWith('Name:\tbwrap') && status.includes(`PPid:\t${parent}\n`);
    } catch {
      return false;
    }
  });
}

async function until(isSo: () => boolean): Promise<void> {
  for (let waitedMs = 0; waitedMs < 15_000; waitedMs += 20) {
    if (isSo()) return;
    await delay(20);
  }
  throw new Error('it did not come to that');
}

/** The one workspace of a running build. */
function onlyWorkspace(store: string): string {
  const slot = join(store, 'temporary/0');
  const names = readdirSync(slot).filter((name) => name.startsWith('build-'));
  if (names.length !== 1) throw new Error(`found ${names.length} workspaces`);
  return join(slot, names[0]!);
}
