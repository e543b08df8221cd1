// compose-root.js STORE PINS: composes the build root of Debian packages that are unpacked in a store.
import { readFileSync } from 'node:fs';
import { composeRoot } from '../../dist/build/compose-root.js';
import { findConverted } from '../../dist/debian/convert-deb.js';
import { openStore } from '../../dist/store/store.js';

const [directory, pinsPath] = process.argv.slice(2);
const pins = JSON.parse(readFileSync(pinsPath, 'utf8'));
const store = await openStore(directory);
const members = new Map();
for (const pin of pins) {
  const { layer } = await findConverted(store, pin);
  members.set(layer.diffId, { label: `debian/${pin.name}`, layer });
}
await composeRoot(store, [...members.keys()], async (diffId) => members.get(diffId));
