import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { acquireLock } from '../../src/system/lock.ts';
import { programPath, requires } from '../support/requires.ts';
import { programCommand, startProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const holdLock = new URL('./programs/hold-lock.ts', import.meta.url);
const lockWithoutFlock = new URL('./programs/lock-without-flock.ts', import.meta.url);

describe('a lock', () => {
  test('that is exclusive keeps everybody else out until it is released', async () => {
    const path = join(temporaryDirectory(), 'lock');
    const lock = await acquireLock(path, 'exclusive');
    expect(await acquireLock(path, 'exclusive', { wait: false })).toBeUndefined();
    expect(await acquireLock(path, 'shared', { wait: false })).toBeUndefined();
    lock.release();
    const next = await acquireLock(path, 'exclusive', { wait: false });
    expect(next).toBeDefined();
    next?.release();
  });

  test('that is shared keeps out only those who want it for themselves', async () => {
    const path = join(temporaryDirectory(), 'lock');
    const first = await acquireLock(path, 'shared');
    const second = await acquireLock(path, 'shared', { wait: false });
    expect(second).toBeDefined();
    first.release();
    expect(await acquireLock(path, 'exclusive', { wait: false })).toBeUndefined();
    second?.release();
    (await acquireLock(path, 'exclusive')).release();
  });

  test('goes to the one who waits, who was told that it takes time, while timers go on', async () => {
    const path = join(temporaryDirectory(), 'lock');
    const lock = await acquireLock(path, 'exclusive');
    let told = 0;
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 10);
    setTimeout(() => lock.release(), 500);
    const next = await acquireLock(path, 'exclusive', { onWait: () => (told += 1) });
    clearInterval(ticking);
    next.release();
    expect(told).toBe(1);
    expect(ticks).toBeGreaterThan(10);
  });

  test('is not waited for any longer once the signal is aborted', async () => {
    const path = join(temporaryDirectory(), 'lock');
    const lock = await acquireLock(path, 'exclusive');
    const reason = new Error('enough');
    await expect(acquireLock(path, 'exclusive', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 50);
    await expect(acquireLock(path, 'exclusive', { signal: controller.signal })).rejects.toBe(reason);
    lock.release();
    (await acquireLock(path, 'exclusive', { wait: false }))!.release();
  });

  test('that is released twice does not take another descriptor with it', async () => {
    const directory = temporaryDirectory();
    const lock = await acquireLock(join(directory, 'a'), 'exclusive');
    lock.release();
    const other = await acquireLock(join(directory, 'b'), 'exclusive');
    lock.release();
    expect(await acquireLock(join(directory, 'b'), 'exclusive', { wait: false })).toBeUndefined();
    other.release();
    expect(existsSync(lock.path)).toBe(true);
  });

  test('of a process that is killed goes to the one who waits', async () => {
    const path = join(temporaryDirectory(), 'lock');
    const holder = startProgram(programCommand(holdLock, path, 'exclusive'));
    expect(await holder.nextLine()).toBe('held');
    expect(await acquireLock(path, 'shared', { wait: false })).toBeUndefined();
    const waiting = acquireLock(path, 'exclusive');
    await holder.kill();
    (await waiting).release();
  });

  test('is not kept by programs that were started while it was held', async () => {
    const path = join(temporaryDirectory(), 'lock');
    const lock = await acquireLock(path, 'exclusive');
    const child = startProgram(['sleep', '30']);
    lock.release();
    (await acquireLock(path, 'exclusive', { wait: false }))!.release();
    expect(child.child.exitCode).toBeNull();
  });

  test('below a directory that is not there names the path', async () => {
    const path = join(temporaryDirectory(), 'nowhere', 'lock');
    await expect(acquireLock(path, 'exclusive')).rejects.toMatchObject({
      code: 'cannot-write',
      message: `Cannot lock "${path}": expected a place this user may write to, found no such directory`,
    });
  });

  requires('user namespaces', 'flock').test('needs a flock, which may come from elsewhere', async () => {
    const directory = temporaryDirectory();
    const flock = programPath('flock')!;
    const copy = join(directory, 'flock');
    copyFileSync(flock, copy);
    const hiding = 'mount --bind /dev/null "$0" && exec "$@"';
    const withoutFlock = (...command: string[]) =>
      startProgram([
        ...['unshare', '-Urm', 'sh', '-c', hiding, flock],
        ...programCommand(lockWithoutFlock, join(directory, 'lock'), ...command),
      ]).ended();
    expect(await withoutFlock()).toMatchObject({ stdout: 'sandbox-unavailable\n' });
    expect(await withoutFlock('/usr/bin/env', copy)).toMatchObject({ stdout: 'locked\n' });
  });
});
