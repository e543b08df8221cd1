import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readIdentity } from '../../src/binhost/binhost-identity.ts';
import { commitEntries, MOST_TAIL_BYTES, readNewestIndex } from '../../src/binhost/commit-entries.ts';
import { EMPTY_INDEX, type IndexEntry } from '../../src/binhost/index-part.ts';
import { parsePointer, splitPointer } from '../../src/binhost/pointer.ts';
import { publishPackages } from '../../src/binhost/publish-packages.ts';
import { type PublishedRecord, publishedRecordText } from '../../src/binhost/published-record.ts';
import { ensureTree } from '../../src/layer/ensure-tree.ts';
import { sha256 } from '../../src/model/digest.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
import { openHttpsPlace } from '../../src/remote/open-https-place.ts';
import { keyId } from '../../src/signing/public-key.ts';
import { signerLine } from '../../src/signing/signer-line.ts';
import { readBlob } from '../../src/store/read-blob.ts';
import {
  allowed,
  cacheOf,
  filesOf,
  freshStore,
  newSigner,
  ownPackage,
  policyOf,
  publishable,
  publishingAs,
  publishTo,
  recordedPlace,
  sealWith,
  trustIn,
} from '../support/binhost.ts';
import { requires } from '../support/requires.ts';
import { startStaticServer } from '../support/static-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const pointerAt = (directory: string) =>
  parsePointer(splitPointer(readFileSync(join(directory, 'index/current.json'))).line);
const recordPath = ({ hash }: PublishedRecord, key: string) => `packages/${hash.slice(0, 2)}/${hash}/${key}.json`;
const linesOf = (error: unknown) => (error as Error).message;

