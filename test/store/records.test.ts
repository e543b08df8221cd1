import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/model/canonical-json.ts';
import { sha256 } from '../../src/model/digest.ts';
import { isText, objectOf } from '../../src/model/json-shape.ts';
import type { LayerBlob } from '../../src/model/layer.ts';
import { writeDocument } from '../../src/store/document.ts';
import { readEncoding, writeEncoding } from '../../src/store/encodings.ts';
import { readNote, writeNote } from '../../src/store/notes.ts';
import { plainJson } from '../../src/store/plain-json.ts';
import { findByBuildKey, listRecords, readRecord, recordHashes, writeRecord } from '../../src/store/records.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { buildKeyPath, encodingPath, notePath, recordPath } from '../../src/store/store-paths.ts';
import { recordOf } from '../support/records.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const zlib = recordOf('zlib');
const recordJson = plainJson(zlib) as { readonly [key: string]: JsonValue };
const blob: LayerBlob = {
  encoder: 'zstd-3',
  mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd',
  digest: sha256('blob'),
  size: 4,
};

async function freshStore(): Promise<{ store: Store; warnings: string[] }> {
  const warnings: string[] = [];
  const store = await openStore(join(temporaryDirectory(), 'store'), { onWarning: (text) => warnings.push(text) });
  return { store, warnings };
}

describe('a record', () => {
  test('is found by its HASH and by its build key', async () => {
    const { store } = await freshStore();
    await writeRecord(store, zlib);
    await writeRecord(store, recordOf('libc6', { kind: 'debian', buildKey: undefined }));
    expect(await readRecord(store, zlib.hash)).toEqual(zlib);
    expect(await findByBuildKey(store, zlib.buildKey!)).toEqual({ record: zlib, seal: undefined, origin: undefined });
    expect(await readRecord(store, sha256('other'))).toBeUndefined();
    expect(await findByBuildKey(store, sha256('other'))).toBeUndefined();
    expect((await listRecords(store)).map(({ name }) => name).sort()).toEqual(['libc6', 'zlib']);
    expect(recordHashes(store)).toEqual([zlib.hash, recordOf('libc6').hash].sort());
  });

  test('replaces an earlier one of its HASH', async () => {
    const { store } = await freshStore();
    await writeRecord(store, zlib);
    await writeRecord(store, { ...zlib, builder: 'another' });
    expect((await readRecord(store, zlib.hash))?.builder).toBe('another');
  });

  test('is not found by a build key it no longer has', async () => {
    const { store } = await freshStore();
    await writeRecord(store, zlib);
    await writeRecord(store, { ...zlib, buildKey: sha256('new') });
    expect(await findByBuildKey(store, zlib.buildKey!)).toBeUndefined();
    expect(await findByBuildKey(store, sha256('new'))).toMatchObject({ record: { name: 'zlib' } });
  });

  test('of another format is a miss', async () => {
    const { store, warnings } = await freshStore();
    await writeRecord(store, { ...zlib, format: 99 as never });
    expect(await readRecord(store, zlib.hash)).toBeUndefined();
    expect(warnings).toEqual([]);
  });
});

const isThing = objectOf({
  value: (value): value is readonly unknown[] => Array.isArray(value),
});

describe('an encoding and a note', () => {
  test('are found by all of what they were kept under', async () => {
    const { store } = await freshStore();
    await writeEncoding(store, zlib.hash, blob);
    expect(await readEncoding(store, zlib.hash, 'zstd-3')).toEqual(blob);
    expect(await readEncoding(store, zlib.hash, 'zstd-4')).toBeUndefined();
    expect(await readEncoding(store, sha256('other'), 'zstd-3')).toBeUndefined();
    await writeNote(store, 'index', 'any text\u0000at ../all', { value: [1, null, 'ü'] });
    expect(await readNote(store, 'index', 'any text\u0000at ../all', isThing)).toEqual({ value: [1, null, 'ü'] });
    expect(await readNote(store, 'index', 'another', isText)).toBeUndefined();
    expect(await readNote(store, 'another', 'any text\u0000at ../all', isText)).toBeUndefined();
    await expect(writeNote(store, '../index', 'key', 1)).rejects.toThrow(TypeError);
  });
});

