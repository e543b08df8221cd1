import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalExecutor } from '../../src/build/local-executor.ts';
import { openStore } from '../../src/store/store.ts';
import { keepHostLayer } from '../support/host-root.ts';
import { programPath } from '../support/requires.ts';
import { build, requestFor } from './run-request.ts';

/*
 * A program of its own: runs a script in a sandbox and prints the files it made as JSON. Arguments: the store's parent
 * directory, the file of the script.
 */
const [directory, script] = process.argv.slice(2);
const store = await openStore(join(directory!, 'store'));
const layer = await keepHostLayer(store);
const executor = createLocalExecutor({
  store,
  bubblewrap: [programPath('bwrap')!],
  findMember: async () => ({ label: 'host', layer }),
  applyPatches: async () => undefined,
});
const request = requestFor({ root: [layer.diffId] }, { install: readFileSync(script!, 'utf8') });
const { files } = await build({ executor }, request);
process.stdout.write(JSON.stringify(files));