describe('what was published', () => {
  test('is found by its HASH and by its build key, and fetched into an empty store with the same layers', async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    const records = await publishTo(directory, ['app/one', 'app/two'], publishingAs(alice));
    const store = await freshStore();
    const place = { reader: openFilePlace(directory), policy: policyOf(trustIn([{ name: 'alice', signer: alice }])) };
    const seal = sealWith(place.policy.trust);
    const cache = cacheOf(store, [place], seal);
    const [one, two] = records as [PublishedRecord, PublishedRecord];
    expect(await cache.peek(one.hash)).toMatchObject({ kind: 'hit', place: 'place', buildKey: one.buildKey });
    const byHash = await cache.find(one.hash);
    const byKey = await cache.findSame(two.buildKey);
    for (const [found, published] of [
      [byHash, one],
      [byKey, two],
    ] as const) {
      expect(found).toMatchObject({ kind: 'hit', place: 'place' });
      if (found.kind !== 'hit') continue;
      expect(found.record.outputs.main).toEqual({
        ...published.outputs.main!,
        listing: published.outputs.main!.listing.digest,
        blobs: undefined,
      });
      const tree = await ensureTree(store, found.record.outputs.main!);
      expect(readFileSync(join(tree, 'usr/share', published.name), 'utf8')).toBe(`this is ${published.name}\n`);
    }
    expect(cache.warnings).toEqual([]);
    expect(await cacheOf(store, [place], seal).find(one.hash)).toMatchObject({ kind: 'hit', place: 'locally' });
    expect(await cache.find(sha256('another'))).toMatchObject({
      kind: 'miss',
      reason: expect.stringContaining("not at 'place'"),
    });
  });

  test('lies there with sources and log, each under what it hashes to', async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    const [record] = await publishTo(directory, ['app/one'], publishingAs(alice));
    const blobs = filesOf(directory).filter((path) => path.startsWith('blobs/'));
    for (const path of blobs) expect(sha256(readFileSync(join(directory, path)))).toBe(path.split('/').at(-1));
    for (const digest of [record!.sources[0]!, record!.log!.digest]) expect(blobs).toContain(`blobs/sha256/${digest}`);
    const store = await freshStore();
    expect(await readBlob(store, record!.sources[0]!).catch(() => undefined)).toBeUndefined();
  });

  test('takes nothing more to send a second time, and makes no new generation, in the tail and in the base', async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    const store = await freshStore();
    const packages = [ownPackage(await publishable(store, 'app/one')), ownPackage(await publishable(store, 'app/two'))];
    const options = publishingAs(alice);
    const first = await publishPackages(store, openFilePlace(directory), packages, options);
    expect(first).toMatchObject({ records: 2, generation: 1, blobs: { count: 8 } });
    for (const isFolded of [false, true]) {
      if (isFolded) {
        const identity = (await readIdentity(openFilePlace(directory)))!;
        await commitEntries(openFilePlace(directory), EMPTY_INDEX, { ...options, identity }, { refold: true });
      }
      const { generation } = pointerAt(directory);
      const { place, calls } = recordedPlace(openFilePlace(directory));
      const second = await publishPackages(store, place, packages, options);
      expect(second).toEqual({ records: 0, generation, blobs: { count: 0, bytes: 0 } });
      expect(calls.filter(({ method }) => ['put', 'replace', 'remove'].includes(method))).toEqual([]);
      expect(pointerAt(directory)).toMatchObject({ generation, tail: isFolded ? null : expect.anything() });
    }
    const files = filesOf(directory);
    expect(files.filter((path) => path.startsWith('index/gen/'))).toEqual(['index/gen/1.json', 'index/gen/2.json']);
  });

  test('lies side by side with what other builders published of the same HASH', async () => {
    const directory = temporaryDirectory();
    const signers = [newSigner(), newSigner(), newSigner()];
    const trust = trustIn(signers.map((signer, index) => ({ name: `builder${index}`, signer })));
    const hashes: string[] = [];
    for (const signer of signers) {
      const [record] = await publishTo(directory, ['app/one'], publishingAs(signer, { trust }));
      hashes.push(record!.hash);
    }
    const identity = (await readIdentity(openFilePlace(directory)))!;
    const { content } = await readNewestIndex(openFilePlace(directory), {
      ...publishingAs(signers[0]!, { trust }),
      identity,
    });
    expect(new Set(content.packages.map(({ key }) => key))).toEqual(
      new Set(signers.map((signer) => keyId(signer.publicKey))),
    );
    for (const signer of signers) {
      const policy = policyOf(
        trustIn([
          { name: 'pointer', signer: signers[2]!, changes: { namespaces: ['buildit-index'] } },
          { name: 'one', signer, changes: { namespaces: ['buildit-package'] } },
        ]),
      );
      expect(
        await cacheOf(await freshStore(), [{ reader: openFilePlace(directory), policy }]).find(hashes[0]!),
      ).toMatchObject({ kind: 'hit' });
    }
  });

  test('is refused as not reproducible where this key has signed other layers for the HASH', async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    await publishTo(directory, ['app/one'], publishingAs(alice));
    const before = filesOf(directory).filter((path) => !path.startsWith('blobs/'));
    const store = await freshStore();
    const other = await publishable(store, 'app/one', 'something else');
    const attempt = publishPackages(store, openFilePlace(directory), [ownPackage(other)], publishingAs(alice));
    await expect(attempt).rejects.toMatchObject({ code: 'not-reproducible' });
    expect(filesOf(directory).filter((path) => !path.startsWith('blobs/'))).toEqual(before);
    const bob = newSigner();
    const trust = trustIn([
      { name: 'alice', signer: alice },
      { name: 'bob', signer: bob },
    ]);
    const byOther = await publishPackages(
      store,
      openFilePlace(directory),
      [ownPackage(other)],
      publishingAs(bob, { trust }),
    );
    expect(byOther).toMatchObject({ records: 1, generation: 2 });
  });

  test('is not published where its files are no longer in the store', async () => {
    const store = await freshStore();
    const record = await publishable(store, 'app/one');
    const directory = temporaryDirectory();
    const attempt = publishPackages(
      await freshStore(),
      openFilePlace(directory),
      [ownPackage(record)],
      publishingAs(newSigner()),
    );
    await expect(attempt).rejects.toMatchObject({
      code: 'file-missing',
      message: expect.stringContaining('"app/one-1.0"'),
    });
    expect(filesOf(directory).filter((path) => path.startsWith('packages/'))).toEqual([]);
  });

  test('is not added to an index that no trusted signer signed', async () => {
    const directory = temporaryDirectory();
    await publishTo(directory, ['app/one'], publishingAs(newSigner()));
    const attempt = publishTo(directory, ['app/two'], publishingAs(newSigner()));
    await expect(attempt).rejects.toMatchObject({ code: 'signature-invalid' });
    expect(pointerAt(directory).generation).toBe(1);
  });

  test('goes nowhere through a symbolic link in the place of a directory', async () => {
    const [directory, elsewhere] = [temporaryDirectory(), temporaryDirectory()];
    for (const name of ['blobs', 'packages', 'index']) {
      const place = join(directory, name);
      mkdirSync(place);
      symlinkSync(elsewhere, join(place, name));
      await expect(publishTo(place, ['app/one'], publishingAs(newSigner()))).rejects.toMatchObject({
        code: 'cannot-write',
      });
    }
    expect(filesOf(elsewhere)).toEqual([]);
  });

  test('passes by whatever odd names lie at the place', async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    for (const name of ['a\nb', '-rf', '\u202egnp', 'x'.repeat(250), '%2e%2e', '..\\..', '$(id)']) {
      for (const below of ['blobs/sha256', 'packages/aa', 'index/gen', '.']) {
        mkdirSync(join(directory, below), { recursive: true });
        writeFileSync(join(directory, below, name), 'odd');
      }
    }
    const [record] = await publishTo(directory, ['app/one'], publishingAs(alice));
    const place = { reader: openFilePlace(directory), policy: policyOf(trustIn([{ name: 'alice', signer: alice }])) };
    const cache = cacheOf(await freshStore(), [place]);
    expect(await cache.find(record!.hash)).toMatchObject({ kind: 'hit' });
    expect(cache.warnings).toEqual([]);
  });
});

