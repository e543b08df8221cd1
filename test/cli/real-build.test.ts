import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { requires } from '../support/requires.ts';
import { installation, runBuildit } from '../support/run-buildit.ts';
import { openTerminal } from '../support/terminal.ts';
import { sharedStore, writeTinyContainer } from '../support/tiny-container.ts';
import { traversableDirectory } from '../support/traversable-directory.ts';

const store = sharedStore();
const needs = requires('bwrap', 'user namespaces', 'archive');
const needsTerminal = requires('bwrap', 'user namespaces', 'archive', 'tmux');

const HASH_LINE = /^HASH: [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A tiny container in a directory of its own, and how to run buildit beside it. */
function tinyContainer(options: { build?: string } = {}) {
  const cwd = traversableDirectory();
  const directory = join(cwd, 'tiny');
  writeTinyContainer(directory, options);
  const environment = { PATH: process.env.PATH!, HOME: cwd, BUILDIT_STORE: store.path(), LC_ALL: 'C.UTF-8' };
  return { cwd, directory, environment, run: (...argv: string[]) => runBuildit(argv, { cwd, environment }) };
}

function digestOf(directory: string): string {
  const index = JSON.parse(readFileSync(join(directory, 'out/oci/index.json'), 'utf8'));
  return index.manifests[0].digest as string;
}

/** Command lines of processes that have to do with a store. */
function processesOf(path: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(path));
}

needs.test('a run prints the transcript, and the next one the same with what was found', async () => {
  const { directory, run } = tinyContainer();
  const first = await run('tiny');
  expect(first.exitCode).toBe(0);
  const lines = first.stdout.split('\n');
  expect(lines.filter((_, index) => index !== 2)).toEqual([
    'Building tiny-1.0.0',
    "Processing package from './pkgs/tiny' for linux/amd64.",
    "Can't find HASH in any known location...",
    'Defaulting to local build... [OK]',
    'Packaging tiny-1.0.0 as OCI... [OK]',
    '',
  ]);
  expect(lines[2]).toMatch(HASH_LINE);
  expect(first.stderr).toMatch(/^ {2}tiny\/out\/oci {2}sha256:[0-9a-f]{64} +[\d.]+ k?B\n$/m);
  const digest = digestOf(directory);

  const byReceipt = await run('tiny');
  expect(byReceipt.exitCode).toBe(0);
  expect(byReceipt.stdout.split('\n')).toEqual([
    ...lines.slice(0, 3),
    'Found HASH locally... [OK]',
    'Packaging tiny-1.0.0 as OCI... [OK]',
    '',
  ]);
  expect(await run('tiny', '--verify', '--offline')).toEqual(byReceipt);

  rmSync(join(directory, 'out'), { recursive: true });
  expect(await run('tiny')).toEqual(byReceipt);
  expect(digestOf(directory)).toBe(digest);
});

needs.test('a change of a definition is seen at once, however soon after a run', async () => {
  const { directory, run } = tinyContainer();
  const { stdout } = await run('tiny');
  writeTinyContainer(directory, { build: 'echo Built > result' });
  const changed = await run('tiny');
  expect(changed.stdout).toContain('Defaulting to local build... [OK]');
  expect(changed.stdout.split('\n')[2]).not.toBe(stdout.split('\n')[2]);
});

needs.test('fetch wants what a build on this machine wants, with a bubblewrap of its own and without', async () => {
  const { cwd, environment, run } = tinyContainer({ build: 'echo fetched > result' });
  expect(await run('fetch', 'tiny')).toMatchObject({ exitCode: 0 });
  expect(await run('fetch', '--offline', 'tiny')).toMatchObject({ exitCode: 0, stdout: 'everything is there\n' });
  expect(await run('build', '--offline', 'tiny')).toMatchObject({ exitCode: 0 });
  const programs = join(cwd, 'programs');
  mkdirSync(programs);
  for (const directory of environment.PATH.split(':').toReversed()) {
    for (const name of existsSync(directory) ? readdirSync(directory) : []) {
      rmSync(join(programs, name), { force: true });
      if (name !== 'bwrap') symlinkSync(join(directory, name), join(programs, name));
    }
  }
  const bare = (...argv: string[]) => runBuildit(argv, { cwd, environment: { ...environment, PATH: programs } });
  const [fetched, built] = [await bare('fetch', '--offline', 'tiny'), await bare('--offline', '--from-source', 'tiny')];
  expect(fetched.exitCode).toBe(built.exitCode);
  expect(fetched.stderr.includes('bubblewrap')).toBe(built.stderr.includes('bubblewrap'));
});

