import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { publishContainer } from '../../src/binhost/publish-container.ts';
import { publishPackages } from '../../src/binhost/publish-packages.ts';
import type { PublishedRecord } from '../../src/binhost/published-record.ts';
import { BuilditError } from '../../src/model/errors.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
import type { RemoteWriter } from '../../src/remote/remote-place.ts';
import {
  containerOf,
  filesOf,
  freshStore,
  newSigner,
  ownPackage,
  publishable,
  publishingAs,
  readWhole,
  recordedPlace,
  trustIn,
  watchedPlace,
} from '../support/binhost.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CUTS = 100;
/** All of them with BUILDIT_LONG_TESTS=1. */
const STEP = process.env.BUILDIT_LONG_TESTS === '1' ? 1 : 12;

/** How a connection ends: every call fails from then on, or none ever answers. */
type Ending = 'fails' | 'falls silent';

async function publisher() {
  const [alice, store] = [newSigner(), await freshStore()];
  const records: PublishedRecord[] = [];
  for (const name of ['app/a', 'app/b', 'app/c', 'app/d', 'app/e', 'app/f'])
    records.push(await publishable(store, name));
  const container = await containerOf(store, records[0]!);
  const options = publishingAs(alice);
  const publish = async (writer: RemoteWriter) => {
    await publishPackages(store, writer, records.map(ownPackage), options);
    await publishContainer(store, writer, container, options);
  };
  return { publish, trust: trustIn([{ name: 'alice', signer: alice }]) };
}

/** Publishes until the place ends before its n-th call; false where the publish ended first. */
async function publishUntil(
  n: number,
  ending: Ending,
  directory: string,
  publish: (writer: RemoteWriter) => Promise<void>,
) {
  let calls = 0;
  let cut = () => {};
  const isCut = new Promise<true>((resolve) => {
    cut = () => resolve(true);
  });
  const place = watchedPlace(openFilePlace(directory), async () => {
    calls += 1;
    if (calls < n) return;
    cut();
    if (ending === 'falls silent') await new Promise(() => {});
    throw new BuilditError('unreachable', 'the connection is gone');
  });
  const end = publish(place).then(
    () => false,
    (error) => {
      if (error instanceof BuilditError && error.code === 'unreachable') return true;
      throw error;
    },
  );
  return ending === 'fails' ? end : Promise.race([isCut, end]);
}

describe.each<Ending>(['fails', 'falls silent'])('a place that %s in the middle of a publish', (ending) => {
  test(`is one that readers can use, at any of ${CUTS} points, and the next run sends only what is missing`, async () => {
    const { publish, trust } = await publisher();
    const everything = ['app/a', 'app/b', 'app/c', 'app/d', 'app/e', 'app/f', 'box'];
    const first = ending === 'fails' ? 1 : Math.ceil(STEP / 2);
    let cuts = 0;
    const seen = new Set<number>();
    for (let n = first; n <= CUTS; n += STEP) {
      const directory = temporaryDirectory();
      if (!(await publishUntil(n, ending, directory, publish))) break;
      cuts += 1;
      // What was under way at that moment ends meanwhile, as it does where only this side is gone.
      const named = await readWhole(openFilePlace(directory), trust);
      seen.add(named.length);
      expect(everything).toEqual(expect.arrayContaining([...named]));
      const before = new Set(filesOf(directory));
      const { place, calls } = recordedPlace(openFilePlace(directory));
      await publish(place);
      for (const { method, path } of calls) {
        if (method === 'put' && !path.startsWith('aci/')) expect(before, `cut ${n}`).not.toContain(path);
        if (method === 'remove') expect(path, `cut ${n}`).toMatch(/^aci\//);
      }
      expect(await readWhole(openFilePlace(directory), trust)).toEqual(everything);
    }
    expect(cuts).toBe(Math.floor((CUTS - first) / STEP) + 1);
    expect([...seen].sort()).toEqual(expect.arrayContaining([0, 6]));
  }, 600_000);
});

test('a place that lacks any file which its index names is found to be unusable', async () => {
  const { publish, trust } = await publisher();
  const directory = temporaryDirectory();
  await publish(openFilePlace(directory));
  const pointer = readFileSync(join(directory, 'index/current.json'), 'utf8');
  const needed = filesOf(directory).filter((path) => {
    if (path.startsWith('index/') && path.endsWith('.zst')) return pointer.includes(path.slice(6, 70));
    // Sources and logs are for building again and for people.
    if (path.startsWith('blobs/')) return !/^(?:source|log) of /.test(readFileSync(join(directory, path), 'latin1'));
    return path.startsWith('packages/');
  });
  expect(needed.length).toBeGreaterThan(24);
  for (const path of needed.filter((_, index) => index % 3 === 0)) {
    const bytes = readFileSync(join(directory, path));
    rmSync(join(directory, path));
    await expect(readWhole(openFilePlace(directory), trust), path).rejects.toThrow();
    writeFileSync(join(directory, path), bytes);
  }
  expect(await readWhole(openFilePlace(directory), trust)).toHaveLength(7);
});
