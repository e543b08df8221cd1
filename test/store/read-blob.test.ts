import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Digest, sha256 } from '../../src/model/digest.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { blobSize, holdsBlob, openBlob, readBlob, verifyBlob } from '../../src/store/read-blob.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { blobPath } from '../../src/store/store-paths.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function storeWith(bytes: Uint8Array): Promise<{ store: Store; digest: Digest; warnings: string[] }> {
  const warnings: string[] = [];
  const store = await openStore(join(temporaryDirectory(), 'store'), { onWarning: (text) => warnings.push(text) });
  const { digest } = await putBlob(store, bytes);
  return { store, digest, warnings };
}

function flipOneBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
}

async function drain(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a blob', () => {
  test('is read whole and as a stream, with its size', async () => {
    const bytes = Buffer.alloc(9 * 1024 * 1024 + 7, 'some bytes');
    const { store, digest } = await storeWith(bytes);
    expect((await readBlob(store, digest)).equals(bytes)).toBe(true);
    expect((await drain(openBlob(store, digest))).equals(bytes)).toBe(true);
    expect(await verifyBlob(store, digest)).toBe(bytes.length);
    expect(await blobSize(store, digest)).toBe(bytes.length);
  });

  test('may be empty', async () => {
    const { store, digest } = await storeWith(Buffer.alloc(0));
    expect(await readBlob(store, digest)).toHaveLength(0);
    expect(await drain(openBlob(store, digest))).toHaveLength(0);
    expect(await holdsBlob(store, digest, 0)).toBe(true);
  });

  const readers: readonly [string, (store: Store, digest: Digest) => Promise<unknown>][] = [
    ['read whole', readBlob],
    ['streamed', (store, digest) => drain(openBlob(store, digest))],
    ['verified', verifyBlob],
  ];
  test.each(readers)('with one flipped bit is never %s: it is removed, said, and an error', async (_, read) => {
    const { store, digest, warnings } = await storeWith(Buffer.alloc(100_000, 'x'));
    flipOneBit(blobPath(store, digest));
    await expect(read(store, digest)).rejects.toMatchObject({
      code: 'store-damaged',
      message: `Cannot read "sha256:${digest}" from the store: expected the bytes of that digest, found others`,
    });
    expect(existsSync(blobPath(store, digest))).toBe(false);
    expect(await blobSize(store, digest)).toBeUndefined();
    expect(warnings).toEqual([`the blob ${digest} in the store was damaged and has been removed`]);
  });

  test.each(readers)('that is not there is not %s', async (_, read) => {
    const { store } = await storeWith(Buffer.from('x'));
    await expect(read(store, sha256('other'))).rejects.toMatchObject({ code: 'file-missing' });
  });

  test.each(readers)('is never %s through a symbolic link', async (_, read) => {
    const { store, digest } = await storeWith(Buffer.from('secret'));
    const elsewhere = join(store.directory, '..', 'secret');
    writeFileSync(elsewhere, 'secret');
    rmSync(blobPath(store, digest));
    symlinkSync(elsewhere, blobPath(store, digest));
    await expect(read(store, digest)).rejects.toMatchObject({ code: 'file-missing' });
    expect(await blobSize(store, digest)).toBeUndefined();
    await putBlob(store, Buffer.from('secret'));
    expect((await readBlob(store, digest)).toString()).toBe('secret');
  });

  test('is not read beyond the bytes allowed', async () => {
    const { store, digest } = await storeWith(Buffer.alloc(11));
    await expect(readBlob(store, digest, { maxBytes: 10 })).rejects.toMatchObject({ code: 'input-invalid' });
    expect(await readBlob(store, digest, { maxBytes: 11 })).toHaveLength(11);
  });

  test('may be left before its end', async () => {
    const { store, digest } = await storeWith(Buffer.alloc(5 * 1024 * 1024));
    for await (const chunk of openBlob(store, digest)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(await holdsBlob(store, digest, 5 * 1024 * 1024)).toBe(true);
    expect(await holdsBlob(store, digest, 5)).toBe(false);
  });

  test('is never looked for under a name that is no digest', async () => {
    const { store } = await storeWith(Buffer.from('x'));
    mkdirSync(join(dirname(store.directory), 'aa'));
    for (const name of ['', '..', '../../../aa', sha256('x').toUpperCase(), `${sha256('x')}/..`]) {
      expect(() => blobPath(store, name)).toThrow(TypeError);
    }
  });
});

test('a directory in the place of a blob is removed like a damaged one', async () => {
  for (const read of [
    (store: Store, digest: string) => readBlob(store, digest),
    (store: Store, digest: string) => verifyBlob(store, digest),
    async (store: Store, digest: string) => {
      for await (const _ of openBlob(store, digest));
    },
  ]) {
    const store = await openStore(join(temporaryDirectory(), 'store'));
    const digest = 'ab'.repeat(32);
    mkdirSync(join(blobPath(store, digest), 'in it'), { recursive: true });
    await expect(read(store, digest)).rejects.toMatchObject({ code: 'store-damaged' });
    expect(existsSync(blobPath(store, digest))).toBe(false);
  }
});

test('a store whose directories were removed makes them again', async () => {
  const { directory } = await openStore(join(temporaryDirectory(), 'store'));
  for (const name of ['locks', 'temporary', 'blobs']) rmSync(join(directory, name), { recursive: true, force: true });
  const store = await openStore(directory);
  expect(existsSync(join(store.directory, 'locks'))).toBe(true);
});
