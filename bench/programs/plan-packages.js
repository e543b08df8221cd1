// plan-packages.js STORE KEY CA PATH HASHES: asks a binhost by https where each package is, as a plan does.
import { readFileSync } from 'node:fs';
import { openStore } from '../../dist/store/store.js';
import { openCache } from './support/builder.js';

const [directory, key, ca, path, hashesPath] = process.argv.slice(2);
const hashes = JSON.parse(readFileSync(hashesPath, 'utf8'));
const cache = await openCache(await openStore(directory), { key, ca, path });
const answers = await Promise.all(hashes.map((hash) => cache.peek(hash)));
const hits = answers.filter(({ kind }) => kind === 'hit').length;
if (hits !== hashes.length) throw new Error(`${hits} of ${hashes.length} packages were found`);
