import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readIdentity } from '../../src/binhost/binhost-identity.ts';
import { collectPlace } from '../../src/binhost/collect-place.ts';
import { type CommitOptions, commitContent, commitEntries, readNewestIndex } from '../../src/binhost/commit-entries.ts';
import { EMPTY_INDEX, type IndexEntry } from '../../src/binhost/index-part.ts';
import { removePin, writePin } from '../../src/binhost/pins.ts';
import { publishContainer } from '../../src/binhost/publish-container.ts';
import { publishPackages } from '../../src/binhost/publish-packages.ts';
import { removeEntries } from '../../src/binhost/remove-entries.ts';
import { verifyPlace } from '../../src/binhost/verify-place.ts';
import { layerTar } from '../../src/layer/write-tar.ts';
import { canonicalJson } from '../../src/model/canonical-json.ts';
import { sha256 } from '../../src/model/digest.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
import { openSshPlace } from '../../src/remote/open-ssh-place.ts';
import type { RemoteWriter } from '../../src/remote/remote-place.ts';
import { keyId } from '../../src/signing/public-key.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import {
  filesOf,
  freshStore,
  newSigner,
  ownPackage,
  policyOf,
  publishable,
  publishingAs,
  publishTo,
  trustIn,
  watchedPlace,
} from '../support/binhost.ts';
import { requires } from '../support/requires.ts';
import { startSshd } from '../support/sshd.ts';
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
      const { base, tail } = JSON.parse(
        readFileSync(join(directory, `index/gen/${number}.json`), 'utf8').split('\n')[0]!,
      );
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

/** Publishes a container whose image holds one layer of that text. */
async function publishText(writer: RemoteWriter, commit: CommitOptions, text: string): Promise<readonly string[]> {
  const store = await freshStore();
  const put = (content: string) => putBlob(store, Buffer.from(content));
  const [layer, config] = [await put(`layer ${text}`), await put(`configuration ${text}`)];
  const lock = Buffer.from(JSON.stringify({ sha256: sha256('pinned') }));
  const entry = { path: 'buildit.lock', type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;
  const lockEntry = { ...entry, size: lock.length, sha256: sha256(lock) };
  const spec = await putBlob(
    store,
    layerTar([lockEntry], () => lock),
  );
  const named = ({ digest, size }: { digest: string; size: number }, mediaType: string) => ({
    ...{ mediaType, digest: `sha256:${digest}`, size },
  });
  const manifest = await put(
    canonicalJson({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: named(config, 'application/vnd.oci.image.config.v1+json'),
      layers: [named(layer, 'application/vnd.oci.image.layer.v1.tar')],
    }),
  );
  const document = {
    ...({ format: 1, kind: 'container', author: null, name: 'web', version: '1.0', platform: 'linux/amd64' } as const),
    ...{ spec, oci: [{ ...manifest, tags: ['1.0'] }], aci: [], packages: [], time: new Date().toISOString() },
  };
  const blobs = [layer, config, manifest];
  const { signer, policy } = commit;
  await publishContainer(store, writer, { document, blobs }, { name: 'place', signer, policy, now: new Date() });
  return blobs.map(({ digest }) => `blobs/sha256/${digest}`);
}

describe('collecting containers', () => {
  test('leaves what the latest one, its locks and pins name, and removes what a replaced one named', async () => {
    const { directory, writer, commit, collect, verify } = await publishedPlace(['app/one']);
    const there = (paths: readonly string[]) => paths.map((path) => existsSync(join(directory, path)));
    const first = await publishText(writer, commit, 'first');
    const { content } = await readNewestIndex(writer, commit);
    const { digest } = content.containers[0]!.document;
    const second = await publishText(writer, commit, 'second');
    await writePin(writer, { digest, kind: 'container', title: 'web-1.0' });
    const pinnedByLock = leaveBlob(directory, 'pinned', 30);
    age(directory, 30);
    expect((await collect()).categories).toEqual([]);
    expect(await verify()).toMatchObject({ isSound: true, findings: [] });
    await removePin(writer, digest);
    age(directory, 30);
    await collect();
    expect(there(first)).toEqual([false, false, false]);
    expect(there([...second, pinnedByLock])).toEqual([true, true, true, true]);
    expect(await verify()).toMatchObject({ isSound: true, findings: [] });
  });

  test('removes nothing where a manifest is not there, and verifying calls nothing unreferenced then', async () => {
    const { directory, writer, commit, collect, verify } = await publishedPlace(['app/one']);
    const [, , manifest] = await publishText(writer, commit, 'first');
    rmSync(join(directory, manifest!));
    age(directory, 30);
    const before = filesOf(directory).filter((path) => path.startsWith('blobs/'));
    await expect(collect()).rejects.toMatchObject({ code: 'checksum-mismatch' });
    expect(filesOf(directory).filter((path) => path.startsWith('blobs/'))).toEqual(before);
    expect((await verify()).findings).toMatchObject([{ kind: 'missing', path: manifest }]);
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

requires('sshd', 'ssh-keygen').describe('a place behind SFTP', () => {
  test('is verified, cleaned and folded like a directory', async () => {
    const [sshd, alice] = [await startSshd(), newSigner()];
    const place = openSshPlace(
      { path: `${sshd.at}/place` },
      { environment: { PATH: process.env.PATH }, home: sshd.home, systemConfig: '/dev/null' },
    );
    onTestFinished(() => place.close());
    const store = await freshStore();
    const options = publishingAs(alice);
    await publishPackages(store, place, [ownPackage(await publishable(store, 'app/one'))], options);
    const directory = join(sshd.directory, 'place');
    const old = leaveBlob(directory, 'old', 30);
    const commit = { ...options, identity: (await readIdentity(place))! };
    const collected = await collectPlace(place, { commit, minimumAgeMs: 7 * DAY_MS, isDryRun: false });
    expect(collected).toMatchObject({ generation: 2, categories: [{ kind: 'blobs', count: 1 }] });
    expect(existsSync(join(directory, old))).toBe(false);
    const report = await verifyPlace(place, { policy: options.policy, deep: true });
    expect(report).toMatchObject({ isSound: true, packages: 1, findings: [] });
  });
});