describe('the index of a place', () => {
  const entries = (from: number, count: number, key: string): IndexEntry[] =>
    Array.from({ length: count }, (_, index) => ({
      hash: sha256(`hash ${from + index}`),
      buildKey: sha256(`build key ${from + index}`),
      key,
      name: `sys-apps/package${from + index}`,
      version: '1.0',
      platform: 'linux/amd64',
      size: 1000 + index,
    }));

  test('has a tail that grows to its limit, then becomes part of the base', async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    await publishTo(directory, ['app/one'], publishingAs(alice));
    const identity = (await readIdentity(openFilePlace(directory)))!;
    const options = { ...publishingAs(alice), identity };
    const sizes: (number | undefined)[] = [];
    for (let round = 0; round < 8; round += 1) {
      const packages = entries(round * 60, 60, keyId(alice.publicKey));
      await commitEntries(openFilePlace(directory), { packages, containers: [] }, options);
      sizes.push(pointerAt(directory).tail?.size);
    }
    expect(sizes.filter((size) => size !== undefined && size > MOST_TAIL_BYTES)).toEqual([]);
    const fold = sizes.indexOf(undefined);
    expect(fold).toBeGreaterThan(1);
    expect(sizes.slice(0, fold)).toEqual(sizes.slice(0, fold).toSorted((a, b) => a! - b!));
    expect(sizes[fold - 1]).toBeGreaterThan(MOST_TAIL_BYTES / 2);
    const { content } = await readNewestIndex(openFilePlace(directory), options);
    expect(content.packages).toHaveLength(1 + 8 * 60);
  });

  test('has no part that a power cut left damaged under its name', async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    const [record] = await publishTo(directory, ['app/one'], publishingAs(alice));
    const part = filesOf(directory).find((path) => path.endsWith('.zst'))!;
    for (const path of ['index/current.json', 'index/gen/1.json']) rmSync(join(directory, path));
    for (const damage of ['', 'x'.repeat(5000)]) {
      writeFileSync(join(directory, part), damage);
      for (const path of filesOf(directory).filter((name) => /index\/(?:current|gen)/.test(name)))
        rmSync(join(directory, path));
      await publishTo(directory, ['app/one'], publishingAs(alice));
      const place = { reader: openFilePlace(directory), policy: policyOf(trustIn([{ name: 'alice', signer: alice }])) };
      expect((await cacheOf(await freshStore(), [place]).find(record!.hash)).kind).toBe('hit');
    }
  });

  test('of 20,000 packages: one more moves less than 64 KiB besides the package', async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    await publishTo(directory, ['app/one'], publishingAs(alice));
    const identity = (await readIdentity(openFilePlace(directory)))!;
    const options = { ...publishingAs(alice), identity };
    const key = keyId(alice.publicKey);
    const large = { packages: entries(0, 20_000, key), containers: [] };
    await commitEntries(openFilePlace(directory), large, options, { refold: true });
    const count = Math.floor(MOST_TAIL_BYTES / 100);
    const nearlyFull = { packages: entries(20_000, count, key), containers: [] };
    await commitEntries(openFilePlace(directory), nearlyFull, options);
    expect(pointerAt(directory).tail!.size).toBeGreaterThan(MOST_TAIL_BYTES / 2);
    const store = await freshStore();
    const record = await publishable(store, 'app/two', 'new');
    const { place, calls } = recordedPlace(openFilePlace(directory));
    await publishPackages(store, place, [ownPackage(record)], options);
    const moved = calls.filter(({ method }) => method !== 'put').reduce((sum, { bytes }) => sum + bytes, 0);
    expect(moved).toBeLessThan(64 * 1024);
    expect(moved).toBeGreaterThan(MOST_TAIL_BYTES);
    expect(pointerAt(directory)).toMatchObject({ base: { entries: 20_001 }, tail: { entries: count + 1 } });
  });
});

