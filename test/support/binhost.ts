import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseContainerLine } from '../../src/binhost/container-document.ts';
import { type Binhost, openBinhost } from '../../src/binhost/open-binhost.ts';
import { splitPointer } from '../../src/binhost/pointer.ts';
import type { ContainerToPublish } from '../../src/binhost/publish-container.ts';
import {
  type PackageToPublish,
  type PublishPackagesOptions,
  publishPackages,
} from '../../src/binhost/publish-packages.ts';
import { publishedRecord } from '../../src/binhost/published-package.ts';
import type { BlobReference, PublishedRecord } from '../../src/binhost/published-record.ts';
import type { TrustPolicy } from '../../src/binhost/read-pointer.ts';
import type { LocalSeal } from '../../src/cache/local-seal.ts';
import { type CachePlace, createPackageCache, type PackageCache } from '../../src/cache/package-cache.ts';
import { encodeLayer } from '../../src/layer/encode-layer.ts';
import { keepLayer } from '../../src/layer/keep-layer.ts';
import { fileMember, type TarMember } from '../../src/layer/tar-member.ts';
import { canonicalJson, type JsonValue } from '../../src/model/canonical-json.ts';
import { sha256 } from '../../src/model/digest.ts';
import { BuilditError } from '../../src/model/errors.ts';
import type { PackageRecord } from '../../src/model/record.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
import type { RemoteReader, RemoteWriter } from '../../src/remote/remote-place.ts';
import type { AllowedSigner } from '../../src/signing/allowed-signers.ts';
import { createAllowedSigner } from '../../src/signing/create-allowed-signer.ts';
import { createSigner } from '../../src/signing/create-signer.ts';
import { createTrust } from '../../src/signing/create-trust.ts';
import { fingerprint } from '../../src/signing/public-key.ts';
import type { Signer } from '../../src/signing/signer.ts';
import type { Trust } from '../../src/signing/trust.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { recordOf } from './records.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A builder with a key that nobody has seen before. */
export function newSigner(): Signer {
  return createSigner(generateKeyPairSync('ed25519').privateKey);
}

export interface TrustedPerson {
  readonly name: string;
  readonly signer: Signer;
  readonly changes?: Partial<AllowedSigner>;
}

export function allowed({ name, signer, changes }: TrustedPerson): AllowedSigner {
  return { ...createAllowedSigner(signer.publicKey, name, ['buildit-package', 'buildit-index']), ...changes };
}

export function trustIn(people: readonly TrustedPerson[], revoked: readonly Signer[] = []): Trust {
  return createTrust({
    allowedSigners: people.map(allowed),
    revokedKeys: revoked.map(({ publicKey }) => ({ fingerprint: fingerprint(publicKey) })),
  });
}

export function policyOf(trust: Trust, changes: Partial<TrustPolicy> = {}): TrustPolicy {
  return { trust, verify: 'require', now: new Date(), ...changes };
}

export const freshStore = (): Promise<Store> => openStore(temporaryDirectory());

/** A package that is built: a layer of one file, a source and a log, all in the store. */
export async function keepPackage(
  store: Store,
  name: string,
  content: string | Uint8Array = `this is ${name}\n`,
  changes: Partial<PackageRecord> = {},
): Promise<PackageRecord & { readonly buildKey: string }> {
  const layer = await keepLayer(store, these(fileMember(`usr/share/${name}`, content)), {
    mtime: { kind: 'fixed', seconds: 1 },
    owner: 'root',
    encode: 'zstd',
  });
  const source = await putBlob(store, Buffer.from(`source of ${name}`));
  const log = await putBlob(store, Buffer.from(`log of ${name}`));
  const record = recordOf(name, { outputs: { main: layer }, sources: [source.digest], log: log.digest, ...changes });
  return { ...record, buildKey: record.buildKey! };
}

async function* these(...members: readonly TarMember[]): AsyncGenerator<TarMember> {
  yield* members;
}

export async function publishable(
  store: Store,
  ...given: Parameters<typeof keepPackage> extends [Store, ...infer Rest] ? Rest : never
): Promise<PublishedRecord> {
  return publishedRecord(store, await keepPackage(store, ...given), (layer) => encodeLayer(store, layer, 'zstd'));
}

export function ownPackage(record: PublishedRecord): PackageToPublish {
  return { kind: 'own', record };
}

/** How a builder publishes who believes these people, and always the own key. */
export function publishingAs(
  signer: Signer,
  { trust = trustIn([{ name: 'self', signer }]), now = new Date() }: { trust?: Trust; now?: Date } = {},
): PublishPackagesOptions {
  return { name: 'place', signer, policy: policyOf(trust), now };
}

