import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { publishContainer } from '../../src/binhost/publish-container.ts';
import { publishPackages } from '../../src/binhost/publish-packages.ts';
import type { PublishedRecord } from '../../src/binhost/published-record.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
import { openReader, openWriter } from '../../src/remote/open-place.ts';
import {
  cacheOf,
  containerOf,
  freshStore,
  newSigner,
  ownPackage,
  policyOf,
  publishable,
  publishingAs,
  readWhole,
  recordedPlace,
  SENDING,
  trustIn,
  watchedPlace,
} from '../support/binhost.ts';
import { requires } from '../support/requires.ts';
import { makeKey, type Sshd, startSshd } from '../support/sshd.ts';

const NAMES = ['app/a', 'app/b', 'app/c'];

async function publisher(signer = newSigner(), names = NAMES) {
  const store = await freshStore();
  const records: PublishedRecord[] = [];
  for (const name of names) records.push(await publishable(store, name));
  const container = await containerOf(store, records[0]!, { name: `box-${names[0]!.slice(4)}` });
  return { store, signer, records, container };
}

async function openAt({ at, home }: Sshd) {
  const options = { environment: { PATH: process.env.PATH }, home };
  const writer = await openWriter({ type: 'ssh', path: `${at}/place`, timeoutMs: 5000 }, options);
  const reader = await openReader({ type: 'ssh', path: `${at}/place`, timeoutMs: 5000 }, options);
  onTestFinished(async () => {
    await Promise.all([writer.close(), reader.close()]);
  });
  return { writer, reader };
}

requires('sshd', 'ssh-keygen').describe('a place over ssh', () => {
  test('takes packages and a container, gives them to others, and is sent nothing twice', async () => {
    const { store, signer, records, container } = await publisher();
    const { writer, reader } = await openAt(await startSshd());
    const options = publishingAs(signer);
    const { place, calls } = recordedPlace(writer);
    const publish = async () => {
      const published = await publishPackages(store, place, records.map(ownPackage), options);
      await publishContainer(store, place, container, options);
      return published;
    };
    expect(await publish()).toMatchObject({ records: 3, generation: 1 });
    expect(await readWhole(reader, trustIn([{ name: 'alice', signer }]))).toEqual([...NAMES, 'box-a']);
    calls.splice(0);
    expect(await publish()).toEqual({ records: 0, generation: 2, blobs: { count: 0, bytes: 0 } });
    // A record is tried to be created, which fails where it is there: one round trip instead of two.
    expect(calls.filter(({ method, path }) => SENDING.includes(method) && !path.startsWith('packages/'))).toEqual([]);
  });

  test('whose server is stopped in the middle stays one that can be read, and the next run goes on', async () => {
    const { store, signer, records, container } = await publisher();
    const options = publishingAs(signer);
    const trust = trustIn([{ name: 'alice', signer }]);
    const sshd = await startSshd();
    for (const at of [20, 50]) {
      const server = at === 20 ? sshd : await startSshd({ directory: sshd.directory, home: sshd.home });
      const { writer } = await openAt(server);
      let calls = 0;
      const place = watchedPlace(writer, async () => {
        calls += 1;
        if (calls === at) await server.stop();
      });
      const attempt = publishPackages(store, place, records.map(ownPackage), options).then(() =>
        publishContainer(store, place, container, options),
      );
      await attempt.catch((error) => expect(error).toMatchObject({ code: 'unreachable' }));
      await server.stop();
      const named = await readWhole(openFilePlace(join(sshd.directory, 'place')), trust);
      expect([...NAMES, 'box-a']).toEqual(expect.arrayContaining([...named]));
    }
    const { writer } = await openAt(await startSshd({ directory: sshd.directory, home: sshd.home }));
    await publishPackages(store, writer, records.map(ownPackage), options);
    await publishContainer(store, writer, container, options);
    expect(await readWhole(writer, trust)).toEqual([...NAMES, 'box-a']);
  });

  test('takes what several publish at once', async () => {
    const publishers = await Promise.all(
      ['x', 'y', 'z'].map((name) => publisher(newSigner(), [`app/${name}1`, `app/${name}2`])),
    );
    const trust = trustIn(publishers.map(({ signer }, index) => ({ name: `builder${index}`, signer })));
    const sshd = await startSshd();
    await Promise.all(
      publishers.map(async ({ store, signer, records, container }) => {
        const { writer } = await openAt(sshd);
        const options = publishingAs(signer, { trust });
        await publishPackages(store, writer, records.map(ownPackage), options);
        await publishContainer(store, writer, container, options);
      }),
    );
    const { reader } = await openAt(sshd);
    const all = publishers.flatMap(({ records, container }) => [
      ...records.map(({ name }) => name),
      container.document.name,
    ]);
    expect(await readWhole(reader, trust)).toEqual(all.toSorted());
  });

  test('whose host key is another one than is known is neither written to nor read from', async () => {
    const { store, signer, records } = await publisher();
    const sshd = await startSshd();
    makeKey(join(sshd.home, 'other'));
    const otherKey = readFileSync(join(sshd.home, 'other.pub'), 'utf8').trim();
    for (const line of [`[127.0.0.1]:${sshd.port} ${otherKey}`, '']) {
      writeFileSync(join(sshd.home, '.ssh/known_hosts'), `${line}\n`);
      const { writer, reader } = await openAt(sshd);
      const attempt = publishPackages(store, writer, records.map(ownPackage), publishingAs(signer));
      await expect(attempt).rejects.toMatchObject({ code: 'authentication-failed' });
      const policy = policyOf(trustIn([{ name: 'alice', signer }]));
      const cache = cacheOf(await freshStore(), [{ reader, policy }]);
      expect((await cache.find(records[0]!.hash)).kind).toBe('miss');
      expect(cache.warnings).toHaveLength(1);
    }
    expect(readdirSync(sshd.directory)).toEqual([]);
  });
});
