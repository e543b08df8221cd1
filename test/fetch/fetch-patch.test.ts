import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type FetchPatchOptions, fetchPatch, fetchPatches } from '../../src/fetch/fetch-patch.ts';
import { sha256 } from '../../src/model/digest.ts';
import { normalisePatch } from '../../src/model/normalise-patch.ts';
import type { PackagePatch } from '../../src/model/package.ts';
import { readBlob } from '../../src/store/read-blob.ts';
import { openStore } from '../../src/store/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const raw = `From 52e4dc2f Mon Sep 17 00:00:00 2001
diff --git a/x b/x
index 1234567..89abcde 100644
--- a/x
+++ b/x
@@ -1 +1 @@
-caf\xe9
+tea
`;
const normal = normalisePatch(raw, 1);

async function serve(...texts: string[]): Promise<string> {
  let asked = 0;
  const server = createServer((_, response) => {
    response.end(Buffer.from(texts[Math.min(asked, texts.length - 1)]!, 'latin1'));
    asked += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.patch`;
}

async function options(): Promise<FetchPatchOptions> {
  return {
    store: await openStore(join(temporaryDirectory(), 'store')),
    context: { signal: new AbortController().signal, emit: () => {} },
    config: { offline: false },
    http: { allowHttp: true, retries: 0 },
  };
}

function patch(location: PackagePatch['location'], given: Partial<PackagePatch> = {}): PackagePatch {
  return { location, description: '', fixes: [], strip: 1, sha256: undefined, normalisedSha256: undefined, ...given };
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('a patch by URL', () => {
  test('is kept as it came and as it is applied', async () => {
    const fetch = await options();
    const pin = await fetchPatch(await serve(raw), 1, fetch);
    expect(pin).toEqual({
      sha256: sha256(latin1(raw)),
      size: raw.length,
      normalisedSha256: sha256(latin1(normal)),
    });
    expect((await readBlob(fetch.store, pin.sha256)).toString('latin1')).toBe(raw);
    expect((await readBlob(fetch.store, pin.normalisedSha256)).toString('latin1')).toBe(normal);
  });

  test('must have the checksum that the definition gives', async () => {
    const fetch = { ...(await options()), expected: sha256('something else') };
    await expect(fetchPatch(await serve(raw), 1, fetch)).rejects.toMatchObject({ code: 'checksum-mismatch' });
  });

  test('is refused when it is no patch, too large, or offline', async () => {
    const fetch = await options();
    await expect(fetchPatch(await serve('<html>'), 1, fetch)).rejects.toThrow('found an HTML page');
    await expect(fetchPatch(await serve('no patch'), 1, fetch)).rejects.toMatchObject({ code: 'input-invalid' });
    await expect(fetchPatch(await serve('x'.repeat((10 << 20) + 1)), 1, fetch)).rejects.toMatchObject({
      code: 'input-invalid',
    });
    const offline = { ...fetch, config: { offline: true } };
    await expect(fetchPatch('https://example.org/x', 1, offline)).rejects.toMatchObject({ code: 'offline' });
  });

  test('that a forge writes differently now is the same patch, and another change is refused', async () => {
    const url = await serve(raw, raw.replace('1234567..89abcde', '1234567890..89abcdef01'), raw.replace('tea', 'rum'));
    const pins = { [url]: await fetchPatch(url, 1, await options()) };
    const wanted = [patch({ kind: 'url', url })];
    await fetchPatches(wanted, pins, await options());
    await expect(fetchPatches(wanted, pins, await options())).rejects.toMatchObject({ code: 'checksum-mismatch' });
  });

  test('that is in the store is not fetched again', async () => {
    const fetch = await options();
    const url = await serve(raw, 'gone');
    const pins = { [url]: await fetchPatch(url, 1, fetch) };
    await fetchPatches([patch({ kind: 'url', url })], pins, { ...fetch, config: { offline: true } });
  });
});

describe('a patch in a file', () => {
  test('is kept as it is applied, unless it changed since it was read', async () => {
    const path = join(temporaryDirectory(), 'x.patch');
    writeFileSync(path, latin1(raw));
    const fetch = await options();
    const wanted = patch(
      { kind: 'file', path, shownPath: 'patches/x.patch' },
      { normalisedSha256: sha256(latin1(normal)) },
    );
    writeFileSync(path, latin1(raw.replace('tea', 'rum')));
    await expect(fetchPatches([wanted], {}, fetch)).rejects.toMatchObject({ code: 'checksum-mismatch' });
    writeFileSync(path, latin1(raw));
    await fetchPatches([wanted], {}, fetch);
    expect((await readBlob(fetch.store, wanted.normalisedSha256!)).toString('latin1')).toBe(normal);
  });

  test('that is gone is named', async () => {
    const wanted = patch({ kind: 'file', path: '/nowhere/x.patch', shownPath: 'patches/x.patch' });
    await expect(fetchPatches([wanted], {}, await options())).rejects.toMatchObject({
      code: 'file-missing',
      message: 'Cannot read "patches/x.patch": expected a patch, found no file',
    });
  });
});
