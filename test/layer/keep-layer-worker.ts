import { parentPort, workerData } from 'node:worker_threads';
import { findEncoding } from '../../src/layer/encode-layer.ts';
import { keepLayer } from '../../src/layer/keep-layer.ts';
import { fileMember } from '../../src/layer/tar-member.ts';
import { openStore } from '../../src/store/store.ts';

/** Keeps the same layer as the test that starts this thread. */
async function* members() {
  yield fileMember('a', 'x'.repeat(9_000_000));
}

const store = await openStore(workerData);
const layer = await keepLayer(store, members(), { mtime: { kind: 'archive' }, owner: 'root', encode: 'gzip' });
parentPort?.postMessage({ layer, blob: await findEncoding(store, layer, 'gzip') });