describe('damage', () => {
  const documents: readonly [string, (store: Store) => Promise<{ path: string; read: () => Promise<unknown> }>][] = [
    [
      'a record',
      async (store) => {
        await writeRecord(store, zlib);
        return { path: recordPath(store, zlib.hash), read: () => readRecord(store, zlib.hash) };
      },
    ],
    [
      'a build key',
      async (store) => {
        await writeRecord(store, zlib);
        return { path: buildKeyPath(store, zlib.buildKey!), read: () => findByBuildKey(store, zlib.buildKey!) };
      },
    ],
    [
      'an encoding',
      async (store) => {
        await writeEncoding(store, zlib.hash, blob);
        return { path: encodingPath(store, zlib.hash, 'zstd-3'), read: () => readEncoding(store, zlib.hash, 'zstd-3') };
      },
    ],
    [
      'a note',
      async (store) => {
        await writeNote(store, 'try', 'key', 'value');
        return { path: notePath(store, 'try', 'key'), read: () => readNote(store, 'try', 'key', isText) };
      },
    ],
  ];

  test.each(documents)('of any one byte of %s makes it a miss, removed with a warning', async (_, make) => {
    const { store, warnings } = await freshStore();
    const { path, read } = await make(store);
    const whole = readFileSync(path);
    expect(await read()).toBeDefined();
    for (let index = 0; index < whole.length; index += 1) {
      const damaged = Buffer.from(whole);
      damaged[index]! ^= 1 << (index % 8);
      writeFileSync(path, damaged);
      expect([index, await read()]).toEqual([index, undefined]);
      expect(existsSync(path)).toBe(false);
    }
    expect(warnings).toHaveLength(whole.length);
    expect(warnings[0]).toMatch(/^"\S+" in the store was damaged and is made again when needed$/);
    writeFileSync(path, whole);
    expect(await read()).toBeDefined();
  });

  test.each(documents)('by cutting or lengthening %s makes it a miss', async (_, make) => {
    const { store } = await freshStore();
    const { path, read } = await make(store);
    const whole = readFileSync(path);
    for (const bytes of [
      Buffer.alloc(0),
      whole.subarray(0, 64),
      whole.subarray(0, -1),
      Buffer.concat([whole, whole]),
    ]) {
      writeFileSync(path, bytes);
      expect(await read()).toBeUndefined();
    }
  });

  test.each(documents)('of the shape of %s makes it a miss, removed with one warning', async (name, make) => {
    const { store, warnings } = await freshStore();
    const { path, read } = await make(store);
    const odd: readonly JsonValue[] = [
      null,
      [],
      { format: 1 },
      { record: null },
      { record: { ...recordJson, outputs: { main: { ...(recordJson.outputs as object), elf: [null] } } } },
      { record: { ...recordJson, sources: [null] } },
      { hash: 'zlib' },
      { ...blob, size: -1 },
      { ...blob, mediaType: 'text/plain' },
    ];
    for (const value of odd) {
      await writeDocument(store, path, value);
      expect([name, value, await read()]).toEqual([name, value, undefined]);
      expect(existsSync(path)).toBe(false);
    }
    expect(warnings).toHaveLength(odd.length);
  });

  test('by copying a whole document to another name makes it a miss', async () => {
    const { store, warnings } = await freshStore();
    await writeRecord(store, zlib);
    const other = recordPath(store, sha256('other'));
    mkdirSync(dirname(other), { recursive: true });
    copyFileSync(recordPath(store, zlib.hash), other);
    expect(await readRecord(store, sha256('other'))).toBeUndefined();
    expect(warnings).toHaveLength(1);
    expect(await readRecord(store, zlib.hash)).toEqual(zlib);
  });

  test('by putting a directory in the place of a document makes it a miss', async () => {
    const { store } = await freshStore();
    mkdirSync(recordPath(store, zlib.hash), { recursive: true });
    expect(await readRecord(store, zlib.hash)).toBeUndefined();
  });
});
