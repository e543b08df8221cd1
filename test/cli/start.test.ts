import { execFile } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installation } from '../support/run-buildit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A copy of some of the installation, and what starting it there says. */
function startCopy(...names: readonly string[]): Promise<{ exitCode: number; stderr: string; directory: string }> {
  const directory = temporaryDirectory();
  for (const name of names) {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    cpSync(join(installation, name), join(directory, name), { recursive: true });
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [join(directory, 'bin/buildit.js'), '--version'], (error, _, stderr) => {
      resolve({ exitCode: Number(error?.code ?? 0), stderr, directory });
    });
  });
}

test('a clone that is not compiled says what to run', async () => {
  const { exitCode, stderr, directory } = await startCopy('package.json', 'bin');
  expect(stderr).toBe(`error: Cannot start "buildit": it is not compiled: run \`npm ci\` in ${directory}\n`);
  expect(exitCode).toBe(78);
});

test('a clone without its libraries says what to run', async () => {
  const { exitCode, stderr, directory } = await startCopy('package.json', 'bin', 'dist');
  expect(stderr).toBe(`error: Cannot start "buildit": its libraries are missing: run \`npm ci\` in ${directory}\n`);
  expect(exitCode).toBe(78);
});
