import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as always, expect } from 'vitest';
import { hostBubblewrap } from '../../src/build/sandbox-program.ts';
import { trySandbox } from '../../src/build/try-sandbox.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Writes down its arguments and ends as the exit code says. */
function fakeBubblewrap(exitCode: number): { readonly program: string; argv(): string } {
  const directory = temporaryDirectory();
  const [program, log] = [join(directory, 'bwrap'), join(directory, 'log')];
  writeFileSync(program, `#!/bin/sh\necho "$*" >> ${log}\necho said >&2\nexit ${exitCode}\n`, { mode: 0o755 });
  return { program, argv: () => readFileSync(log, 'utf8') };
}

always('asks for all that a build asks for, then for a test', async () => {
  const { program, argv } = fakeBubblewrap(0);
  expect(await trySandbox([program], undefined)).toMatchObject({ isStarted: true });
  const [build, test] = argv().split('\n');
  for (const part of [
    '--unshare-all',
    '--disable-userns',
    '--hostname localhost',
    '--proc /proc',
    '--dev /dev',
    '--seccomp',
  ]) {
    expect(build).toContain(part.replace('--seccomp', 'seccomp'));
  }
  expect(test).toContain('CAP_NET_BIND_SERVICE');
  expect(test).not.toContain('--disable-userns');
});

always('gives the words of a bubblewrap that fails, and of none', async () => {
  const { program, argv } = fakeBubblewrap(1);
  expect(await trySandbox([program], undefined)).toEqual({ isStarted: false, output: 'said' });
  expect(argv().trim().split('\n')).toHaveLength(1);
  expect(await trySandbox(['/nonexistent/bwrap'], undefined)).toMatchObject({
    isStarted: false,
    output: expect.stringContaining('ENOENT'),
  });
});

requires('bwrap', 'user namespaces').test('starts on a machine that can build', async () => {
  expect(await trySandbox(hostBubblewrap()!, undefined)).toMatchObject({ isStarted: true, output: '' });
});
