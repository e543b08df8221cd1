import { describe, expect, test } from 'vitest';
import { openBinhost } from '../../src/binhost/open-binhost.ts';
import { takeBlob } from '../../src/cache/take-blob.ts';
import { openHttpsPlace } from '../../src/remote/open-https-place.ts';
import { blobSize, readBlob } from '../../src/store/read-blob.ts';
import { startMisbehavingServer } from '../binhost/misbehaving-server.ts';
import { damagedBlobs, freshStore, newSigner, policyOf, publishingAs, publishTo, trustIn } from '../support/binhost.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function places(count: number) {
  const [directory, alice] = [temporaryDirectory(), newSigner()];
  const [record] = await publishTo(directory, ['app/one'], publishingAs(alice));
  const servers = await Promise.all(Array.from({ length: count }, () => startMisbehavingServer(directory)));
  const store = await freshStore();
  const warnings: string[] = [];
  const policy = policyOf(trustIn([{ name: 'alice', signer: alice }]));
  const cachePlaces = servers.map(({ at }, index) => {
    const reader = openHttpsPlace({ scheme: 'http', path: at, timeoutMs: 10_000 });
    const name = `place${index}`;
    const options = { name, reader, policy, requireFresh: false, onWarning: (text: string) => warnings.push(text) };
    return { name, builders: 1, open: () => openBinhost(store, options) };
  });
  const digest = record!.sources[0]!;
  const take = (wanted = digest) =>
    takeBlob(store, cachePlaces, { digest: wanted, maximumBytes: 1000, signal: new AbortController().signal });
  return { store, servers, digest, take, warnings };
}

describe('a file that is asked for by its digest', () => {
  test('comes from the first place that has it', async () => {
    const { store, digest, take, warnings } = await places(1);
    expect(await take()).toBe('place0');
    expect((await readBlob(store, digest)).toString()).toBe('source of app/one');
    expect(await take('0'.repeat(64))).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  test('comes from another place where one has other bytes, too many, too few or none', async () => {
    for (const bytes of ['source of app/two', 'x'.repeat(2000), 'source', '', undefined]) {
      const { store, servers, digest, take, warnings } = await places(2);
      servers[0]!.misbehave = (path, response) => {
        if (!path.startsWith('blobs/')) return false;
        response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
        return true;
      };
      expect(await take()).toBe('place1');
      expect((await readBlob(store, digest)).toString()).toBe('source of app/one');
      expect(warnings).toHaveLength(bytes === undefined ? 0 : 1);
    }
  });

  test('is not kept, nor is the run ended, where no place has the right bytes', async () => {
    const { store, servers, digest, take, warnings } = await places(2);
    for (const server of servers) {
      server.misbehave = (path, response) =>
        path.startsWith('blobs/') && response.writeHead(200).end('evil') !== undefined;
    }
    expect(await take()).toBeUndefined();
    expect(await blobSize(store, digest)).toBeUndefined();
    expect(damagedBlobs(store)).toEqual([]);
    expect(warnings.join('\n')).toContain(`blobs/sha256/${digest}`);
  });
});
