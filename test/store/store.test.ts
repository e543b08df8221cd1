import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { putBlob } from '../../src/store/put-blob.ts';
import { openStore, untraversableDirectory } from '../../src/store/store.ts';
import { STORE_DIRECTORIES } from '../../src/store/store-paths.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('openStore', () => {
  test('makes a store that every user can pass through, whatever the umask', async () => {
    const directory = join(temporaryDirectory(), 'a/b/store');
    const umask = process.umask(0o077);
    const store = await openStore(directory).finally(() => process.umask(umask));
    expect(store.directory).toBe(directory);
    expect(readdirSync(directory).sort()).toEqual([...STORE_DIRECTORIES, 'format'].sort());
    expect(readFileSync(join(directory, 'format'), 'utf8')).toBe('buildit store 1\n');
    for (const name of ['..', '.', ...STORE_DIRECTORIES]) {
      expect([name, statSync(join(directory, name)).mode & 0o777]).toEqual([name, 0o755]);
    }
  });

  test('finds again what was kept', async () => {
    const directory = join(temporaryDirectory(), 'store');
    const { digest } = await putBlob(await openStore(directory), Buffer.from('x'));
    expect(await putBlob(await openStore(directory), Buffer.from('x'))).toEqual({ digest, size: 1 });
  });

  test('finishes a creation that was cut short', async () => {
    const directory = join(temporaryDirectory(), 'store');
    await openStore(directory);
    rmSync(join(directory, 'format'));
    rmSync(join(directory, 'uses'), { recursive: true });
    await openStore(directory);
    expect(statSync(join(directory, 'uses')).isDirectory()).toBe(true);
  });

  test('refuses a directory that is used for something else', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'thesis.tex'), '');
    await expect(openStore(directory)).rejects.toMatchObject({
      code: 'configuration-invalid',
      message: `Cannot use "${directory}" as a store: expected an empty directory, found "thesis.tex" in it`,
    });
    expect(readdirSync(directory)).toEqual(['thesis.tex']);
  });

  test('refuses a store of another format', async () => {
    const directory = join(temporaryDirectory(), 'store');
    await openStore(directory);
    for (const [text, found] of [
      ['buildit store 2\n', 'format 2'],
      ['', '""'],
      ['something\u001b', '"something\\u001b"'],
    ]) {
      writeFileSync(join(directory, 'format'), text!);
      await expect(openStore(directory)).rejects.toMatchObject({
        code: 'configuration-invalid',
        message: `Cannot open the store "${directory}": expected format 1, found ${found}`,
      });
    }
  });

  test('names the place where no store can be made', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'file'), '');
    await expect(openStore(join(directory, 'file/store'))).rejects.toMatchObject({ code: 'cannot-write' });
  });

  test('can tell which directory shuts other users out', async () => {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o755);
    mkdirSync(join(directory, 'closed'), { mode: 0o700 });
    expect(untraversableDirectory(await openStore(join(directory, 'closed/store')))).toBe(join(directory, 'closed'));
    expect(untraversableDirectory(await openStore(join(directory, 'store')))).toBeUndefined();
  });
});
