import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readIdentity } from '../../src/binhost/binhost-identity.ts';
import { collectPlace } from '../../src/binhost/collect-place.ts';
import { commitContent, commitEntries, readNewestIndex } from '../../src/binhost/commit-entries.ts';
import { EMPTY_INDEX, type IndexEntry } from '../../src/binhost/index-part.ts';
import { removeEntries } from '../../src/binhost/remove-entries.ts';
import { verifyPlace } from '../../src/binhost/verify-place.ts';
import { sha256 } from '../../src/model/digest.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
import { keyId } from '../../src/signing/public-key.ts';
import { filesOf, newSigner, policyOf, publishingAs, publishTo, trustIn, watchedPlace } from '../support/binhost.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const DAY_MS = 86_400_000;

async function publishedPlace(names = ['app/one', 'app/two']) {
  const [directory, alice] = [temporaryDirectory(), newSigner()];
  const records = await publishTo(directory, names, publishingAs(alice));
  const writer = openFilePlace(directory);
  const policy = policyOf(trustIn([{ name: 'alice', signer: alice }]));
  const identity = (await readIdentity(writer))!;
  const commit = { identity, signer: alice, policy, now: new Date() };
  const collect = (isDryRun = false, place = writer) =>
    collectPlace(place, { commit, minimumAgeMs: 7 * DAY_MS, isDryRun });
  const verify = () => verifyPlace(writer, { policy, deep: true });
  return { directory, alice, records, writer, commit, collect, verify };
}

/** Everything was put there that many days ago. */
function age(directory: string, days: number, files = filesOf(directory)): void {
  const seconds = Date.now() / 1000 - days * 86_400;
  for (const path of files) utimesSync(join(directory, path), seconds, seconds);
}

function leaveBlob(directory: string, content: string, days: number): string {
  const path = `blobs/sha256/${sha256(content)}`;
  writeFileSync(join(directory, path), content);
  age(directory, days, [path]);
  return path;
}

