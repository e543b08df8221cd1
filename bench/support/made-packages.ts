import { createCipheriv, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PublishPackagesOptions } from '../../src/binhost/publish-packages.ts';
import { publishedRecord } from '../../src/binhost/published-package.ts';
import type { BlobReference, PublishedRecord } from '../../src/binhost/published-record.ts';
import { encoderOf, mediaTypeOf } from '../../src/layer/compress.ts';
import { encodeLayer } from '../../src/layer/encode-layer.ts';
import { keepLayer } from '../../src/layer/keep-layer.ts';
import { fileMember, type TarMember } from '../../src/layer/tar-member.ts';
import { sha256 } from '../../src/model/digest.ts';
import { createAllowedSigner } from '../../src/signing/create-allowed-signer.ts';
import { createSigner } from '../../src/signing/create-signer.ts';
import { createTrust } from '../../src/signing/create-trust.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { blobPath } from '../../src/store/store-paths.ts';
import { recordOf } from '../../test/support/records.ts';
import { type Place, removeTree } from './place.ts';

/** Packages whose layers are made up and cannot be compressed, in a store of their own. */
export interface MadePackages {
  readonly store: string;
  readonly records: readonly PublishedRecord[];
  /** The records as a file for one of the programs. */
  readonly recordsFile: string;
}

/** One package for each size, which is that of its layer in bytes; made once for a place. Such packages can be used. */
export function madePackages(place: Place, name: string, sizes: readonly number[]): Promise<MadePackages> {
  return packagesOnce(place, name, sizes, makePackage);
}

/** The same, but that layers and listings are nothing but noise: enough for whoever only moves them, and sooner made. */
export function noisePackages(place: Place, name: string, sizes: readonly number[]): Promise<MadePackages> {
  return packagesOnce(place, name, sizes, makeNoisePackage);
}

async function packagesOnce(
  place: Place,
  name: string,
  sizes: readonly number[],
  make: (store: Store, name: string, size: number) => Promise<PublishedRecord>,
): Promise<MadePackages> {
  const directory = place.path('made', `${name}-store`);
  const recordsFile = place.path('made', `${name}.json`);
  if (!existsSync(recordsFile)) {
    removeTree(directory);
    const store = await openStore(directory);
    const records: PublishedRecord[] = [];
    for (const [index, size] of sizes.entries()) records.push(await make(store, `${name}-${index}`, size));
    writeFileSync(recordsFile, JSON.stringify(records));
  }
  const records = JSON.parse(readFileSync(recordsFile, 'utf8')) as readonly PublishedRecord[];
  return { store: directory, records, recordsFile };
}

async function makePackage(store: Store, name: string, size: number): Promise<PublishedRecord> {
  const layer = await keepLayer(store, members(fileMember(`usr/share/${name}`, noise(name, size))), {
    mtime: { kind: 'fixed', seconds: 1 },
    owner: 'root',
    encode: 'zstd',
  });
  const record = recordOf(name, { name: `bench/${name}`, outputs: { main: layer } });
  return publishedRecord(store, { ...record, buildKey: record.buildKey! }, (kept) => encodeLayer(store, kept, 'zstd'));
}

const LISTING_BYTES = 1000;

async function makeNoisePackage(store: Store, name: string, size: number): Promise<PublishedRecord> {
  const blob = placeBlob(store, noise(name, size));
  const listing = placeBlob(store, noise(`listing of ${name}`, LISTING_BYTES));
  const record = recordOf(name, { name: `bench/${name}` });
  const layer = record.outputs.main!;
  const published = await publishedRecord(
    store,
    { ...record, buildKey: record.buildKey!, outputs: { main: { ...layer, listing: listing.digest } } },
    async () => undefined,
  );
  const blobs = [{ ...blob, encoder: encoderOf('zstd'), mediaType: mediaTypeOf('zstd') }];
  return { ...published, outputs: { main: { ...published.outputs.main!, blobs } } };
}

function placeBlob(store: Store, bytes: Buffer): BlobReference {
  const digest = sha256(bytes);
  const path = blobPath(store, digest);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes, { mode: 0o444 });
  return { digest, size: bytes.length };
}

async function* members(...all: readonly TarMember[]): AsyncGenerator<TarMember> {
  yield* all;
}

/** Bytes without any pattern, the same each time. */
function noise(seed: string, size: number): Buffer {
  const key = Buffer.from(sha256(seed), 'hex');
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** The file with the private key of the only builder there is; made once for a place. */
export function builderKey(place: Place): string {
  const path = place.path('made', 'builder.pem');
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }
  return path;
}

/** How that builder publishes. `programs/support/builder.js` says the same of the compiled buildit. */
export function builderOptions(place: Place): PublishPackagesOptions {
  const signer = createSigner(createPrivateKey(readFileSync(builderKey(place))));
  const allowedSigners = [createAllowedSigner(signer.publicKey, 'bench', ['buildit-package', 'buildit-index'])];
  const trust = createTrust({ allowedSigners, revokedKeys: [] });
  return { name: 'bench', signer, policy: { trust, verify: 'require', now: new Date() }, now: new Date() };
}
