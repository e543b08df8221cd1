import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { composeRoot } from '../../src/build/compose-root.ts';
import { createLocalExecutor } from '../../src/build/local-executor.ts';
import { bubblewrapInTree, hostBubblewrap, isUsableBubblewrap } from '../../src/build/sandbox-program.ts';
import { keepHostLayer } from '../support/host-root.ts';
import { programPath, requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { openLocal } from './open-harness.ts';
import { build, requestFor } from './run-request.ts';

describe('the bubblewrap of the host', () => {
  test('must be 0.8.0 or later', () => {
    expect(
      ['0.8.0', '0.8.1', '0.11.0', '1.0.0'].filter((version) => isUsableBubblewrap(`bubblewrap ${version}\n`)),
    ).toEqual([...['0.8.0', '0.8.1', '0.11.0', '1.0.0']]);
    for (const text of ['bubblewrap 0.7.9\n', 'bubblewrap 0.4.1\n', 'bwrap 1.0.0\n', '']) {
      expect(isUsableBubblewrap(text)).toBe(false);
    }
  });

  test('is passed over where it is missing, too old or set-uid', () => {
    const program = join(temporaryDirectory(), 'bwrap');
    const find = () => program;
    expect(hostBubblewrap(() => undefined)).toBe(undefined);
    writeFileSync(program, '#!/bin/sh\necho bubblewrap 0.4.1\n', { mode: 0o755 });
    expect(hostBubblewrap(find)).toBe(undefined);
    writeFileSync(program, '#!/bin/sh\necho bubblewrap 0.9.0\n');
    expect(hostBubblewrap(find)).toEqual([program]);
    chmodSync(program, 0o4755);
    expect(hostBubblewrap(find)).toBe(undefined);
  });
});

requires('bwrap', 'user namespaces', 'ldd').test(
  'a bubblewrap out of a tree builds through its own loader',
  async () => {
    const harness = await openLocal();
    const layer = await keepHostLayer(harness.store, ['bwrap']);
    const tree = await composeRoot(harness.store, [layer.diffId], async () => ({ label: 'bubblewrap', layer }));
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const command = bubblewrapInTree(tree.path, { os: 'linux', architecture });
    // The host's loader lies in usr/lib64; a Debian libc6 has it beside its libraries.
    const loader = join(temporaryDirectory(), 'loader');
    copyFileSync(
      spawnSync('readlink', ['-f', loaderOf(programPath('bwrap')!)], { encoding: 'utf8' }).stdout.trim(),
      loader,
    );
    chmodSync(loader, 0o755);
    chmodSync(join(loader, '..'), 0o755);
    const executor = createLocalExecutor({ ...harness.sandbox, bubblewrap: [loader, ...command.slice(1)] });
    const { files } = await build({ executor }, requestFor(harness, { install: 'echo tree >"$DESTDIR/x"' }));
    expect(files).toEqual({ x: 'tree\n' });
  },
);

function loaderOf(program: string): string {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return /^\s+(\/\S+ld-linux\S*) \(/m.exec(stdout)![1]!;
}
