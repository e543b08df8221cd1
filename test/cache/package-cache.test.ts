import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { publishPackages } from '../../src/binhost/publish-packages.ts';
import { type PublishedRecord, publishedRecordText } from '../../src/binhost/published-record.ts';
import { findByHash } from '../../src/cache/find-record.ts';
import { keepSealed } from '../../src/cache/local-seal.ts';
import { findEncoding } from '../../src/layer/encode-layer.ts';
import { ensureTree } from '../../src/layer/ensure-tree.ts';
import { sha256 } from '../../src/model/digest.ts';
import type { LayerBlob } from '../../src/model/layer.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
import { keyId } from '../../src/signing/public-key.ts';
import type { Signer } from '../../src/signing/signer.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { writeRecord } from '../../src/store/records.ts';
import {
  cacheOf,
  freshStore,
  keepPackage,
  newSigner,
  ownPackage,
  policyOf,
  publishable,
  publishingAs,
  sealWith,
  type TrustedPerson,
  trustIn,
} from '../support/binhost.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

interface Builder extends TrustedPerson {
  /** What this one says the package holds. */
  readonly content: string;
  /** Changes what the record says before it is signed. */
  readonly lie?: (record: PublishedRecord) => PublishedRecord;
  readonly blobs?: readonly Uint8Array[];
}

const builder = (name: string, content = 'the truth', more: Partial<Builder> = {}): Builder => ({
  name,
  signer: newSigner(),
  content,
  ...more,
});

/** A place to which each of these published a package of one HASH. */
async function placeOf(builders: readonly Builder[]) {
  const directory = temporaryDirectory();
  const trust = trustIn(builders);
  const records: PublishedRecord[] = [];
  for (const { signer, content, lie = (honest: PublishedRecord) => honest, blobs = [] } of builders) {
    const store = await freshStore();
    for (const bytes of blobs) await putBlob(store, bytes);
    const record = lie(await publishable(store, 'app/one', content));
    records.push(record);
    await publishPackages(store, openFilePlace(directory), [ownPackage(record)], publishingAs(signer, { trust }));
  }
  const record = records[0]!;
  const find = async (people: readonly TrustedPerson[], count: number) => {
    const store = await freshStore();
    const place = { reader: openFilePlace(directory), policy: policyOf(trustIn(people)), builders: count };
    const cache = cacheOf(store, [place]);
    const peeked = await cache.peek(record.hash);
    return { peeked, found: await cache.find(record.hash), warnings: cache.warnings.join('\n'), store };
  };
  return { directory, find, record };
}

async function contentOf({ found, store }: Awaited<ReturnType<Awaited<ReturnType<typeof placeOf>>['find']>>) {
  if (found.kind !== 'hit') return found;
  return readFileSync(join(await ensureTree(store, found.record.outputs.main!), 'usr/share/app/one'), 'utf8');
}

