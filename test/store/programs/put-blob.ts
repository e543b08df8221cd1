// put-blob.ts STORE SIZE: opens a store, waits for a line, puts SIZE bytes as a stream, prints the outcome as JSON.
import { once } from 'node:events';
import { BuilditError } from '../../../src/model/errors.ts';
import { putBlob } from '../../../src/store/put-blob.ts';
import { openStore } from '../../../src/store/store.ts';

const [directory, size] = process.argv.slice(2);
const CHUNK_BYTES = 4096;

async function* bytes(): AsyncGenerator<Uint8Array> {
  for (let rest = Number(size); rest > 0; rest -= CHUNK_BYTES)
    yield Buffer.alloc(Math.min(rest, CHUNK_BYTES), 'buildit');
}

async function outcome(): Promise<unknown> {
  try {
    const store = await openStore(directory!);
    process.stdout.write('ready\n');
    await once(process.stdin, 'data');
    return await putBlob(store, bytes(), { what: 'some bytes' });
  } catch (error) {
    if (!(error instanceof BuilditError)) throw error;
    return { code: error.code, message: error.message };
  }
}

process.stdout.write(`${JSON.stringify(await outcome())}\n`);
process.stdin.destroy();
