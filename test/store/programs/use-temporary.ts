// use-temporary.ts STORE: opens a temporary directory, fills it with what is hard to remove, half writes a blob, and stays.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { putBlob } from '../../../src/store/put-blob.ts';
import { openStore } from '../../../src/store/store.ts';
import { openTemporary } from '../../../src/store/temporary.ts';

async function* endless(): AsyncGenerator<Uint8Array> {
  for (let count = 0; ; count += 1) {
    yield Buffer.alloc(1024 * 1024);
    if (count === 2) {
      process.stdout.write('writing\n');
      await new Promise(() => setInterval(() => undefined, 1000));
    }
  }
}

const store = await openStore(process.argv[2]!);
const { path } = await openTemporary(store, 'nginx 1.22.1');
mkdirSync(join(path, 'closed/inner'), { recursive: true });
writeFileSync(join(path, 'closed/inner/file'), 'x');
chmodSync(join(path, 'closed'), 0);
process.stdout.write(`${path}\n`);
await putBlob(store, endless());
