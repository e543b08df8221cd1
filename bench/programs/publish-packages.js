// publish-packages.js STORE KEY HOME PATH RECORDS: publishes packages over SSH.
import { readFileSync } from 'node:fs';
import { publishPackages } from '../../dist/binhost/publish-packages.js';
import { openWriter } from '../../dist/remote/open-place.js';
import { openStore } from '../../dist/store/store.js';
import { openBuilder } from './support/builder.js';

const [directory, key, home, path, recordsPath] = process.argv.slice(2);
const records = JSON.parse(readFileSync(recordsPath, 'utf8'));
const { signer, trust } = openBuilder(key);
const writer = await openWriter({ type: 'ssh', path }, { environment: { HOME: home }, home });
const now = new Date();
const published = await publishPackages(
  await openStore(directory),
  writer,
  records.map((record) => ({ kind: 'own', record })),
  { name: 'bench', signer, policy: { trust, verify: 'require', now }, now },
);
await writer.close();
if (published.records !== records.length) throw new Error(`${published.records} of ${records.length} were published`);