describe('reading a place', () => {
  const served = async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    const [record] = await publishTo(directory, ['app/one'], publishingAs(alice));
    const options = { ...publishingAs(alice), identity: (await readIdentity(openFilePlace(directory)))! };
    await commitEntries(openFilePlace(directory), EMPTY_INDEX, options, { refold: true });
    await publishTo(directory, ['app/two'], publishingAs(alice));
    const policy = policyOf(trustIn([{ name: 'alice', signer: alice }]));
    return { directory, alice, record: record!, policy };
  };

  requires('nginx', 'openssl').test(
    'takes 3 requests to a web server the first time, and 1 where nothing is new',
    async () => {
      const { directory, alice, record, policy } = await served();
      const server = await startStaticServer(directory);
      const reader = openHttpsPlace({ scheme: 'https', path: server.at, ca: server.ca });
      const store = await freshStore();
      /** Asks, and gives what the server has written down of that: nginx does so when the answer is on its way. */
      const askOnce = async () => {
        const before = server.requests().length;
        expect(await cacheOf(store, [{ reader, policy }]).peek(record.hash)).toMatchObject({ kind: 'hit' });
        return () =>
          server
            .requests()
            .slice(before)
            .map((line) => line.replace(/[0-9a-f]{64}/, 'DIGEST'));
      };
      const part = 'GET /index/DIGEST.json.zst 200';
      await expect.poll(await askOnce()).toEqual(['GET /index/current.json 200', part, part]);
      await expect.poll(await askOnce()).toEqual(['GET /index/current.json 304']);
      await publishTo(directory, ['app/three'], publishingAs(alice));
      await expect.poll(await askOnce()).toEqual(['GET /index/current.json 200', part]);
    },
  );

  test('takes 3 reads of a directory the first time, and 1 where nothing is new', async () => {
    const { directory, record, policy } = await served();
    const store = await freshStore();
    for (const wanted of [3, 1, 1]) {
      const { place, calls } = recordedPlace(openFilePlace(directory));
      expect(await cacheOf(store, [{ reader: place, policy }]).peek(record.hash)).toMatchObject({ kind: 'hit' });
      expect(calls).toHaveLength(wanted);
    }
  });

  test('asks nothing for each package that is not there', async () => {
    const { directory, policy } = await served();
    const { place, calls } = recordedPlace(openFilePlace(directory));
    const cache = cacheOf(await freshStore(), [{ reader: place, policy }]);
    for (let index = 0; index < 100; index += 1) expect((await cache.find(sha256(`none ${index}`))).kind).toBe('miss');
    expect(calls).toHaveLength(3);
  });
});

