import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claimBuildOwner, isInitialUserNamespace, isRealRoot } from '../../src/build/build-owner.ts';
import { openStore } from '../../src/store/store.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { openLocal } from './open-harness.ts';
import { requestFor, run } from './run-request.ts';

test('uid 0 of another user namespace is an ordinary user', () => {
  expect(isInitialUserNamespace('         0          0 4294967295\n')).toBe(true);
  expect(isInitialUserNamespace('         0       1000          1\n')).toBe(false);
  expect(isInitialUserNamespace('         0     100000      65536\n')).toBe(false);
  expect(isInitialUserNamespace('         0          0 4294967295\n         1          1          1\n')).toBe(false);
});

requires('ordinary user').test('an ordinary user builds as itself', async () => {
  const store = await openStore(join(temporaryDirectory(), 'store'));
  expect(isRealRoot()).toBe(false);
  expect((await claimBuildOwner(store)).owner).toBe(undefined);
});

requires('root').test('each of the builds of root that run at once has an unprivileged uid of its own', async () => {
  const store = await openStore(join(temporaryDirectory(), 'store'));
  const first = await claimBuildOwner(store);
  const second = await claimBuildOwner(store);
  expect(first.owner!.uid).toBeGreaterThanOrEqual(0x7000_0000);
  expect(second.owner!.uid).toBe(first.owner!.uid + 1);
  first.release();
  const third = await claimBuildOwner(store);
  expect(third.owner).toEqual(first.owner);
  second.release();
  third.release();
});

requires('root', 'bwrap').test('what a build of root leaves belongs to nobody of this machine', async () => {
  const harness = await openLocal();
  const script = 'echo x >"$DESTDIR/x"; chmod 6755 "$DESTDIR/x"';
  const { result } = await run(harness, requestFor(harness, { install: script }));
  if (result.kind !== 'built') throw new Error(result.explanation);
  const slot = join(harness.store.directory, 'temporary/0');
  const workspace = join(slot, readdirSync(slot).find((name) => name.startsWith('build-'))!);
  expect(lstatSync(join(workspace, 'out/x')).uid).toBeGreaterThanOrEqual(0x7000_0000);
  expect(lstatSync(join(workspace, 'out')).mode & 0o077).toBe(0);
  await result.release();
});
