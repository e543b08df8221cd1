// pull-packages.js STORE KEY CA PATH HASHES ATONCE: takes packages from a binhost by https, verified and kept.
import { readFileSync } from 'node:fs';
import { openStore } from '../../dist/store/store.js';
import { openCache } from './support/builder.js';

const [directory, key, ca, path, hashesPath, atOnce] = process.argv.slice(2);
const waiting = JSON.parse(readFileSync(hashesPath, 'utf8')).values();
const cache = await openCache(await openStore(directory), { key, ca, path });
const worker = async () => {
  for (const hash of waiting) {
    const answer = await cache.find(hash);
    if (answer.kind !== 'hit') throw new Error(answer.reason);
  }
};
await Promise.all(Array.from({ length: Number(atOnce) }, worker));