needs.test('a source that is nowhere ends the run before the first build, all of them at once', async () => {
  const { directory, run } = tinyContainer({ build: 'echo needed > result' });
  for (const [name, more] of [
    ['one', 'dependencies: {build: [test/tiny]}\n'],
    ['two', ''],
  ]) {
    mkdirSync(join(directory, `pkgs/${name}`));
    const source = `source: {url: "https://127.0.0.1:1/${name}.tar.gz", sha256: ${name === 'one' ? 'a' : 'b'}${'0'.repeat(63)}}`;
    const rest = 'version: 1.0.0\nlicense: MIT\nclass: none\nroot: minimal\nphases: {install: "true"}\n';
    writeFileSync(join(directory, `pkgs/${name}/pkg.yaml`), `name: test/${name}\n${source}\n${rest}${more}`);
    const container = readFileSync(join(directory, 'container.yaml'), 'utf8');
    writeFileSync(
      join(directory, 'container.yaml'),
      container.replace('- image', `- package: {type: embedded, path: ./pkgs/${name}}\n- image`),
    );
  }
  for (const option of ['--offline', '--check']) {
    const { exitCode, stdout, stderr } = await run('tiny', option);
    expect(exitCode).toBe(69);
    expect(stderr).toMatch(/Cannot fetch "one\.tar\.gz"[\s\S]*needed by test\/one\n[\s\S]*Cannot fetch "two\.tar\.gz"/);
    expect(stdout).not.toContain('local build... [OK]');
  }
  const { exitCode, stdout } = await run('tiny', '-k');
  expect(exitCode).toBe(69);
  expect(stdout.match(/local build\.\.\. \[(?:OK|FAILED)\]/g)).toHaveLength(3);
  expect(stdout).toContain('local build... [OK]');
  expect(existsSync(join(directory, 'out'))).toBe(false);
});

needs.test('with -k the next container is built though one before it fails', async () => {
  const { cwd, directory, run } = tinyContainer({ build: 'echo going on; exit 3' });
  writeTinyContainer(join(cwd, 'other'), { build: 'echo going on > result' });
  const { exitCode, stdout, stderr } = await run('-k', 'tiny', 'other');
  expect(exitCode).toBe(10);
  expect(stderr).toContain('| going on');
  expect(stdout).toContain('Packaging tiny-1.0.0 as OCI... [OK]');
  expect([existsSync(join(directory, 'out')), existsSync(join(cwd, 'other/out/oci'))]).toEqual([false, true]);
  expect(await run('-k', 'tiny', 'other')).toMatchObject({ exitCode: 10 });
});

needs.test('results go to standard output alone with -q, as one document with --json', async () => {
  const { directory, run } = tinyContainer();
  const quiet = await run('-q', 'tiny');
  expect(quiet).toMatchObject({ exitCode: 0, stderr: '' });
  expect(quiet.stdout).toMatch(/^tiny\/out\/oci {2}sha256:[0-9a-f]{64} +[\d.]+ k?B\n$/);
  const { stdout, stderr } = await run('--json', 'tiny');
  expect(stderr).toContain('Found HASH locally... [OK]');
  expect(JSON.parse(stdout)).toMatchObject({
    containers: [
      {
        title: 'tiny-1.0.0',
        directory,
        platform: 'linux/amd64',
        packagesBuilt: 0,
        images: [{ kind: 'oci', path: join(directory, 'out/oci'), digest: digestOf(directory) }],
      },
    ],
  });
});