describe('collecting at a place', () => {
  test('removes what nothing names and is old, and nothing else', async () => {
    const { directory, collect, verify } = await publishedPlace();
    age(directory, 30);
    const [old, young] = [leaveBlob(directory, 'old', 8), leaveBlob(directory, 'young', 6)];
    mkdirSync(join(directory, '.incoming'), { recursive: true });
    const cut = `.incoming/${sha256('cut')}-someone`;
    writeFileSync(join(directory, cut), 'half');
    age(directory, 8, [cut]);
    const before = filesOf(directory);
    const dry = await collect(true);
    expect(dry).toMatchObject({ isDryRun: true, bytes: 7 });
    expect(filesOf(directory)).toEqual(before);
    expect(existsSync(join(directory, cut))).toBe(true);
    const done = await collect();
    expect(done.categories).toEqual([
      { kind: 'blobs', count: 1, bytes: 3 },
      { kind: 'unfinished uploads', count: 1, bytes: 4 },
    ]);
    const gone = before.filter((path) => !filesOf(directory).includes(path));
    expect(gone).toEqual([old]);
    expect(existsSync(join(directory, young))).toBe(true);
    expect(existsSync(join(directory, cut))).toBe(false);
    expect((await verify()).isSound).toBe(true);
  });

  test('folds the index into one base, signed anew', async () => {
    const { directory, writer, commit, collect } = await publishedPlace();
    await collect();
    const [line] = readFileSync(join(directory, 'index/current.json'), 'utf8').split('\n');
    expect(JSON.parse(line!)).toMatchObject({ generation: 2, tail: null, base: { entries: 2 } });
    expect((await readNewestIndex(writer, commit)).content.packages).toHaveLength(2);
  });

  test('leaves the last generations and their parts, and removes older ones', async () => {
    const { directory, writer, commit, collect } = await publishedPlace(['app/one']);
    for (let count = 0; count < 14; count += 1) {
      const entry = { ...(await readNewestIndex(writer, commit)).content.packages[0]!, hash: sha256(`extra ${count}`) };
      await commitEntries(writer, { packages: [entry], containers: [] }, commit);
    }
    await commitContent(writer, ({ packages }) => ({ packages: packages.slice(0, 1), containers: [] }), commit);
    age(directory, 30);
    await collect();
    const generations = readdirSync(join(directory, 'index/gen')).map((name) => Number(name.replace('.json', '')));
    expect(generations.sort((a, b) => a - b)).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17]);
    for (const number of generations) {
      const { base, tail } = JSON.parse(readFileSync(join(directory, `index/gen/${number}.json`), 'utf8').split('\n')[0]!);
      for (const part of [base, tail].filter((found) => found !== null))
        expect(existsSync(join(directory, `index/${part.digest}.json.zst`))).toBe(true);
    }
  });

  test('leaves a blob that a publisher touches while it runs', async () => {
    const { directory, writer, collect } = await publishedPlace();
    age(directory, 30);
    const wanted = leaveBlob(directory, 'a publisher has it too', 30);
    const watched = watchedPlace(writer, async ({ method, path }) => {
      if (method === 'stat' && path === wanted) await writer.touch(wanted);
    });
    expect((await collect(false, watched)).categories).toEqual([]);
    expect(existsSync(join(directory, wanted))).toBe(true);
  });

  test('keeps what a record names that no index names yet', async () => {
    const { directory, writer, commit, collect } = await publishedPlace();
    await commitContent(writer, () => EMPTY_INDEX, commit);
    age(directory, 30);
    expect((await collect()).categories).toEqual([]);
  });

  test('removes nothing where a file that says what is named cannot be read', async () => {
    const { directory, collect } = await publishedPlace();
    age(directory, 30);
    leaveBlob(directory, 'old', 30);
    const record = filesOf(directory).find((path) => /^packages\/.*\.json$/.test(path))!;
    writeFileSync(join(directory, record), '{}\n');
    const before = filesOf(directory).filter((path) => path.startsWith('blobs/'));
    await expect(collect()).rejects.toMatchObject({ code: 'input-invalid', message: expect.stringContaining(record) });
    expect(filesOf(directory).filter((path) => path.startsWith('blobs/'))).toEqual(before);
  });
});

describe('removing entries', () => {
  test('takes the entry and the record away, and leaves the blobs to collection', async () => {
    const { directory, alice, records, writer, commit, collect, verify } = await publishedPlace();
    const [one, two] = records as [(typeof records)[0], (typeof records)[0]];
    const key = keyId(alice.publicKey);
    const { content } = await readNewestIndex(writer, commit);
    const packages = content.packages.filter(({ hash }) => hash === one.hash);
    const wanted = { packages, containers: [], records: [{ hash: one.hash, key, isSigned: true }] };
    expect(await removeEntries(writer, wanted, commit)).toBe(2);
    expect((await readNewestIndex(writer, commit)).content.packages.map(({ hash }) => hash)).toEqual([two.hash]);
    expect(filesOf(directory).some((path) => path.includes(one.hash) && path.startsWith('packages/'))).toBe(false);
    const report = await verify();
    expect(report.isSound).toBe(true);
    expect(report.findings.length).toBeGreaterThan(1);
    age(directory, 30);
    await collect();
    expect((await verify()).findings).toEqual([]);
  });

  test('loses no entry of somebody who publishes at the same time', async () => {
    const { writer, commit } = await publishedPlace(['app/one']);
    const [{ content }, entries] = [
      await readNewestIndex(writer, commit),
      Array.from({ length: 6 }, (_, index) => sha256(`published ${index}`)),
    ];
    const template = content.packages[0]!;
    const published = entries.map((hash): IndexEntry => ({ ...template, hash }));
    await Promise.all([
      ...published.map((entry) => commitEntries(writer, { packages: [entry], containers: [] }, commit)),
      removeEntries(writer, { packages: [template], containers: [], records: [] }, commit),
    ]);
    const after = (await readNewestIndex(writer, commit)).content.packages.map(({ hash }) => hash);
    expect(after.sort()).toEqual([...entries].sort());
  });
});
