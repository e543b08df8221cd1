import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { runBuildit } from '../support/run-buildit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

function project(config: string): string {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, '.buildit-config.yaml'), config);
  return directory;
}

describe('buildit config', () => {
  test('shows what counts and who said so, flags before variables before files', async () => {
    const cwd = project('build: {jobs: 3, timeout: 1h}\nuse: {with: [ipv6]}\n');
    const { exitCode, stdout } = await runBuildit(['config', 'show', '--origin', '--store', 'here'], {
      cwd,
      environment: { BUILDIT_JOBS: '5' },
    });
    expect(exitCode).toBe(0);
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(rows).toContainEqual(['store', join(cwd, 'here'), '--store']);
    expect(rows).toContainEqual(['build.jobs', '5', 'BUILDIT_JOBS']);
    expect(rows).toContainEqual(['build.timeout', '1h00m', join(cwd, '.buildit-config.yaml')]);
    expect(rows).toContainEqual(['offline', 'false', 'default']);
  });

  test('as JSON is one document', async () => {
    const { stdout } = await runBuildit(['config', 'show', '--json', '--offline']);
    expect(JSON.parse(stdout)).toMatchObject({ offline: true, build: { executor: 'local' } });
  });

  test('with a mistake in it is refused with its place', async () => {
    const { exitCode, stdout, stderr } = await runBuildit(['config', 'show'], { cwd: project('build:\n  jbos: 3\n') });
    expect({ exitCode, stdout }).toEqual({ exitCode: 78, stdout: '' });
    expect(stderr).toContain('.buildit-config.yaml:2:3\n  2 |   jbos: 3\n    |   ^\n');
    expect(stderr).toContain('did you mean "jobs"?');
  });

  test('trust remembers a file as it is', async () => {
    const cwd = project('build: {jobs: 3}\n');
    const state = temporaryDirectory();
    const run = await runBuildit(['config', 'trust', '.buildit-config.yaml'], {
      cwd,
      environment: { XDG_STATE_HOME: state },
    });
    expect(run).toEqual({ exitCode: 0, stdout: '.buildit-config.yaml is trusted as it is now\n', stderr: '' });
    expect(readFileSync(join(state, 'buildit/trusted-configs.json'), 'utf8')).toContain(
      join(cwd, '.buildit-config.yaml'),
    );
    expect(await runBuildit(['config', 'trust', 'absent.yaml'], { cwd })).toMatchObject({ exitCode: 66 });
  });
});

describe('buildit store and gc', () => {
  test('tell the size of an empty store and free nothing from it', async () => {
    const store = join(temporaryDirectory(), 'store');
    const environment = { BUILDIT_STORE: store };
    expect((await runBuildit(['store'], { environment })).stdout).toContain(`0 B in ${store}`);
    const usage = JSON.parse((await runBuildit(['store', '--json'], { environment })).stdout);
    expect(usage).toMatchObject({ directory: store, bytes: 0, roots: [] });
    expect(usage.freeBytes).toBeGreaterThan(0);
    expect(await runBuildit(['gc'], { environment })).toEqual({
      exitCode: 0,
      stdout: `0 B freed in ${store}\n`,
      stderr: '',
    });
  });

  test('a dry run says what would go and removes nothing, a real one frees it', async () => {
    const store = join(temporaryDirectory(), 'store');
    const environment = { BUILDIT_STORE: store };
    await runBuildit(['store'], { environment });
    const digest = 'ab'.repeat(32);
    const blob = join(store, `blobs/sha256/ab/${digest}`);
    mkdirSync(join(store, 'blobs/sha256/ab'), { recursive: true });
    writeFileSync(blob, Buffer.alloc(100_000), { mode: 0o444 });
    const dry = await runBuildit(['gc', '--dry-run', '--max-age', '0d'], { environment });
    expect(dry.stdout).toMatch(/^KIND +COUNT\nblobs +1\n10\d kB would come free in /);
    expect(existsSync(blob)).toBe(true);
    const real = JSON.parse((await runBuildit(['gc', '--json', '--max-age', '0d'], { environment })).stdout);
    expect(real).toMatchObject({ dryRun: false, categories: [{ category: 'blobs', count: 1 }] });
    expect(existsSync(blob)).toBe(false);
  });

  test('a store that cannot be made is an error that names it', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'file'), '');
    const run = await runBuildit(['store'], { environment: { BUILDIT_STORE: join(directory, 'file/store') } });
    expect(run.exitCode).toBe(73);
    expect(run.stderr).toContain(join(directory, 'file/store'));
  });
});

describe('buildit doctor', () => {
  requires('bwrap', 'user namespaces').test('ends with 0 on a machine that can build', async () => {
    const { exitCode, stdout, stderr } = await runBuildit(['doctor']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^ok +node /);
    expect(stdout).toMatch(/^ok +user namespaces +work$/m);
    expect(stdout).toMatch(/This machine can build\.\n$/);
  });

  test('ends with 78 and the remedy where something is wrong', async () => {
    const bin = temporaryDirectory();
    writeFileSync(join(bin, 'bwrap'), '#!/bin/sh\necho bubblewrap 0.4.0\n');
    chmodSync(join(bin, 'bwrap'), 0o755);
    chmodSync(bin, 0o755);
    const { exitCode, stdout } = await runBuildit(['doctor'], { environment: { PATH: `${bin}:${process.env.PATH}` } });
    expect(exitCode).toBe(78);
    expect(stdout).toMatch(/^fault +bubblewrap +\S+\/bwrap is 0\.4\.0; 0\.8 or later is needed\n +→ upgrade it, /m);
    expect(stdout).toMatch(/1 fault to mend\.\n$/);
  });

  test('finds a mistake in the configuration and looks at the rest nevertheless', async () => {
    const { exitCode, stdout } = await runBuildit(['doctor', '--json'], { cwd: project('build: {jbos: 3}\n') });
    const { findings } = JSON.parse(stdout) as { findings: { check: string; state: string }[] };
    expect(exitCode).toBe(78);
    expect(findings.find(({ check }) => check === 'configuration')).toMatchObject({ state: 'fault' });
    expect(findings.length).toBeGreaterThan(5);
  });
});