/** Publishes packages of these names, built in a store of its own, to a directory. */
export async function publishTo(
  directory: string,
  names: readonly string[],
  options: PublishPackagesOptions,
): Promise<readonly PublishedRecord[]> {
  const store = await freshStore();
  const records: PublishedRecord[] = [];
  for (const name of names) records.push(await publishable(store, name));
  await publishPackages(store, openFilePlace(directory), records.map(ownPackage), options);
  return records;
}

/** Seals with a key of its own, and asks this trust for what came from elsewhere. */
export function sealWith(trust: Trust): LocalSeal {
  const signer = newSigner();
  const machine = trustIn([{ name: 'machine', signer }]);
  return { signer: async () => signer, machine: async () => machine, trust };
}

export interface TestPlace {
  readonly name?: string;
  readonly reader: RemoteReader;
  readonly policy: TrustPolicy;
  readonly builders?: number;
  readonly requireFresh?: boolean;
}

export interface TestCache extends PackageCache {
  /** What the user was warned of so far. */
  readonly warnings: readonly string[];
}

/** A cache over places, each opened once, as a run does it. */
export function cacheOf(store: Store, places: readonly TestPlace[], seal?: LocalSeal): TestCache {
  const warnings: string[] = [];
  const onWarning = (text: string) => warnings.push(text);
  const cache = createPackageCache({
    store,
    seal: seal ?? sealWith(places[0]!.policy.trust),
    places: places.map((place) => cachePlace(store, place, onWarning)),
    signal: new AbortController().signal,
    onWarning,
    onFetch: () => ({ progress: () => {}, finished: () => {} }),
  });
  return { ...cache, warnings };
}

function cachePlace(store: Store, place: TestPlace, onWarning: (text: string) => void): CachePlace {
  const { name = 'place', reader, policy, requireFresh = false, builders = 1 } = place;
  let opened: Promise<Binhost | { readonly unusable: string }> | undefined;
  const open = async () => {
    try {
      return await openBinhost(store, { name, reader, policy, requireFresh, onWarning });
    } catch (error) {
      if (!(error instanceof BuilditError)) throw error;
      onWarning(error.message);
      return { unusable: error.code === 'signature-invalid' ? 'cannot be believed' : 'cannot be reached' };
    }
  };
  return {
    name,
    builders,
    open() {
      opened ??= open();
      return opened;
    },
  };
}

export interface RemoteCall {
  readonly method: 'read' | 'open' | 'stat' | 'list' | 'put' | 'create' | 'replace' | 'touch' | 'remove' | 'now';
  readonly path: string;
  /** Bytes that went there or came back. */
  bytes: number;
}

export const SENDING: readonly RemoteCall['method'][] = ['put', 'create', 'replace', 'remove'];

/** A place that tells of each call before it is made. */
export function watchedPlace<Place extends RemoteReader>(
  place: Place,
  onCall: (call: RemoteCall) => void | Promise<void>,
): Place {
  const tell = async (method: RemoteCall['method'], path: string, bytes = 0) => {
    const call: RemoteCall = { method, path, bytes };
    await onCall(call);
    return call;
  };
  const inner = place as unknown as RemoteWriter;
  const watched: RemoteWriter = {
    shown: inner.shown,
    close: () => inner.close(),
    async read(path, options) {
      const call = await tell('read', path);
      const answer = await inner.read(path, options);
      if (typeof answer !== 'string') call.bytes = answer.bytes.length;
      return answer;
    },
    async open(path, options) {
      await tell('open', path, options.size);
      return inner.open(path, options);
    },
    async stat(path) {
      await tell('stat', path);
      return inner.stat(path);
    },
    async list(path) {
      await tell('list', path);
      return inner.list(path);
    },
    async put(path, content) {
      await tell('put', path, content.size);
      return inner.put(path, content);
    },
    async create(path, bytes) {
      await tell('create', path, bytes.length);
      return inner.create(path, bytes);
    },
    async replace(path, bytes) {
      await tell('replace', path, bytes.length);
      return inner.replace(path, bytes);
    },
    async touch(path) {
      await tell('touch', path);
      return inner.touch(path);
    },
    async remove(path) {
      await tell('remove', path);
      return inner.remove(path);
    },
    async now() {
      await tell('now', '');
      return inner.now();
    },
  };
  return watched as unknown as Place;
}

