import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { linkBlob } from '../../src/store/link-blob.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { openStore } from '../../src/store/store.ts';
import { blobPath } from '../../src/store/store-paths.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function storeBeside() {
  const directory = temporaryDirectory();
  const store = await openStore(join(directory, 'store'));
  const { digest } = await putBlob(store, Buffer.from('hello'));
  const out = join(directory, 'out');
  mkdirSync(out);
  return { store, digest, out, directory };
}

describe('linkBlob', () => {
  test('gives the blob a second name instead of copying it', async () => {
    const { store, digest, out } = await storeBeside();
    await linkBlob(store, digest, join(out, 'blob'));
    expect(statSync(join(out, 'blob')).ino).toBe(statSync(blobPath(store, digest)).ino);
    await linkBlob(store, digest, join(out, 'blob'));
    expect(readdirSync(out)).toEqual(['blob']);
  });

  test('replaces what is there, and a symbolic link rather than what it points to', async () => {
    const { store, digest, out } = await storeBeside();
    writeFileSync(join(out, 'old'), 'old');
    symlinkSync('old', join(out, 'blob'));
    await linkBlob(store, digest, join(out, 'blob'));
    expect(readFileSync(join(out, 'blob'), 'utf8')).toBe('hello');
    expect(readFileSync(join(out, 'old'), 'utf8')).toBe('old');
    await linkBlob(store, digest, join(out, 'old'));
    expect(readFileSync(join(out, 'old'), 'utf8')).toBe('hello');
    expect(readdirSync(out).sort()).toEqual(['blob', 'old']);
  });

  test('copies to another file system', async () => {
    const { store, digest } = await storeBeside();
    const other = mkdtempSync('/dev/shm/buildit-test-');
    onTestFinished(() => rmSync(other, { recursive: true }));
    expect(statSync(other).dev).not.toBe(statSync(store.directory).dev);
    await linkBlob(store, digest, join(other, 'blob'));
    expect(readFileSync(join(other, 'blob'), 'utf8')).toBe('hello');
    expect(statSync(join(other, 'blob')).mode & 0o7777).toBe(0o444);
    expect(readdirSync(other)).toEqual(['blob']);
  });

  test('never links a damaged blob', async () => {
    const { store, digest, out } = await storeBeside();
    chmodSync(blobPath(store, digest), 0o644);
    writeFileSync(blobPath(store, digest), 'jello');
    await expect(linkBlob(store, digest, join(out, 'blob'))).rejects.toMatchObject({ code: 'store-damaged' });
    expect(readdirSync(out)).toEqual([]);
  });

  test('mends what was spoilt through the other name', async () => {
    const { store, digest, out } = await storeBeside();
    await linkBlob(store, digest, join(out, 'blob'));
    chmodSync(join(out, 'blob'), 0o644);
    writeFileSync(join(out, 'blob'), 'jello');
    await expect(linkBlob(store, digest, join(out, 'blob'))).rejects.toMatchObject({ code: 'store-damaged' });
    await putBlob(store, Buffer.from('hello'));
    await linkBlob(store, digest, join(out, 'blob'));
    expect(readFileSync(join(out, 'blob'), 'utf8')).toBe('hello');
  });

  test('names the path it cannot write', async () => {
    const { store, digest, out } = await storeBeside();
    await expect(linkBlob(store, digest, join(out, 'no', 'blob'))).rejects.toMatchObject({
      code: 'cannot-write',
      message: `Cannot write "${out}/no/blob": expected a place this user may write to, found no such directory`,
    });
  });
});
