import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { composeRoot } from '../../src/build/compose-root.ts';
import { keepLayer } from '../../src/layer/keep-layer.ts';
import { fileMember } from '../../src/layer/tar-member.ts';
import { checkStore } from '../../src/pipeline/check-store.ts';
import { writeNote } from '../../src/store/notes.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { writeRecord } from '../../src/store/records.ts';
import { openStore } from '../../src/store/store.ts';
import { blobPath, notePath, recordPath } from '../../src/store/store-paths.ts';
import { treePath } from '../../src/store/trees.ts';
import { recordOf } from '../support/records.ts';
import { runBuildit } from '../support/run-buildit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function filledStore() {
  const store = await openStore(join(temporaryDirectory(), 'store'));
  async function* members() {
    yield fileMember('usr/bin/x', 'content');
  }
  const layer = await keepLayer(store, members(), { mtime: { kind: 'fixed', seconds: 1 }, owner: 'root' });
  const record = recordOf('x', { outputs: { main: layer } });
  await writeRecord(store, record);
  await writeNote(store, 'try', 'key', 'value');
  const { digest } = await putBlob(store, Buffer.from('a source'));
  const root = await composeRoot(store, [layer.diffId], async () => ({ label: 'x', layer }));
  return { store, layer, record, digest, root: join(root.path, '..') };
}

const quietly = { signal: new AbortController().signal, onProgress: () => undefined };

describe('checkStore', () => {
  test('finds nothing wrong in a whole store', async () => {
    const { store } = await filledStore();
    expect(await checkStore(store, quietly)).toMatchObject({ damaged: [], unknown: [], checked: 7 });
  });

  test('reports and removes everything that is damaged, and finds nothing the second time', async () => {
    const { store, layer, record, digest, root } = await filledStore();
    const tree = (await treePath(store, layer.diffId))!;
    const paths = [
      blobPath(store, digest),
      recordPath(store, record.hash),
      notePath(store, 'try', 'key'),
      join(tree, 'usr/bin/x'),
    ];
    for (const path of paths) {
      chmodSync(path, 0o644);
      writeFileSync(path, 'changed');
    }
    const { damaged } = await checkStore(store, quietly);
    expect(damaged.map(({ category }) => category)).toEqual(['blobs', 'records', 'notes', 'trees']);
    expect(await treePath(store, layer.diffId)).toBeUndefined();
    expect(await checkStore(store, quietly)).toMatchObject({ damaged: [], unknown: [root] });
  });

  test('removes directories in the place of blobs and documents', async () => {
    const { store, digest } = await filledStore();
    for (const path of [blobPath(store, digest), notePath(store, 'try', 'key')]) {
      rmSync(path);
      mkdirSync(join(path, 'in it'), { recursive: true });
    }
    expect((await checkStore(store, quietly)).damaged.map(({ category }) => category)).toEqual(['blobs', 'notes']);
  });

  test('can be interrupted', async () => {
    const { store } = await filledStore();
    const signal = AbortSignal.abort(new RangeError('stop'));
    await expect(checkStore(store, { ...quietly, signal })).rejects.toThrow('stop');
  });

  test('is `doctor --store`, which ends with 74 after damage', async () => {
    const { store, digest } = await filledStore();
    const environment = { BUILDIT_STORE: store.directory };
    chmodSync(blobPath(store, digest), 0o644);
    writeFileSync(blobPath(store, digest), 'changed');
    const first = await runBuildit(['doctor', '--store', '--json'], { environment });
    expect(first.exitCode).toBe(74);
    expect(JSON.parse(first.stdout)).toMatchObject({ damaged: [{ category: 'blobs' }] });
    const second = await runBuildit(['doctor', '--contents', '--store', store.directory]);
    expect(second).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing is damaged') });
    expect(readdirSync(join(blobPath(store, digest), '..'))).not.toContain(digest);
  });
});
