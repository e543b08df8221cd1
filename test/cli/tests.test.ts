import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { requires } from '../support/requires.ts';
import { runBuildit } from '../support/run-buildit.ts';
import { sharedStore, writeTinyContainer } from '../support/tiny-container.ts';
import { traversableDirectory } from '../support/traversable-directory.ts';

const store = sharedStore();
const needs = requires('bwrap', 'user namespaces', 'archive');

/** A container whose package gets these lines more, and its container.yaml those. */
function tested(packageLines: string, containerLines = '') {
  const cwd = traversableDirectory();
  const directory = join(cwd, 'tiny');
  writeTinyContainer(directory, { build: `echo ${Math.random()} >result` });
  appendFileSync(join(directory, 'pkgs/tiny/pkg.yaml'), packageLines);
  appendFileSync(join(directory, 'container.yaml'), containerLines);
  const environment = { PATH: process.env.PATH!, HOME: cwd, BUILDIT_STORE: store.path(), LC_ALL: 'C.UTF-8' };
  return { directory, run: (...argv: string[]) => runBuildit(argv, { cwd, environment }) };
}

function rewrite(path: string, from: string, to: string): void {
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

const PACKAGE = `dependencies: {test: [debian/coreutils, debian/dash]}
test:
  - {run: [cat, /usr/share/tiny/result], stdout: "0."}
  - {name: holds nothing else, script: "test ! -e /usr/bin/tar; test ! -e /usr/bin/bash"}
`;

needs.test('tests of a package run in what an image of it holds, and again when they are asked for', async () => {
  const { run } = tested(PACKAGE);
  const built = await run('tiny');
  expect(built, built.stderr).toMatchObject({ exitCode: 0 });
  expect(built.stdout).not.toContain('Testing');

  const again = await run('test', '--json', 'tiny');
  expect(again, again.stderr).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(again.stdout)).toEqual({
    tested: [{ title: 'test/tiny-1.0.0', tests: ['cat /usr/share/tiny/result', 'holds nothing else'], failed: [] }],
  });
  const plain = await run('test', 'tiny/pkgs/tiny');
  expect(plain).toMatchObject({ exitCode: 0, stdout: 'Testing test/tiny-1.0.0... [OK]\n', stderr: '' });
});

needs.test('a package that fails its tests is not kept, and its HASH does not depend on them', async () => {
  const { directory, run } = tested(PACKAGE.replace('"0."', 'another'));
  const failed = await run('tiny');
  expect(failed.exitCode).toBe(11);
  expect(failed.stdout).toMatch(/Defaulting to local build\.\.\. \[FAILED\]\n$/);
  expect(failed.stderr).toContain('expected "another" in its standard output, found "0.');
  expect(failed.stderr).toMatch(/pkgs\/tiny\/pkg\.yaml:\d+:5\n/);
  expect(failed.stderr).toContain('buildit shell tiny/pkgs/tiny --test');
  expect(existsSync(join(directory, 'out'))).toBe(false);
  expect(await run('test', 'tiny')).toMatchObject({
    exitCode: 66,
    stderr: expect.stringContaining('expected it to be built, found nothing under its HASH'),
  });

  const hash = /^HASH: .*$/m.exec(failed.stdout)![0];
  rewrite(join(directory, 'pkgs/tiny/pkg.yaml'), 'another', '"0."');
  const mended = await run('tiny');
  expect(mended, mended.stderr).toMatchObject({ exitCode: 0 });
  expect(mended.stdout).toContain(`${hash}\nCan't find HASH in any known location...\n`);
});

needs.test('--no-test builds what fails its tests, and they fail when they are asked for', async () => {
  const { run } = tested(PACKAGE.replace('"0."', 'another'));
  expect(await run('tiny', '--no-test')).toMatchObject({ exitCode: 0 });
  const failed = await run('test', 'tiny');
  expect(failed).toMatchObject({ exitCode: 11, stdout: 'Testing test/tiny-1.0.0... [FAILED]\n' });
});

const CONTAINER = `- package: {type: debian, name: dash}
- file: {dest: /etc/motd, content: "of {{ name }}"}
- test:
    - name: has a message
      script: read -r line </etc/motd || true; echo "$line"
      stdout: of tiny
`;

needs.test('nothing is written of a container whose image fails its tests', async () => {
  const { directory, run } = tested('', CONTAINER);
  const yaml = join(directory, 'container.yaml');
  rewrite(yaml, '- base: none\n', '');
  rewrite(yaml, 'stdout: of tiny', 'stdout: of nobody');
  const failed = await run('tiny');
  expect(failed, failed.stderr).toMatchObject({ exitCode: 11 });
  expect(failed.stdout).toMatch(/Packaging tiny-1\.0\.0 as OCI\.\.\. \[OK\]\nTesting tiny-1\.0\.0\.\.\. \[FAILED\]\n$/);
  expect(failed.stderr).toContain(
    'Cannot pass the test "has a message" of "tiny-1.0.0": expected "of nobody" in its standard output, found "of tiny"',
  );
  expect(failed.stderr).toMatch(/container\.yaml:\d+:7\n/);
  expect(existsSync(join(directory, 'out'))).toBe(false);

  rewrite(yaml, 'stdout: of nobody', 'stdout: of tiny');
  const passed = await run('tiny');
  expect(passed, passed.stderr).toMatchObject({ exitCode: 0 });
  expect(passed.stdout).toMatch(/Testing tiny-1\.0\.0\.\.\. \[OK\]\n$/);
  expect(existsSync(join(directory, 'out/oci/index.json'))).toBe(true);
  const byReceipt = await run('tiny');
  expect(byReceipt.stdout).toMatch(/Packaging tiny-1\.0\.0 as OCI\.\.\. \[OK\]\nTesting tiny-1\.0\.0\.\.\. \[OK\]\n$/);

  rmSync(join(directory, 'out'), { recursive: true });
  expect(await run('test', 'tiny')).toMatchObject({ exitCode: 0, stdout: 'Testing tiny-1.0.0... [OK]\n' });
});
