import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { publishContainer } from '../../src/binhost/publish-container.ts';
import { publishPackages } from '../../src/binhost/publish-packages.ts';
import { sha256 } from '../../src/model/digest.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
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
  SENDING,
  trustIn,
} from '../support/binhost.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function published(name = 'box') {
  const [directory, alice, store] = [temporaryDirectory(), newSigner(), await freshStore()];
  const record = await publishable(store, 'app/one');
  const options = publishingAs(alice);
  const publish = async (aci?: string) => {
    const { place, calls } = recordedPlace(openFilePlace(directory));
    await publishPackages(store, place, [ownPackage(record)], options);
    await publishContainer(
      store,
      place,
      await containerOf(store, record, { name, ...(aci === undefined ? {} : { aci }) }),
      options,
    );
    return calls.filter(({ method }) => SENDING.includes(method));
  };
  return { directory, alice, store, record, options, publish, trust: trustIn([{ name: 'alice', signer: alice }]) };
}

describe('a container that was published', () => {
  test('is there with its document, spec and images, and each verifies', async () => {
    const { directory, trust, publish } = await published();
    await publish();
    expect(await readWhole(openFilePlace(directory), trust)).toEqual(['app/one', 'box']);
    expect(readFileSync(join(directory, 'specs/Sysadmin42/box/1.0.tar'), 'utf8')).toBe('spec of box');
    expect(readFileSync(join(directory, 'aci/linux/amd64/Sysadmin42/box-1.0.aci'), 'utf8')).toBe('aci of box');
  });

  test('takes nothing to send a second time, but what was lost meanwhile', async () => {
    const { directory, publish } = await published();
    await publish();
    const before = filesOf(directory);
    const calls = await publish();
    expect(calls.filter(({ method, path }) => method !== 'create' || !path.endsWith('.json'))).toEqual([]);
    expect(filesOf(directory)).toEqual(before);
  });

  test('has the ACI of the last publish, be it of the same size', async () => {
    const { directory, publish, trust } = await published();
    for (const content of ['first', 'other', 'a third one']) {
      await publish(content);
      expect(readFileSync(join(directory, 'aci/linux/amd64/Sysadmin42/box-1.0.aci'), 'utf8')).toBe(content);
    }
    expect(await readWhole(openFilePlace(directory), trust)).toEqual(['app/one', 'box']);
  });

  test('stands in the views with what others published', async () => {
    const { directory, publish, store, record, options } = await published();
    await publish();
    await publishContainer(
      store,
      openFilePlace(directory),
      await containerOf(store, record, { name: 'other' }),
      options,
    );
    const { manifests } = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'));
    const names = manifests.map(
      ({ annotations }: { annotations: Record<string, string> }) => annotations['org.opencontainers.image.ref.name'],
    );
    expect(names.toSorted()).toEqual(
      ['box:1.0', 'box:latest', 'other:1.0', 'other:latest'].map((name) => `Sysadmin42/${name}`),
    );
    for (const { digest } of manifests) {
      const bytes = readFileSync(join(directory, 'blobs/sha256', digest.slice(7)));
      expect(`sha256:${sha256(bytes)}`).toBe(digest);
    }
    const page = readFileSync(join(directory, 'index.html'), 'utf8');
    for (const text of ['Sysadmin42/box', 'Sysadmin42/other', 'app/one']) expect(page).toContain(text);
    expect(page).not.toContain('<script');
  });

  requires('skopeo').test('is an image that skopeo reads by its name and each of its tags', async () => {
    const { directory, publish } = await published();
    await publish();
    const inspect = (reference: string) =>
      JSON.parse(
        execFileSync('skopeo', ['inspect', `oci:${directory}:${reference}`], { encoding: 'utf8', stdio: 'pipe' }),
      );
    for (const tag of ['1.0', 'latest']) {
      expect(inspect(`Sysadmin42/box:${tag}`)).toMatchObject({
        Architecture: 'amd64',
        Os: 'linux',
        Layers: [expect.stringMatching(/^sha256:/)],
      });
    }
    expect(() => inspect('Sysadmin42/box:none')).toThrow();
    const copied = temporaryDirectory();
    execFileSync('skopeo', ['copy', `oci:${directory}:Sysadmin42/box:latest`, `oci:${copied}:copy`], { stdio: 'pipe' });
    expect(filesOf(copied).filter((path) => path.startsWith('blobs/'))).toHaveLength(3);
  });
});
