import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createLocalExecutor, type LocalSandbox } from '../../src/build/local-executor.ts';
import { openStore } from '../../src/store/store.ts';
import { removeTree } from '../../src/system/files.ts';
import { createDummyExecutor } from '../support/dummy-executor.ts';
import { keepHostLayer } from '../support/host-root.ts';
import { programPath } from '../support/requires.ts';
import { traversableDirectory } from '../support/traversable-directory.ts';
import { applyLines } from './apply-lines.ts';
import type { ExecutorHarness } from './run-request.ts';

export interface LocalHarness extends ExecutorHarness {
  readonly sandbox: LocalSandbox;
}

/** The sandbox of this machine, on a root of its own programs. One for all tests of a file: requests tell them apart. */
export function openLocal(): Promise<LocalHarness> {
  local ??= makeLocal();
  return local;
}

let local: Promise<LocalHarness> | undefined;

async function makeLocal(): Promise<LocalHarness> {
  const store = await openStore(join(fileDirectory(), 'store'));
  const layer = await keepHostLayer(store);
  const sandbox: LocalSandbox = {
    store,
    bubblewrap: [programPath('bwrap')!],
    findMember: async () => ({ label: 'host', layer }),
    applyPatches: applyLines,
  };
  return { store, sandbox, executor: createLocalExecutor(sandbox), root: [layer.diffId] };
}

export async function openDummy(): Promise<ExecutorHarness> {
  const store = await openStore(join(traversableDirectory(), 'store'));
  return { store, executor: createDummyExecutor(store, applyLines), root: [] };
}

let directory: string | undefined;

/** A directory that builds of root can reach, removed when the file's tests have run. */
function fileDirectory(): string {
  directory ??= mkdtempSync(join(tmpdir(), 'buildit-test-'));
  chmodSync(directory, 0o755);
  return directory;
}

afterAll(async () => {
  if (directory !== undefined) await removeTree(directory);
});
