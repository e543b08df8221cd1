import { spawn } from 'node:child_process';
import { chmodSync, chownSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { traversableDirectory } from '../support/traversable-directory.ts';
import { type ProbeReport, probeScript, writeProbe } from './probe.ts';

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
const ECONNREFUSED = 111;

const sandboxed = requires('bwrap', 'user namespaces', 'perl');

sandboxed.test('a build sees and can do nothing but its own, run by the user of these tests', { timeout: 60_000 }, () =>
  expectSealed(undefined),
);

requires('root', 'bwrap', 'perl').test(
  'a build sees and can do nothing but its own, run by an ordinary user',
  { timeout: 60_000 },
  () => expectSealed(65_534),
);

async function expectSealed(uid: number | undefined): Promise<void> {
  const directory = traversableDirectory();
  if (uid !== undefined) chownSync(directory, uid, uid);
  const port = await listen({ host: '127.0.0.1', port: 0 });
  const abstract = `buildit-test-${process.pid}`;
  await listen({ path: `\0${abstract}` });
  const script = writeProbe(traversableDirectory(), probeScript({ port, abstract }));
  const report = await probe(directory, script, uid);

  expect(report.ids).toBe('1000 1000 1000 1000');
  expect(report.hostName).toBe('localhost');
  expect(report.umask).toBe('022');
  expect(report.status).toMatchObject({ NoNewPrivs: '1', Seccomp: '2', Groups: '' });
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect(report.status[set]).toMatch(/^0+$/);
  expect(report.descriptors.map((line) => line.split(' ')[0])).toEqual(['0', '1', '2']);
  expect(report.processes.every((line) => /\/usr\/bin\/bash|perl|find/.test(line))).toBe(true);
  expect(report.processes.length).toBeLessThan(6);
  expect(report.interfaces).toEqual(['lo']);
  expect(report.environmentOfInit.join()).not.toContain('CANARY');
  expect(report.top).toEqual([
    '.buildit',
    'bin',
    'build',
    'dev',
    'etc',
    'lib',
    'lib64',
    'out',
    'proc',
    'run',
    'tmp',
    'usr',
  ]);
  expect(report.writable.filter((path) => !/^\/(build|out|tmp|run|dev\/shm)(\/|$)/.test(path)).sort()).toEqual([
    ...['/dev/full', '/dev/null', '/dev/pts', '/dev/pts/ptmx', '/dev/random', '/dev/tty', '/dev/urandom', '/dev/zero'],
  ]);
  expect(report.sacrifice).toEqual(['1000', '1000']);
  expect(report.writableProcFiles).toEqual([]);
  expect(report.cpuinfo).toContain('vendor_id\t: buildit');
  expect(report.calls).toEqual({
    'chroot(0)': EPERM,
    'clone3(0)': ENOSYS,
    'io_uring_setup(1)': EPERM,
    'ioctl(0)': EPERM,
    'keyctl(0)': EPERM,
    'memfd_create(0)': ENOSYS,
    'perf_event_open(0)': EPERM,
    'personality(4194304)': EPERM,
    'ptrace(0)': EPERM,
    'socket(17)': EAFNOSUPPORT,
    'socket(38)': EAFNOSUPPORT,
    'socket(40)': EAFNOSUPPORT,
    'unshare(268435456)': EPERM,
    'unshare(1073741824)': EPERM,
    'userfaultfd(0)': EPERM,
  });
  expect(Object.values(report.connections)).toEqual([ECONNREFUSED, ECONNREFUSED, expect.any(Number)]);
  expect(report.connections.inet).not.toBe(0);
}

/** Runs the probe in a process of its own that inherits a directory's descriptor beyond a gap, and a canary. */
async function probe(directory: string, script: string, uid: number | undefined): Promise<ProbeReport> {
  const slash = openSync('/', 'r');
  const program = fileURLToPath(new URL('run-probe.ts', import.meta.url));
  const loader = fileURLToPath(import.meta.resolve('tsx'));
  const home = join(traversableDirectory(), 'home');
  mkdirSync(home);
  chmodSync(home, 0o777);
  const child = spawn(process.execPath, ['--import', loader, program, directory, script], {
    env: { PATH: process.env.PATH ?? '', TMPDIR: home, BUILDIT_CANARY: 'secret' },
    stdio: ['ignore', 'pipe', 'pipe', ...Array.from({ length: 17 }, () => 'ignore' as const), slash],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  closeSync(slash);
  const [output, errors] = await Promise.all([textOf(child.stdout!), textOf(child.stderr!)]);
  if (output === '') throw new Error(errors);
  const files = JSON.parse(output) as Record<string, string>;
  return JSON.parse(files['report.json']!) as ProbeReport;
}

async function listen(place: { path: string } | { host: string; port: number }): Promise<number> {
  const server = createServer((socket) => socket.end('reached'));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(place, resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('the listeners of these tests can be reached from outside a sandbox', async () => {
  const { connect } = await import('node:net');
  const abstract = `\0buildit-test-open-${process.pid}`;
  await listen({ path: abstract });
  const socket = connect({ path: abstract });
  expect(await textOf(socket)).toBe('reached');
});