describe('where two builders must agree', () => {
  test('two of three who do are enough, and the third who lies is named, whoever published first', async () => {
    for (const liarAt of [0, 1, 2]) {
      const people = [builder('alice'), builder('bob')].toSpliced(liarAt, 0, builder('mallory', 'a lie'));
      const answer = await (await placeOf(people)).find(people, 2);
      expect(answer.found.kind).toBe('hit');
      expect(await contentOf(answer)).toBe('the truth');
      expect(answer.warnings).toContain('mallory signed something else for app/one-1.0');
      expect(answer.warnings).not.toMatch(/alice|bob/);
    }
  });

  test('one is not enough, and neither are two who do not', async () => {
    const [alice, mallory] = [builder('alice'), builder('mallory', 'a lie')];
    const alone = await (await placeOf([alice])).find([alice], 2);
    expect(alone.found).toMatchObject({ kind: 'miss', reason: expect.stringContaining('1 of 2 trusted builders') });
    expect(alone.peeked).toMatchObject({ kind: 'miss', reason: expect.stringContaining('1 of 2 trusted builders') });
    const split = await (await placeOf([alice, mallory])).find([alice, mallory], 2);
    expect(split.found.kind).toBe('miss');
    for (const name of ['alice', 'mallory']) expect(split.warnings).toContain(`${name} signed something else`);
  });

  test('and two pairs do not, nobody is believed', async () => {
    const people = [builder('alice'), builder('bob'), builder('eve', 'a lie'), builder('mallory', 'a lie')];
    const { found } = await (await placeOf(people)).find(people, 2);
    expect(found).toMatchObject({ kind: 'miss', reason: expect.stringContaining('disagree') });
  });

  test('one person with two keys counts once, for a plan as for a build', async () => {
    const [first, second] = [builder('alice'), builder('alice')];
    const { find } = await placeOf([first, second]);
    const kinds = async (people: readonly TrustedPerson[], count: number) => {
      const { found, peeked } = await find(people, count);
      return [found.kind, peeked.kind];
    };
    expect(await kinds([first, second], 2)).toEqual(['miss', 'miss']);
    expect(await kinds([first, { ...second, name: 'bob' }], 2)).toEqual(['hit', 'hit']);
    expect(await kinds([first, second], 1)).toEqual(['hit', 'hit']);
    const expired = { ...second, name: 'bob', changes: { validBefore: new Date('2020-01-01T00:00:00Z') } };
    expect(await kinds([first, expired], 2)).toEqual(['miss', 'miss']);
    expect(await kinds([expired], 1)).toEqual(['miss', 'miss']);
  });

  test('all of them are compared with what is built again, and strangers are not', async () => {
    const people = [builder('alice'), builder('bob')];
    const { directory, record } = await placeOf([builder('stranger', 'a lie'), ...people]);
    const records = (known: readonly TrustedPerson[], builders: number) =>
      freshStore().then((store) =>
        cacheOf(store, [{ reader: openFilePlace(directory), policy: policyOf(trustIn(known)), builders }]).findRecords(
          record.hash,
          record.buildKey,
        ),
      );
    const found = await records(people, 2);
    expect(found.length).toBeGreaterThanOrEqual(2);
    const isLie = (one: (typeof found)[number]) => one.record.outputs.main!.diffId === record.outputs.main!.diffId;
    expect(found.some(isLie)).toBe(false);
    expect(await records(people.slice(0, 1), 2)).toEqual([]);
  });

  test('a stranger is none of them, under `warn` neither', async () => {
    const [alice, stranger] = [builder('alice'), builder('stranger')];
    const { directory, record } = await placeOf([stranger, alice]);
    for (const verify of ['require', 'warn'] as const) {
      const policy = policyOf(trustIn([alice]), { verify });
      const ask = (builders: number) =>
        freshStore().then((store) =>
          cacheOf(store, [{ reader: openFilePlace(directory), policy, builders }]).find(record.hash),
        );
      expect((await ask(2)).kind).toBe('miss');
      expect((await ask(1)).kind).toBe('hit');
    }
  });

  test('a blob that only one of them names is held against the layer that they agree on', async () => {
    const evilStore = await freshStore();
    const evil = (await publishable(evilStore, 'app/one', 'a lie')).outputs.main!.blobs[0]!;
    const evilBytes = readFileSync(join(evilStore.directory, 'blobs/sha256', evil.digest.slice(0, 2), evil.digest));
    const naming = (blob: LayerBlob) => (record: PublishedRecord) => ({
      ...record,
      outputs: { main: { ...record.outputs.main!, blobs: [blob] } },
    });
    const mallory = builder('mallory', 'the truth', { lie: naming(evil), blobs: [evilBytes] });
    for (const honest of [[builder('bob')], [builder('bob'), builder('carol')]]) {
      const people = [mallory, ...honest];
      const taken = await (await placeOf(people)).find(people, 2);
      expect(await contentOf(taken)).toBe('the truth');
    }
    const otherBytes = Buffer.concat([evilBytes, evilBytes]);
    const other = { ...evil, digest: sha256(otherBytes), size: otherBytes.length };
    const liars = [mallory, builder('eve', 'the truth', { lie: naming(other), blobs: [otherBytes] })];
    const place = await placeOf(liars);
    const refused = await place.find(liars, 2);
    expect(refused.found.kind).toBe('miss');
    expect(refused.warnings).toContain('blobs/sha256/');
    expect(await findEncoding(refused.store, place.record.outputs.main!, 'zstd')).toBeUndefined();
  });

  test('lies about anything else that follows from the HASH are lies too', async () => {
    const lies: readonly ((record: PublishedRecord) => PublishedRecord)[] = [
      (record) => ({ ...record, sourceDate: 1 }),
      (record) => ({ ...record, sources: [] }),
      (record) => ({
        ...record,
        outputs: { main: { ...record.outputs.main!, size: record.outputs.main!.size + 512 } },
      }),
    ];
    for (const lie of lies) {
      const people = [builder('mallory', 'the truth', { lie }), builder('bob')];
      expect((await (await placeOf(people)).find(people, 2)).found.kind).toBe('miss');
    }
  });
});

describe('several places', () => {
  test('are asked in their order, and the first that has something that counts is taken', async () => {
    const [alice, mallory] = [builder('alice'), builder('mallory', 'a lie')];
    const [good, bad] = [await placeOf([alice]), await placeOf([mallory])];
    const policy = policyOf(trustIn([alice]));
    const places = [
      { name: 'bad', reader: openFilePlace(bad.directory), policy },
      { name: 'good', reader: openFilePlace(good.directory), policy },
      { name: 'never', reader: openFilePlace('/nowhere'), policy },
    ];
    const cache = cacheOf(await freshStore(), places);
    expect(await cache.peek(good.record.hash)).toMatchObject({ kind: 'hit', place: 'good' });
    expect(await cache.find(good.record.hash)).toMatchObject({ kind: 'hit', place: 'good' });
    expect(cache.warnings).toEqual([expect.stringContaining('index/current.json')]);
  });
});