needs.test(
  'only what --output asks for is made, and what cannot be made is refused before anything is built',
  async () => {
    const { directory, cwd, run } = tinyContainer({ build: 'echo output > result' });
    const refused = await run('build', 'tiny', '--output', 'type=aci,dest=tiny.aci');
    expect(refused).toMatchObject({ exitCode: 64, stdout: '' });
    expect(refused.stderr).toContain('Cannot write an image of type aci: container.yaml describes none');
    const made = await run(
      'build',
      'tiny',
      '--output',
      'type=docker,dest=tiny.docker',
      '--output',
      'type=tar,dest=t.tar',
    );
    expect(made.exitCode, made.stderr).toBe(0);
    expect(made.stdout.split('\n').slice(4)).toEqual([
      'Defaulting to local build... [OK]',
      'Packaging tiny-1.0.0 as DOCKER... [OK]',
      '',
    ]);
    expect(readdirSync(cwd)).toEqual(expect.arrayContaining(['tiny.docker', 't.tar']));
    expect(existsSync(join(directory, 'out'))).toBe(false);
  },
);

needs.test('plan, hash, why and log tell about a package', async () => {
  const { run } = tinyContainer();
  const before = await run('plan', '--exit-code', 'tiny', '--json');
  const [step] = JSON.parse(before.stdout).steps;
  expect(step).toMatchObject({ name: 'test/tiny', version: '1.0.0', hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
  await run('tiny');
  expect(await run('plan', '--exit-code', 'tiny')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('0 to build, 1 found'),
  });
  const explained = await run('hash', '--explain', 'tiny', 'pkgs/tiny');
  expect(explained.stdout).toContain(`(${step.hash})`);
  expect(explained.stdout).toMatch(/^ {4}install: install -D result/m);
  expect(explained.stdout).toMatch(/^ {4}- [0-9a-f]{64} {2}bash-5/m);
  expect((await run('why', 'tiny', 'tiny')).stdout).toMatch(
    /^test\/tiny is in the image\n {2}test\/tiny {2}the container/,
  );
  expect((await run('log', 'tiny/pkgs/tiny')).stdout).toContain('install');
});

needs.test('a plan of what is all there is answered from a receipt, until a file of it changes', async () => {
  const { directory, run } = tinyContainer();
  const receipts = join(store.path(), 'receipts');
  const written = async (...argv: string[]) => {
    const before = existsSync(receipts) ? readdirSync(receipts) : [];
    const result = await run(...argv);
    return { result, count: readdirSync(receipts).filter((name) => !before.includes(name)).length };
  };
  await run('tiny');
  const first = await written('plan', 'tiny');
  expect(first).toMatchObject({ result: { stdout: expect.stringContaining('0 to build, 1 found') }, count: 1 });
  expect(await written('plan', 'tiny')).toEqual({ ...first, count: 0 });

  const { steps } = JSON.parse((await run('plan', '--json', 'tiny')).stdout);
  const record = findRecord(steps[0].hash);
  renameSync(record, `${record}.away`);
  expect((await run('plan', 'tiny')).stdout).toContain('1 to build, 0 found');
  renameSync(`${record}.away`, record);
  expect(await run('plan', 'tiny')).toEqual(first.result);

  writeTinyContainer(directory, { build: 'echo other > result' });
  const missing = await written('plan', 'tiny');
  expect(missing).toMatchObject({ result: { stdout: expect.stringContaining('1 to build, 0 found') }, count: 0 });
  expect((await run('plan', '--exit-code', 'tiny')).exitCode).toBe(22);
});

function findRecord(hash: string): string {
  const top = join(store.path(), 'records');
  const names = readdirSync(top, { recursive: true }) as string[];
  return join(top, names.find((name) => name.includes(hash.slice(4)) && statSync(join(top, name)).isFile())!);
}

needsTerminal.test('a failed build says so, and its log and its kept tree can be looked at', async () => {
  const { run, cwd, environment } = tinyContainer({ build: 'echo before; echo left > behind; false' });
  const failed = await run('tiny', '--keep-failed');
  expect(failed.exitCode).toBe(10);
  expect(failed.stdout).toMatch(/Defaulting to local build\.\.\. \[FAILED\]\n$/);
  expect(failed.stderr).toMatch(/^error: Cannot build "/m);
  expect(failed.stderr).not.toContain('    at ');
  expect((await run('log', 'tiny')).stdout).toContain('before');

  const shell = [process.execPath, `${installation}/bin/buildit.js`, 'shell', 'tiny/pkgs/tiny', '--failed'];
  const terminal = openTerminal(shell, { directory: cwd, environment });
  terminal.press('cat behind; id -u; uname -n; exit 7', 'Enter');
  const lines = await terminal.until((shown) => shown.some((line) => line.startsWith('exit code')));
  expect(lines).toContain('left');
  expect(lines).toContain('1000');
  expect(lines).toContain('localhost');
  expect(lines).toContain('exit code 7');
});

needsTerminal.test('a shell opens the tree as the build sees it, and an interrupt in it is its own', async () => {
  const { cwd, environment } = tinyContainer({ build: 'echo made > result' });
  const shell = [process.execPath, `${installation}/bin/buildit.js`, 'shell', 'tiny/pkgs/tiny', '--phase=install'];
  const terminal = openTerminal(shell, { directory: cwd, environment });
  terminal.press('cat result', 'Enter');
  await terminal.until((shown) => shown.includes('made'));
  terminal.press('sleep 100', 'Enter');
  await delay(300);
  terminal.press('C-c');
  terminal.press('echo still $((40 + 2))', 'Enter');
  await terminal.until((shown) => shown.includes('still 42'));
  terminal.press('exit', 'Enter');
  await terminal.until((shown) => shown.some((line) => line.startsWith('exit code')));
});

needs.test('an interrupt ends a build with 130 and leaves no process and no half-done file behind', async () => {
  const { cwd, directory, environment, run } = tinyContainer({ build: 'echo started; sleep 300 & sleep 300' });
  const child = spawn(process.execPath, [`${installation}/bin/buildit.js`, 'tiny', '-v'], { cwd, env: environment });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  while (!said.includes('| started')) await delay(20);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(said).toContain('Stopping (SIGINT)');
  expect(said).toMatch(/Interrupted: nothing half done was left behind\.\n$/);
  expect(processesOf(store.path())).toEqual([]);
  expect(existsSync(join(directory, 'out'))).toBe(false);

  writeFileSync(
    join(directory, 'pkgs/tiny/pkg.yaml'),
    readFileSync(join(directory, 'pkgs/tiny/pkg.yaml'), 'utf8').replace('sleep 300 & sleep 300', 'echo x > result'),
  );
  expect((await run('tiny')).exitCode).toBe(0);
  const slots = readdirSync(join(store.path(), 'temporary'));
  expect(slots.flatMap((slot) => readdirSync(join(store.path(), 'temporary', slot)))).toEqual([]);
});

needsTerminal.test('Ctrl-C on a terminal takes the view away and ends with 130', async () => {
  const { cwd, environment } = tinyContainer({ build: 'echo compiling; sleep 301' });
  const terminal = openTerminal([process.execPath, `${installation}/bin/buildit.js`, 'tiny'], {
    directory: cwd,
    environment,
    columns: 100,
  });
  await terminal.until((lines) => lines.some((line) => /^\S building test\/tiny-1\.0\.0 .*compiling$/.test(line)));
  terminal.press('C-c');
  const lines = await terminal.until((shown) => shown.some((line) => line.startsWith('exit code')));
  expect(lines.filter((line) => line.includes('building'))).toEqual([]);
  expect(lines.at(-1)).toBe('exit code 130');
});