describe("another builder's record", () => {
  /** What alice signed, as bob took it from her place. */
  const taken = async () => {
    const [directory, alice, bob] = [temporaryDirectory(), newSigner(), newSigner()];
    const store = await freshStore();
    const record = await publishable(store, 'app/one');
    await publishPackages(store, openFilePlace(directory), [ownPackage(record)], publishingAs(alice));
    const key = keyId(alice.publicKey);
    const path = recordPath(record, key);
    const [text, signature] = [path, `${path}.sig`].map((name) => readFileSync(join(directory, name), 'utf8'));
    const signed = { record, text: text!, signature: signature!, principal: undefined, person: undefined };
    const options = publishingAs(bob, { trust: trustIn([{ name: 'bob', signer: bob }]) });
    const [other, item] = [temporaryDirectory(), { kind: 'signed', signed, key } as const];
    const publish = () => publishPackages(store, openFilePlace(other), [item], options);
    const trust = trustIn([
      { name: 'alice', signer: alice },
      { name: 'bob', signer: bob, changes: { namespaces: ['buildit-index'] } },
    ]);
    const find = async () =>
      cacheOf(await freshStore(), [{ reader: openFilePlace(other), policy: policyOf(trust) }]).find(record.hash);
    return { alice, other, record, path, publish, find };
  };

  test('is passed on as it was signed', async () => {
    const { publish, find } = await taken();
    expect(await publish()).toMatchObject({ records: 1, generation: 1 });
    expect(await publish()).toMatchObject({ records: 0, generation: 1 });
    expect(await find()).toMatchObject({ kind: 'hit' });
  });

  test('stays as it is where that builder signed another text, and gets no signature that is of this one', async () => {
    const { alice, other, record, path, publish, find } = await taken();
    const text = publishedRecordText({ ...record, startedAt: '2020-01-01T00:00:00.000Z' });
    mkdirSync(join(other, path, '..'), { recursive: true });
    writeFileSync(join(other, path), text);
    expect(await publish()).toMatchObject({ records: 0 });
    expect(filesOf(other)).not.toContain(`${path}.sig`);
    expect((await find()).kind).toBe('miss');
    writeFileSync(join(other, `${path}.sig`), await alice.sign('buildit-package', Buffer.from(text)));
    expect(await publish()).toMatchObject({ records: 0 });
    expect(readFileSync(join(other, path), 'utf8')).toBe(text);
  });
});