describe('a record of this store', () => {
  const kept = async (signer?: Signer) => {
    const store = await freshStore();
    const record = await keepPackage(store, 'app/one');
    const seal = sealWith(trustIn([]));
    if (signer === undefined) await writeRecord(store, record);
    else await keepSealed(store, record, { ...seal, signer: async () => signer });
    return { store, record, seal };
  };

  test('counts when this machine signed it, and not otherwise', async () => {
    const own = await kept();
    expect(await findByHash(own.store, own.record.hash, own.seal)).toMatchObject({
      kind: 'miss',
      reason: 'its record in the store is not signed',
    });
    await keepSealed(own.store, own.record, own.seal);
    expect(await findByHash(own.store, own.record.hash, own.seal)).toMatchObject({ kind: 'hit', place: 'locally' });
    const other = await kept(newSigner());
    expect(await findByHash(other.store, other.record.hash, other.seal)).toMatchObject({
      kind: 'miss',
      reason: expect.stringContaining('signed by a stranger'),
    });
  });

  test('that says something else than was signed does not count', async () => {
    const { store, record, seal } = await kept();
    const signature = await (await seal.signer()).sign('buildit-package', Buffer.from('{}\n'));
    await writeRecord(store, record, { seal: signature });
    expect((await findByHash(store, record.hash, seal)).kind).toBe('miss');
  });

  test('that came from a binhost counts as long as its builder is believed', async () => {
    const alice = builder('alice');
    const { directory, record } = await placeOf([alice]);
    const [store, seal] = [await freshStore(), sealWith(trustIn([alice]))];
    const place = { reader: openFilePlace(directory), policy: policyOf(trustIn([alice])) };
    expect((await cacheOf(store, [place], seal).find(record.hash)).kind).toBe('hit');
    expect(await findByHash(store, record.hash, seal)).toMatchObject({ kind: 'hit' });
    for (const trust of [trustIn([]), trustIn([alice], [alice.signer])]) {
      expect(await findByHash(store, record.hash, { ...seal, trust })).toMatchObject({
        kind: 'miss',
        reason: expect.stringContaining("it came from 'place', signed"),
      });
    }
  });
});

describe('what a place says of a layer', () => {
  test('never takes the place of a blob of that layer that is here already', async () => {
    const [store, alice] = [await freshStore(), builder('alice')];
    const record = await publishable(store, 'app/one', 'the truth');
    const [own] = record.outputs.main!.blobs;
    const junk = Buffer.from('no layer at all');
    const other = { ...own!, ...(await putBlob(store, junk)) };
    const { directory } = await placeOf([
      {
        ...alice,
        blobs: [junk],
        lie: (honest) => ({ ...honest, outputs: { main: { ...honest.outputs.main!, blobs: [other] } } }),
      },
    ]);
    const place = { reader: openFilePlace(directory), policy: policyOf(trustIn([alice])) };
    expect((await cacheOf(store, [place]).find(record.hash)).kind).toBe('hit');
    expect(await findEncoding(store, record.outputs.main!, 'zstd')).toEqual(own);
  });

  test('is asked for again in the next run: no refusal is remembered', async () => {
    const alice = builder('alice');
    const { directory, record } = await placeOf([alice]);
    const path = join(
      directory,
      `packages/${record.hash.slice(0, 2)}/${record.hash}/${keyId(alice.signer.publicKey)}.json`,
    );
    const store = await freshStore();
    const place = { reader: openFilePlace(directory), policy: policyOf(trustIn([alice])) };
    writeFileSync(path, 'damaged');
    expect((await cacheOf(store, [place]).find(record.hash)).kind).toBe('miss');
    writeFileSync(path, publishedRecordText(record));
    expect((await cacheOf(store, [place]).find(record.hash)).kind).toBe('hit');
  });

  test('that proves to be wrong is forgotten, and the next run does not believe it again', async () => {
    const evilStore = await freshStore();
    const evil = (await publishable(evilStore, 'app/one', 'a lie')).outputs.main!.blobs[0]!;
    const evilBytes = readFileSync(join(evilStore.directory, 'blobs/sha256', evil.digest.slice(0, 2), evil.digest));
    const lie = (record: PublishedRecord) => ({
      ...record,
      outputs: { main: { ...record.outputs.main!, blobs: [evil] } },
    });
    const mallory = builder('mallory', 'the truth', { lie, blobs: [evilBytes] });
    const { directory, record } = await placeOf([mallory]);
    const [store, seal] = [await freshStore(), sealWith(trustIn([mallory]))];
    const place = { reader: openFilePlace(directory), policy: policyOf(trustIn([mallory])) };
    const found = await cacheOf(store, [place], seal).find(record.hash);
    if (found.kind !== 'hit') throw new Error(found.reason);
    await expect(ensureTree(store, found.record.outputs.main!)).rejects.toMatchObject({ code: 'store-damaged' });
    expect(await findByHash(store, record.hash, seal)).toMatchObject({
      kind: 'miss',
      reason: 'its files are no longer in the store',
    });
    const again = cacheOf(store, [place], seal);
    expect((await again.find(record.hash)).kind).toBe('miss');
    expect(again.warnings.join('\n')).toContain(`expected the layer sha256 ${record.outputs.main!.diffId} in it`);
  });
});
