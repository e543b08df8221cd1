import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStore, type Store } from '../../src/store/store.ts';
import { openTemporary } from '../../src/store/temporary.ts';
import { programCommand, startProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const useTemporary = new URL('./programs/use-temporary.ts', import.meta.url);

function leftIn(store: Store): readonly string[] {
  const top = join(store.directory, 'temporary');
  return readdirSync(top).flatMap((slot) => readdirSync(join(top, slot)));
}

describe('a temporary directory', () => {
  test('is private, in the file system of the store, and gone when released', async () => {
    const store = await openStore(join(temporaryDirectory(), 'store'));
    const first = await openTemporary(store, '../a b');
    const second = await openTemporary(store, '../a b');
    expect(first.path).not.toBe(second.path);
    expect(first.path.startsWith(join(store.directory, 'temporary/'))).toBe(true);
    expect(statSync(first.path).mode & 0o7777).toBe(0o700);
    expect(statSync(first.path).dev).toBe(statSync(store.directory).dev);
    writeFileSync(join(first.path, 'file'), '');
    chmodSync(first.path, 0);
    await first.release();
    await first.release();
    expect(existsSync(first.path)).toBe(false);
    expect(existsSync(second.path)).toBe(true);
  });

  test('stays while its process lives, whoever opens the store', async () => {
    const directory = join(temporaryDirectory(), 'store');
    const { path } = await openTemporary(await openStore(directory), 'mine');
    const other = await openStore(directory);
    expect(existsSync(path)).toBe(true);
    const { path: otherPath } = await openTemporary(other, 'other');
    expect(join(otherPath, '..')).not.toBe(join(path, '..'));
    expect(existsSync(path)).toBe(true);
  });

  test('of a killed process vanishes with its half-written blobs when the store is opened next', async () => {
    const directory = join(temporaryDirectory(), 'store');
    const program = startProgram(programCommand(useTemporary, directory));
    const path = await program.nextLine();
    expect(await program.nextLine()).toBe('writing');
    const living = await openStore(directory);
    expect(leftIn(living)).toHaveLength(2);
    expect(existsSync(path)).toBe(true);
    await program.kill();
    expect(leftIn(await openStore(directory))).toEqual([]);
  });

  test('that was made where there was no flock stays for an hour', async () => {
    const directory = join(temporaryDirectory(), 'store');
    const store = await openStore(directory);
    const hourAgo = Date.now() / 1000 - 3601;
    for (const name of ['old', 'young']) mkdirSync(join(directory, 'temporary/unlocked', name), { recursive: true });
    utimesSync(join(directory, 'temporary/unlocked/old'), hourAgo, hourAgo);
    await openStore(directory);
    expect(leftIn(store)).toEqual(['young']);
  });
});