describe("a record that lies under the name of the publisher's key already", () => {
  const planted = async (change: (record: PublishedRecord) => PublishedRecord, signature?: string) => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    await publishTo(directory, ['app/other'], publishingAs(alice));
    const store = await freshStore();
    const record = await publishable(store, 'app/one');
    const path = recordPath(record, keyId(alice.publicKey));
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), publishedRecordText(change(record)));
    if (signature !== undefined) writeFileSync(join(directory, `${path}.sig`), signature);
    const publish = () => publishPackages(store, openFilePlace(directory), [ownPackage(record)], publishingAs(alice));
    const find = async () => {
      const policy = policyOf(trustIn([{ name: 'alice', signer: alice }]));
      return cacheOf(await freshStore(), [{ reader: openFilePlace(directory), policy }]).find(record.hash);
    };
    return { directory, record, path, publish, find };
  };

  test('unsigned and the same, as a publisher that died leaves it, is signed', async () => {
    const { publish, find } = await planted((record) => record);
    expect(await publish()).toMatchObject({ records: 1 });
    expect(await find()).toMatchObject({ kind: 'hit' });
  });

  test('unsigned, of another time, is signed as it lies there', async () => {
    const { publish, find, directory, path } = await planted((record) => ({
      ...record,
      startedAt: '2020-01-01T00:00:00.000Z',
    }));
    expect(await publish()).toMatchObject({ records: 1 });
    expect(readFileSync(join(directory, path), 'utf8')).toContain('"startedAt":"2020-');
    expect(await find()).toMatchObject({ kind: 'hit' });
  });

  test('unsigned, with blobs or a log of somebody else, is never signed', async () => {
    const evil = { digest: sha256('evil'), size: 4 };
    const withBlobs = (record: PublishedRecord): PublishedRecord => {
      const main = record.outputs.main!;
      return { ...record, outputs: { main: { ...main, blobs: [{ ...main.blobs[0]!, ...evil }] } } };
    };
    for (const change of [withBlobs, (record: PublishedRecord) => ({ ...record, log: evil })]) {
      const { publish, find, directory, path } = await planted(change);
      await expect(publish()).rejects.toMatchObject({
        code: 'signature-invalid',
        message: expect.stringContaining(path),
      });
      expect(filesOf(directory)).not.toContain(`${path}.sig`);
      expect((await find()).kind).toBe('miss');
    }
  });

  test('with a signature that is none is said, and not taken for a success', async () => {
    for (const signature of ['', 'junk', await newSigner().sign('buildit-package', Buffer.from('x'))]) {
      const { publish } = await planted((record) => record, signature);
      const fault = await publish().catch((error) => error);
      expect(fault).toMatchObject({ code: 'signature-invalid' });
      expect(linesOf(fault)).toContain('none of this key');
    }
  });

  test('that cannot be read is said', async () => {
    const { publish, directory, path } = await planted((record) => record);
    writeFileSync(join(directory, path), '{"format":1}\n');
    await expect(publish()).rejects.toMatchObject({ code: 'signature-invalid' });
  });
});

requires('ssh-keygen').describe('ssh-keygen', () => {
  const published = async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    await publishTo(directory, ['app/one', 'app/two', 'app/three'], publishingAs(alice));
    const signers = join(temporaryDirectory(), 'allowed_signers');
    writeFileSync(signers, `${signerLine(allowed({ name: 'alice@example.org', signer: alice }))}\n`);
    const verify = (namespace: string, signature: string, input: Uint8Array) =>
      spawnSync(
        'ssh-keygen',
        ['-Y', 'verify', '-f', signers, '-I', 'alice@example.org', '-n', namespace, '-s', signature],
        { input },
      ).status;
    return { directory, verify };
  };

  test('accepts every record, and no other text', async () => {
    const { directory, verify } = await published();
    const records = filesOf(directory).filter((path) => /^packages\/.*\.json$/.test(path));
    expect(records).toHaveLength(3);
    for (const path of records) {
      const bytes = readFileSync(join(directory, path));
      expect(verify('buildit-package', join(directory, `${path}.sig`), bytes)).toBe(0);
      expect(verify('buildit-index', join(directory, `${path}.sig`), bytes)).not.toBe(0);
      expect(verify('buildit-package', join(directory, `${path}.sig`), bytes.subarray(1))).not.toBe(0);
    }
  });

  test('accepts the first line of the pointer with the rest of the file as its signature', async () => {
    const { directory, verify } = await published();
    const pointer = join(directory, 'index/current.json');
    const line = execFileSync('head', ['-n1', pointer]);
    const signature = join(temporaryDirectory(), 'pointer.sig');
    writeFileSync(signature, execFileSync('tail', ['-n', '+2', pointer]));
    expect(verify('buildit-index', signature, line)).toBe(0);
    expect(verify('buildit-package', signature, line)).not.toBe(0);
    expect(verify('buildit-index', signature, Buffer.concat([line, Buffer.from('x')]))).not.toBe(0);
  });
});
