// convert-packages.js STORE PINS: makes layers of Debian packages whose `.deb` files are in a store, as for an OCI image.
import { readFileSync } from 'node:fs';
import { convertDebs } from '../../dist/debian/convert-debs.js';
import { openStore } from '../../dist/store/store.js';

const [directory, pinsPath] = process.argv.slice(2);
const pins = JSON.parse(readFileSync(pinsPath, 'utf8'));
const store = await openStore(directory);
const { signal } = new AbortController();
let count = 0;
for await (const _ of convertDebs(store, pins, { signal, encode: 'zstd', tree: 'later' })) count += 1;
if (count !== pins.length) throw new Error(`${count} of ${pins.length} packages were converted`);