/** All calls to a place, as they are made. */
export function recordedPlace<Place extends RemoteReader>(
  place: Place,
): { readonly place: Place; readonly calls: RemoteCall[] } {
  const calls: RemoteCall[] = [];
  return { place: watchedPlace(place, (call) => void calls.push(call)), calls };
}

/** Files below a directory, but for unfinished uploads. */
export function filesOf(directory: string): readonly string[] {
  return (readdirSync(directory, { recursive: true }) as string[])
    .filter((path) => !path.startsWith('.incoming') && statSync(join(directory, path)).isFile())
    .sort();
}

/** Blobs of a store that are not what their names say. */
export function damagedBlobs(store: Store): readonly string[] {
  return (readdirSync(store.directory, { recursive: true }) as string[]).filter((path) => {
    const name = path.split('/').at(-1)!;
    return (
      path.startsWith('blobs/') &&
      /^[0-9a-f]{64}$/.test(name) &&
      sha256(readFileSync(join(store.directory, path))) !== name
    );
  });
}

/** A container with one OCI image of one layer, and an ACI that is one in name only; all in the store. */
export async function containerOf(
  store: Store,
  record: PublishedRecord,
  { name = 'box', aci = `aci of ${name}` }: { readonly name?: string; readonly aci?: string } = {},
): Promise<ContainerToPublish> {
  const { diffId, blobs } = record.outputs.main!;
  const json = (value: JsonValue) => putBlob(store, Buffer.from(canonicalJson(value)));
  const config = await json({
    architecture: 'amd64',
    config: {},
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
  });
  const layer = blobs[0]!;
  const manifest = await json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: `sha256:${config.digest}`,
      size: config.size,
    },
    layers: [{ mediaType: layer.mediaType, digest: `sha256:${layer.digest}`, size: layer.size }],
  });
  const spec = await putBlob(store, Buffer.from(`spec of ${name}`));
  const archive = await putBlob(store, Buffer.from(aci));
  return {
    document: {
      format: 1,
      kind: 'container',
      author: 'Sysadmin42',
      name,
      version: '1.0',
      platform: 'linux/amd64',
      spec,
      oci: [{ ...manifest, tags: ['latest'] }],
      aci: [{ ...archive, path: `aci/linux/amd64/Sysadmin42/${name}-1.0.aci`, imageId: `sha512-${'0'.repeat(128)}` }],
      packages: [{ hash: record.hash, name: record.name, version: record.version }],
      time: new Date().toISOString(),
    },
    blobs: [manifest, config, { digest: layer.digest, size: layer.size }, archive],
  };
}

/**
 * Looks at a place as a reader does who trusts these: everything that the index names is there and verifies. Answers the
 * names of packages and containers.
 */
export async function readWhole(reader: RemoteReader, trust: Trust): Promise<readonly string[]> {
  const store = await freshStore();
  const warnings: string[] = [];
  const onWarning = (text: string) => warnings.push(text);
  const policy = policyOf(trust);
  const { index } = await openBinhost(store, { name: 'place', reader, policy, requireFresh: true, onWarning });
  const cache = cacheOf(store, [{ reader, policy, requireFresh: true }]);
  for (const { hash, name } of index.content.packages) {
    const found = await cache.find(hash);
    if (found.kind === 'miss') throw new Error(`${name} cannot be used: ${found.reason}`);
  }
  const blob = async ({ digest, size }: BlobReference) => {
    const answer = await reader.read(`blobs/sha256/${digest}`, { maximumBytes: size });
    if (typeof answer === 'string' || sha256(answer.bytes) !== digest)
      throw new Error(`the blob ${digest} is not there`);
    return answer.bytes;
  };
  for (const { document, images } of index.content.containers) {
    const { line, signature } = splitPointer(await blob(document));
    const { spec, aci } = parseContainerLine(line);
    const verdict = trust.judge(Buffer.from(line), signature, { namespace: 'buildit-package', at: new Date() });
    if (verdict.kind !== 'trusted') throw new Error(`the document ${document.digest} is ${verdict.reason}`);
    for (const reference of [spec, ...aci]) await blob(reference);
    for (const image of images) {
      const manifest = JSON.parse((await blob(image)).toString('utf8'));
      for (const { digest, size } of [manifest.config, ...manifest.layers])
        await blob({ digest: digest.slice(7), size });
    }
  }
  if (warnings.length + cache.warnings.length > 0) throw new Error([...warnings, ...cache.warnings].join('\n'));
  return [...index.content.packages, ...index.content.containers].map(({ name }) => name).sort();
}
