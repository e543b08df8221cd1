import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readIdentity } from '../../src/binhost/binhost-identity.ts';
import { commitEntries } from '../../src/binhost/commit-entries.ts';
import { EMPTY_INDEX } from '../../src/binhost/index-part.ts';
import { openBinhost } from '../../src/binhost/open-binhost.ts';
import { parsePointer, pointerLine, splitPointer } from '../../src/binhost/pointer.ts';
import { publishPackages } from '../../src/binhost/publish-packages.ts';
import { type PublishedRecord, publishedRecordText } from '../../src/binhost/published-record.ts';
import type { Verify } from '../../src/binhost/read-pointer.ts';
import { sha256 } from '../../src/model/digest.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
import { openHttpsPlace } from '../../src/remote/open-https-place.ts';
import { keyId } from '../../src/signing/public-key.ts';
import type { Signer } from '../../src/signing/signer.ts';
import type { Trust } from '../../src/signing/trust.ts';
import { readRecord } from '../../src/store/records.ts';
import type { Store } from '../../src/store/store.ts';
import {
  cacheOf,
  damagedBlobs,
  filesOf,
  freshStore,
  newSigner,
  ownPackage,
  policyOf,
  publishable,
  publishingAs,
  publishTo,
  type TrustedPerson,
  trustIn,
} from '../support/binhost.ts';
import { requires } from '../support/requires.ts';
import { startStaticServer } from '../support/static-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type MisbehavingServer, type Misbehaviour, startMisbehavingServer } from './misbehaving-server.ts';

/** Of a place that keeps somebody waiting; others get the time that a busy machine may need. */
const TIMEOUT_MS = 1000;
const AMPLE_MS = 8000;
/** Above all that waiting, trying again and a busy machine take together; without a limit a case would never end. */
const BOUND_MS = 10_000;

interface Scene {
  readonly directory: string;
  readonly alice: Signer;
  readonly trust: Trust;
  readonly record: PublishedRecord;
  readonly server: MisbehavingServer;
  readonly paths: Record<'pointer' | 'part' | 'record' | 'signature' | 'blob' | 'listing', string>;
}

/** A place with one package, of which every file is known. */
async function scene(content: string | Uint8Array = 'content of the package\n'): Promise<Scene> {
  const [directory, alice, store] = [temporaryDirectory(), newSigner(), await freshStore()];
  const record = await publishable(store, 'app/one', content);
  await publishPackages(store, openFilePlace(directory), [ownPackage(record)], publishingAs(alice));
  const { listing, blobs } = record.outputs.main!;
  const recordPath = `packages/${record.hash.slice(0, 2)}/${record.hash}/${keyId(alice.publicKey)}.json`;
  return {
    directory,
    alice,
    trust: trustIn([{ name: 'alice', signer: alice }]),
    record,
    server: await startMisbehavingServer(directory),
    paths: {
      pointer: 'index/current.json',
      part: filesOf(directory).find((path) => path.endsWith('.json.zst'))!,
      record: recordPath,
      signature: `${recordPath}.sig`,
      blob: `blobs/sha256/${blobs[0]!.digest}`,
      listing: `blobs/sha256/${listing.digest}`,
    },
  };
}

interface Asking {
  readonly store?: Store;
  readonly trust?: Trust;
  readonly verify?: Verify;
  readonly principals?: readonly string[];
  readonly requireFresh?: boolean;
  readonly now?: Date;
  readonly timeoutMs?: number;
}

/** Looks for the package in one run of its own; nothing else may come of it than a hit or a miss, in a bounded time. */
async function ask({ server, trust, record }: Pick<Scene, 'server' | 'trust' | 'record'>, asking: Asking = {}) {
  const store = asking.store ?? (await freshStore());
  const { verify = 'require', principals, now = new Date(), requireFresh = false, timeoutMs = AMPLE_MS } = asking;
  const reader = openHttpsPlace({ scheme: 'http', path: server.at, timeoutMs, minimumBytesPerSecond: 1000 });
  const policy = policyOf(asking.trust ?? trust, { verify, principals, now });
  const cache = cacheOf(store, [{ reader, policy, requireFresh }]);
  const begin = performance.now();
  const found = await cache.find(record.hash);
  expect(performance.now() - begin).toBeLessThan(BOUND_MS);
  return { found, store, warnings: cache.warnings };
}

/** The answer to a doubt: a miss, said with the name of the file, and nothing kept. */
async function expectDoubt(of: Scene, path: string, asking: Asking = {}): Promise<readonly string[]> {
  const { found, store, warnings } = await ask(of, asking);
  expect(found.kind).toBe('miss');
  expect(warnings.join('\n')).toContain(path);
  expect(await readRecord(store, of.record.hash)).toBeUndefined();
  expect(damagedBlobs(store)).toEqual([]);
  expect(readdirSync(join(store.directory, 'encodings'))).toEqual([]);
  expect(
    readdirSync(join(store.directory, 'notes')).filter((name) => name === 'binhosts' && path.startsWith('index/')),
  ).toEqual([]);
  return warnings;
}

/** A signature is called by the file that it is of. */
function shownPath({ paths }: Scene, name: keyof Scene['paths']): string {
  return paths[name === 'signature' ? 'record' : name];
}

const serving =
  (of: string, bytes: Uint8Array): Misbehaviour =>
  (path, response) => {
    if (path !== of) return false;
    response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    return true;
  };

const CHANGES: readonly ((byte: number) => number)[] = [
  (byte) => byte ^ 1,
  (byte) => byte ^ 0x20,
  (byte) => byte ^ 0x80,
];

/** All positions and changes with BUILDIT_LONG_TESTS=1, else all positions with one change each. */
function* singleByteChanges(bytes: Buffer): Generator<{ readonly changed: Buffer; readonly position: number }> {
  for (let position = 0; position < bytes.length; position += 1) {
    const all = process.env.BUILDIT_LONG_TESTS === '1';
    for (const change of all ? CHANGES : [CHANGES[position % CHANGES.length]!]) {
      const changed = Buffer.from(bytes);
      changed[position] = change(changed[position]!);
      yield { changed, position };
    }
  }
}

/** Does work on all values, at each of some servers with a store of its own. */
async function atServers<Value>(
  of: Scene,
  values: Iterable<Value>,
  work: (of: Scene, store: Store, value: Value) => Promise<void>,
): Promise<readonly Store[]> {
  const waiting = values[Symbol.iterator]();
  return Promise.all(
    Array.from({ length: 6 }, async () => {
      const [server, store] = [await startMisbehavingServer(of.directory), await freshStore()];
      for (const value of { [Symbol.iterator]: () => waiting }) await work({ ...of, server }, store, value);
      return store;
    }),
  );
}

describe('an honest place', () => {
  test('has the package, so that every refusal below is one of what was changed', async () => {
    const of = await scene();
    const { found, warnings } = await ask(of);
    expect(found).toMatchObject({ kind: 'hit', place: 'place' });
    expect(warnings).toEqual([]);
  });
});

describe('every single-byte change', () => {
  test.each(['pointer', 'part', 'record', 'signature'] as const)('of the %s is a miss', async (name) => {
    const of = await scene();
    const bytes = readFileSync(join(of.directory, of.paths[name]));
    let asked = 0;
    const stores = await atServers(of, singleByteChanges(bytes), async (at, store, { changed, position }) => {
      at.server.misbehave = serving(of.paths[name], changed);
      const { found, warnings } = await ask(at, { store });
      if (found.kind !== 'miss' || !warnings.join('\n').includes(shownPath(of, name))) {
        expect.fail(`position ${position}: ${found.kind}, ${warnings.join('\n')}`);
      }
      asked += 1;
    });
    expect(asked).toBeGreaterThanOrEqual(bytes.length);
    for (const store of stores) {
      expect(await readRecord(store, of.record.hash)).toBeUndefined();
      expect(damagedBlobs(store)).toEqual([]);
    }
    expect((await ask(of, { store: stores[0]! })).found.kind).toBe('hit');
  });

  test('of a thousand positions of a layer and its listing is a miss', async () => {
    const random = Buffer.from(Array.from({ length: 3000 }, (_, index) => sha256(String(index)).slice(0, 8)).join(''));
    const of = await scene(random);
    const samples = (['blob', 'listing'] as const).flatMap((name) => {
      const bytes = readFileSync(join(of.directory, of.paths[name]));
      const count = name === 'blob' ? 950 : 50;
      return Array.from({ length: count }, (_, sample) => ({
        name,
        bytes,
        position: Math.floor((sample / count) * bytes.length),
        bit: 1 << (sample % 8),
      }));
    });
    const stores = await atServers(of, samples, async (at, store, { name, bytes, position, bit }) => {
      const changed = Buffer.from(bytes);
      changed[position] = changed[position]! ^ bit;
      at.server.misbehave = serving(of.paths[name], changed);
      // What was whole the last time is kept, so the listing is asked for once by each store.
      const asking = { store: name === 'listing' ? await freshStore() : store };
      const { found, warnings } = await ask(at, asking);
      if (found.kind !== 'miss' || !warnings.join('\n').includes(of.paths[name])) {
        expect.fail(`${name}, position ${position}: ${found.kind}, ${warnings.join('\n')}`);
      }
    });
    for (const store of stores) {
      expect(await readRecord(store, of.record.hash)).toBeUndefined();
      expect(readdirSync(join(store.directory, 'encodings'))).toEqual([]);
      expect(damagedBlobs(store)).toEqual([]);
    }
    expect((await ask(of, { store: stores[0]! })).found.kind).toBe('hit');
  });
});

/** What a server may do on the wire instead of sending a file. */
const wire: Record<string, (bytes: Buffer, response: ServerResponse, server: MisbehavingServer) => void> = {
  'truncated and closed cleanly': (bytes, response) => {
    response.writeHead(200);
    response.end(bytes.subarray(0, -1));
  },
  'truncated below its length': (bytes, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, -1), () => response.destroy());
  },
  empty: (_, response) => void response.writeHead(200, { 'content-length': 0 }).end(),
  'longer than declared': (bytes, response) => void response.writeHead(200).end(Buffer.concat([bytes, bytes])),
  'longer by one byte': (bytes, response) => {
    response.writeHead(200, { 'content-length': bytes.length + 1 }).end(Buffer.concat([bytes, Buffer.from('\n')]));
  },
  endless: (_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(Buffer.alloc(65_536, 'x')), 5);
    response.on('close', () => clearInterval(timer));
  },
  'sent slowly, a byte at a time': (bytes, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    let position = 0;
    const timer = setInterval(() => response.write(bytes.subarray(position, ++position)), 100);
    response.on('close', () => clearInterval(timer));
  },
  'silent after its headers': (bytes, response) =>
    void response.writeHead(200, { 'content-length': bytes.length }).flushHeaders(),
  'never answered': () => {},
  'broken off without an answer': (_, response) => void response.destroy(),
  'a 206 that nobody asked for': (bytes, response) => {
    const part = bytes.subarray(1);
    response
      .writeHead(206, { 'content-range': `bytes 1-${bytes.length - 1}/${bytes.length}`, 'content-length': part.length })
      .end(part);
  },
  'a 206 without its range': (bytes, response) => void response.writeHead(206).end(bytes),
  'a 304 that nobody asked for': (_, response) => void response.writeHead(304).end(),
  'too many requests': (_, response) => void response.writeHead(429, { 'retry-after': '1' }).end('slower'),
  'too many requests for a year': (_, response) => void response.writeHead(429, { 'retry-after': '31536000' }).end(),
  'a failing server': (_, response) => void response.writeHead(500).end('oops'),
  forbidden: (_, response) => void response.writeHead(403).end(),
  'a captive portal': (_, response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>\n'),
  'redirected to another scheme': (_, response) =>
    void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  'redirected to itself': (_, response) => void response.writeHead(302, { location: '' }).end(),
  'redirected in a loop': (_, response, { requests }) =>
    void response.writeHead(302, { location: `?${requests.length}` }).end(),
  'redirected elsewhere': (_, response, { at }) =>
    void response.writeHead(302, { location: `http://${at}/index/gen/none` }).end(),
  'no HTTP at all': (_, response) => void response.socket!.end('hello\r\n\r\n'),
  'compressed without being asked': (bytes, response) => {
    response
      .writeHead(200, { 'content-encoding': 'gzip', 'content-length': bytes.length })
      .end(Buffer.concat([Buffer.from('\x1f\x8b'), bytes.subarray(2)]));
  },
};

describe.each(Object.entries(wire))('a file that is %s', (kind, send) => {
  test('is a miss, whichever it is', async () => {
    const of = await scene();
    const names = ['pointer', 'part', 'record', 'signature', 'listing', 'blob'] as const;
    await Promise.all(
      names.map(async (name) => {
        const server = await startMisbehavingServer(of.directory);
        const bytes = readFileSync(join(of.directory, of.paths[name]));
        server.misbehave = (path, response) => {
          if (path !== of.paths[name] && !path.startsWith(`${of.paths[name]}?`)) return false;
          send(bytes, response, server);
          return true;
        };
        const { found, store, warnings } = await ask({ ...of, server }, { timeoutMs: TIMEOUT_MS });
        expect(damagedBlobs(store), name).toEqual([]);
        expect(found.kind, name).toBe('miss');
        expect(await readRecord(store, of.record.hash), name).toBeUndefined();
        // A pointer that is not there is that of an empty place; everything else is said.
        if (name === 'pointer' && kind === 'redirected elsewhere') expect(warnings).toEqual([]);
        else expect(warnings.join('\n')).toContain(shownPath(of, name));
        server.misbehave = () => false;
        expect((await ask({ ...of, server }, { store })).found.kind, name).toBe('hit');
      }),
    );
  });
});

describe('a proxy that changes answers', () => {
  const changes: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
    'an HTML page': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!DOCTYPE html><p>'),
    'a compressed answer (Content-Encoding: gzip)': (response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x')),
  };

  test.each(Object.entries(changes))('is named for every kind of file (%s)', async (found, change) => {
    const of = await scene();
    for (const name of ['pointer', 'part', 'record', 'signature', 'listing', 'blob'] as const) {
      of.server.misbehave = (path, response) => {
        if (path !== of.paths[name]) return false;
        change(response);
        return true;
      };
      const { found: lookup, warnings } = await ask(of);
      expect(lookup.kind, name).toBe('miss');
      expect(warnings.join('\n'), name).toContain(found);
    }
  });

  test('is no reason to trust a key; a stranger is', async () => {
    const of = await scene();
    const hint = async (trust: Trust, now = new Date()) => {
      const reader = openHttpsPlace({ scheme: 'http', path: of.server.at });
      const policy = policyOf(trust, { verify: 'require', now });
      const error = await openBinhost(await freshStore(), {
        ...{ name: 'one', reader, policy, requireFresh: true, onWarning: () => {} },
      }).catch((reason: unknown) => reason);
      return (error as { hint?: string }).hint;
    };
    expect(await hint(trustIn([]))).toContain('buildit key trust');
    expect(await hint(of.trust, new Date('2999-01-01'))).toContain('the clock of this machine says 2999-01-01');
    for (const bytes of ['', 'no pointer', '\u001f\u008b', '<html>']) {
      writeFileSync(join(of.directory, of.paths.pointer), bytes);
      const shown = await hint(trustIn([]));
      expect(shown, bytes).not.toContain('key trust');
      expect(shown, bytes).toContain('may change');
    }
  });
});

describe('a file that is said to be missing', () => {
  test.each(['part', 'record', 'signature', 'listing', 'blob'] as const)(
    '(the %s) is a miss that is said',
    async (name) => {
      const of = await scene();
      for (const status of [404, 410]) {
        of.server.misbehave = (path, response) => {
          if (path !== of.paths[name]) return false;
          response.writeHead(status).end();
          return true;
        };
        await expectDoubt(of, name === 'signature' ? of.paths.record : of.paths[name]);
      }
    },
  );

  test('(all of them) is an empty place the first time, and a lie afterwards', async () => {
    const of = await scene();
    const store = await freshStore();
    of.server.misbehave = (_, response) => response.writeHead(404).end() !== undefined;
    const empty = await ask(of, { store });
    expect(empty).toMatchObject({ found: { kind: 'miss' }, warnings: [] });
    of.server.misbehave = (path, response) => path === of.paths.blob && response.writeHead(404).end() !== undefined;
    expect((await ask(of, { store })).found.kind).toBe('miss');
    of.server.misbehave = (_, response) => response.writeHead(404).end() !== undefined;
    const lying = await ask(of, { store });
    expect(lying.found.kind).toBe('miss');
    expect(lying.warnings.join('\n')).toContain('missing');
    of.server.misbehave = () => false;
    expect((await ask(of, { store })).found.kind).toBe('hit');
  });
});

describe('a place that is down', () => {
  test('costs one time-out and one warning for the whole run', async () => {
    const of = await scene();
    of.server.misbehave = () => true;
    const reader = openHttpsPlace({ scheme: 'http', path: of.server.at, timeoutMs: TIMEOUT_MS });
    const cache = cacheOf(await freshStore(), [{ reader, policy: policyOf(of.trust) }]);
    const begin = performance.now();
    for (let index = 0; index < 50; index += 1) expect((await cache.find(sha256(String(index)))).kind).toBe('miss');
    expect(performance.now() - begin).toBeLessThan(BOUND_MS);
    expect(cache.warnings).toHaveLength(1);
    expect(of.server.requests.length).toBeLessThanOrEqual(2);
  });

  test('in the middle of a run has one warning for all packages', async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    const records = await publishTo(directory, ['app/a', 'app/b', 'app/c'], publishingAs(alice));
    const server = await startMisbehavingServer(directory);
    server.misbehave = (path) => path.startsWith('packages/');
    const reader = openHttpsPlace({ scheme: 'http', path: server.at, timeoutMs: TIMEOUT_MS });
    const policy = policyOf(trustIn([{ name: 'alice', signer: alice }]));
    const cache = cacheOf(await freshStore(), [{ reader, policy }]);
    for (const { hash } of records) expect((await cache.find(hash)).kind).toBe('miss');
    expect(cache.warnings).toHaveLength(1);
  });

  test('does not keep another from being asked', async () => {
    const of = await scene();
    const dead = openHttpsPlace({ scheme: 'http', path: '127.0.0.1:1', timeoutMs: TIMEOUT_MS });
    const reader = openFilePlace(of.directory);
    const policy = policyOf(of.trust);
    const cache = cacheOf(await freshStore(), [
      { name: 'dead', reader: dead, policy },
      { name: 'alive', reader, policy },
    ]);
    expect(await cache.find(of.record.hash)).toMatchObject({ kind: 'hit', place: 'alive' });
  });

  requires('nginx', 'openssl').test('or has another authority than is trusted is not believed', async () => {
    const of = await scene();
    const [server, other] = [await startStaticServer(of.directory), await startStaticServer(of.directory)];
    const find = async (ca: string | undefined) => {
      const reader = openHttpsPlace({ scheme: 'https', path: server.at, timeoutMs: 5000, ca });
      const cache = cacheOf(await freshStore(), [{ reader, policy: policyOf(of.trust) }]);
      return { found: await cache.find(of.record.hash), warnings: cache.warnings };
    };
    expect((await find(server.ca)).found.kind).toBe('hit');
    for (const ca of [undefined, other.ca]) {
      const { found, warnings } = await find(ca);
      expect(found.kind).toBe('miss');
      expect(warnings).toEqual([expect.stringContaining('index/current.json')]);
    }
  });

  requires('nginx', 'openssl').test('or leads down to http is not followed', async () => {
    const of = await scene();
    const config = [`location / { return 302 http://${of.server.at}$request_uri; }`];
    const server = await startStaticServer(of.directory, { config });
    const reader = openHttpsPlace({ scheme: 'https', path: server.at, timeoutMs: 5000, ca: server.ca });
    const cache = cacheOf(await freshStore(), [{ reader, policy: policyOf(of.trust) }]);
    expect((await cache.find(of.record.hash)).kind).toBe('miss');
    expect(cache.warnings).toHaveLength(1);
    expect(of.server.requests).toEqual([]);
  });
});

describe('an index', () => {
  const signedPointer = async (
    signer: Signer,
    line: string,
    namespace: 'buildit-index' | 'buildit-package' = 'buildit-index',
  ) => Buffer.from(line + (await signer.sign(namespace, Buffer.from(line))));
  const lineAt = (directory: string) => splitPointer(readFileSync(join(directory, 'index/current.json'))).line;

  test('older than one that was seen is not taken, and what was seen is used', async () => {
    const of = await scene();
    const old = readFileSync(join(of.directory, of.paths.pointer));
    const [two] = await publishTo(of.directory, ['app/two'], publishingAs(of.alice));
    const [store, second] = [await freshStore(), { ...of, record: two! }];
    const seen = cacheOf(store, [
      { reader: openHttpsPlace({ scheme: 'http', path: of.server.at }), policy: policyOf(of.trust) },
    ]);
    expect((await seen.peek(two!.hash)).kind).toBe('hit');
    of.server.misbehave = serving(of.paths.pointer, old);
    const { found, warnings } = await ask(second, { store });
    expect(warnings.join('\n')).toMatch(/generation 1, older than 2/);
    expect(found.kind).toBe('hit');
    expect((await ask(second)).found.kind).toBe('miss');
  });

  test('of a number that was seen with another content is not taken', async () => {
    const of = await scene();
    const store = await freshStore();
    await ask(of, { store });
    const other = await signedPointer(of.alice, pointerLine({ ...parsePointer(lineAt(of.directory)), tail: null }));
    of.server.misbehave = serving(of.paths.pointer, other);
    const { warnings } = await ask(of, { store });
    expect(warnings.join('\n')).toContain('another one with the number 1');
  });

  test('that expired is warned of, and is a miss where it must be fresh', async () => {
    const of = await scene();
    const now = new Date(Date.now() + 91 * 24 * 3600 * 1000);
    const warned = await ask(of, { now });
    expect(warned.found.kind).toBe('hit');
    expect(warned.warnings.join('\n')).toContain('expired');
    await expectDoubt(of, of.paths.pointer, { now, requireFresh: true });
    expect((await ask(of, { requireFresh: true })).warnings).toEqual([]);
  });

  test('of another place is not taken, whether whole or in parts', async () => {
    const [of, other] = [await scene(), await scene('other content')];
    const store = await freshStore();
    expect((await ask({ ...of, record: { ...of.record, hash: sha256('none') } }, { store })).warnings).toEqual([]);
    const trust = trustIn([
      { name: 'alice', signer: of.alice },
      { name: 'other', signer: other.alice },
    ]);
    const foreign = readFileSync(join(other.directory, of.paths.pointer));
    of.server.misbehave = serving(of.paths.pointer, foreign);
    const { found, warnings } = await ask(of, { store, trust });
    expect(found.kind).toBe('miss');
    expect(warnings.join('\n')).toContain('id has changed');
    await expectDoubt(of, other.paths.part, { trust });
    of.server.misbehave = serving(of.paths.part, readFileSync(join(other.directory, other.paths.part)));
    await expectDoubt(of, of.paths.part);
    const [line, signature] = [lineAt(of.directory), splitPointer(foreign).signature];
    of.server.misbehave = serving(of.paths.pointer, Buffer.from(line + signature));
    await expectDoubt(of, of.paths.pointer, { trust });
  });

  test('counts by the trust in its signer', async () => {
    const of = await scene();
    const bob = newSigner();
    const line = lineAt(of.directory);
    of.server.misbehave = serving(of.paths.pointer, await signedPointer(bob, line));
    expect((await expectDoubt(of, of.paths.pointer)).join('\n')).toContain('stranger');
    of.server.misbehave = serving(of.paths.pointer, await signedPointer(of.alice, line, 'buildit-package'));
    await expectDoubt(of, of.paths.pointer);
    of.server.misbehave = serving(of.paths.pointer, Buffer.from(line));
    await expectDoubt(of, of.paths.pointer);
  });

  test('that says more or fewer entries than its part has is not taken', async () => {
    const of = await scene();
    const pointer = parsePointer(lineAt(of.directory));
    for (const changes of [{ entries: 2 }, { entries: 0 }, { size: pointer.tail!.size + 1 }, { size: 1 }]) {
      const line = pointerLine({ ...pointer, tail: { ...pointer.tail!, ...changes } });
      of.server.misbehave = serving(of.paths.pointer, await signedPointer(of.alice, line));
      await expectDoubt(of, of.paths.part);
    }
  });
});

describe('a record', () => {
  /** The scene with a record signed by somebody else in the place of the one that is there. */
  const signedBy = async (
    of: Scene,
    signer: Signer,
    text: string,
    namespace: 'buildit-package' | 'buildit-index' = 'buildit-package',
  ) => {
    writeFileSync(join(of.directory, of.paths.record), text);
    writeFileSync(join(of.directory, of.paths.signature), await signer.sign(namespace, Buffer.from(text)));
  };
  const day = 24 * 3600 * 1000;
  const pointerOnly = (signer: Signer): TrustedPerson => ({
    name: 'pointer',
    signer,
    changes: { namespaces: ['buildit-index'] },
  });

  test('by another key than its name says is a miss, even where that one is trusted', async () => {
    const of = await scene();
    const bob = newSigner();
    await signedBy(of, bob, readFileSync(join(of.directory, of.paths.record), 'utf8'));
    expect((await expectDoubt(of, of.paths.record)).join('\n')).toContain('stranger');
    const trust = trustIn([
      { name: 'alice', signer: of.alice },
      { name: 'bob', signer: bob },
    ]);
    expect((await expectDoubt(of, of.paths.record, { trust })).join('\n')).toContain('another key');
  });

  test('of another package under this name is a miss', async () => {
    const of = await scene();
    const store = await freshStore();
    const changes: readonly Partial<PublishedRecord>[] = [
      { hash: sha256('another') },
      { buildKey: sha256('another') },
      { platform: 'linux/arm64' },
    ];
    for (const change of changes) {
      await signedBy(of, of.alice, publishedRecordText({ ...of.record, ...change }));
      await expectDoubt(of, of.paths.record, { store });
    }
    const other = await publishTo(of.directory, ['app/two'], publishingAs(of.alice));
    const path = of.paths.record
      .replaceAll(of.record.hash, other[0]!.hash)
      .replace(/\/../, `/${other[0]!.hash.slice(0, 2)}`);
    for (const end of ['', '.sig']) cpSync(join(of.directory, path + end), join(of.directory, of.paths.record + end));
    await expectDoubt(of, of.paths.record, { store });
  });

  test('by a key that is revoked, expired, not yet valid, or for something else is a miss that says so', async () => {
    const of = await scene();
    const bySomebody = { name: 'alice', signer: of.alice };
    const [past, future] = [new Date(Date.now() - day), new Date(Date.now() + day)];
    const bob = newSigner();
    writeFileSync(
      join(of.directory, of.paths.pointer),
      await (async () => {
        const { line } = splitPointer(readFileSync(join(of.directory, of.paths.pointer)));
        return line + (await bob.sign('buildit-index', Buffer.from(line)));
      })(),
    );
    const reasons: readonly [string, Trust][] = [
      ['revoked', trustIn([bySomebody, pointerOnly(bob)], [of.alice])],
      ['only until', trustIn([{ ...bySomebody, changes: { validBefore: past } }, pointerOnly(bob)])],
      ['only from', trustIn([{ ...bySomebody, changes: { validAfter: future } }, pointerOnly(bob)])],
      [
        'not trusted for buildit-package',
        trustIn([{ ...bySomebody, changes: { namespaces: ['git', 'buildit-index'] } }, pointerOnly(bob)]),
      ],
      ['stranger', trustIn([pointerOnly(bob)])],
    ];
    for (const [reason, trust] of reasons) {
      expect((await expectDoubt(of, of.paths.record, { trust })).join('\n'), reason).toContain(reason);
    }
    expect((await ask(of, { trust: trustIn([bySomebody, pointerOnly(bob)]) })).found.kind).toBe('hit');
    const trust = trustIn([bySomebody, pointerOnly(bob)]);
    await expectDoubt(of, of.paths.record, { trust, principals: ['pointer', 'carol'] });
    await signedBy(of, of.alice, publishedRecordText(of.record), 'buildit-index');
    await expectDoubt(of, of.paths.record, { trust });
  });

  test('under `warn` counts from a stranger, said so, and never damaged or revoked', async () => {
    const of = await scene();
    const nobody = trustIn([]);
    const stranger = await ask(of, { trust: nobody, verify: 'warn' });
    expect(stranger.found.kind).toBe('hit');
    expect(stranger.warnings.join('\n')).toContain(`${of.paths.record}: signed by a stranger`);
    expect((await ask(of, { trust: trustIn([], [of.alice]), verify: 'warn' })).found.kind).toBe('miss');
    const record = readFileSync(join(of.directory, of.paths.record), 'utf8');
    writeFileSync(join(of.directory, of.paths.record), record.replace('"builder":"', '"builder":"x'));
    await expectDoubt(of, of.paths.record, { trust: nobody, verify: 'warn' });
  });

  test('of a stranger who wrote first does not keep a trusted one from counting', async () => {
    const [directory, mallory, alice] = [temporaryDirectory(), newSigner(), newSigner()];
    const trust = trustIn([{ name: 'alice', signer: alice }]);
    const everyone = trustIn([
      { name: 'alice', signer: alice },
      { name: 'mallory', signer: mallory },
    ]);
    const store = await freshStore();
    const evil = await publishable(store, 'app/one', 'evil');
    await publishPackages(store, openFilePlace(directory), [ownPackage(evil)], publishingAs(mallory));
    const server = await startMisbehavingServer(directory);
    const [record] = await publishTo(directory, ['app/one'], publishingAs(alice, { trust: everyone }));
    const { found, warnings } = await ask({ server, trust, record: record! });
    expect(found).toMatchObject({
      kind: 'hit',
      record: { outputs: { main: { diffId: record!.outputs.main!.diffId } } },
    });
    expect(warnings).toEqual([]);
    expect(server.requests.filter((path) => path.includes(keyId(mallory.publicKey)))).toEqual([]);
  });

  test('alone of a stranger is a miss that names the key', async () => {
    const of = await scene();
    const bob = newSigner();
    const { line } = splitPointer(readFileSync(join(of.directory, of.paths.pointer)));
    writeFileSync(join(of.directory, of.paths.pointer), line + (await bob.sign('buildit-index', Buffer.from(line))));
    const warnings = await expectDoubt(of, of.paths.record, { trust: trustIn([pointerOnly(bob)]) });
    expect(warnings.join('\n')).toMatch(/SHA256:[A-Za-z0-9+/]{43}/);
  });

  test('signed by a trusted key but malformed is a miss, not a crash', async () => {
    const of = await scene();
    const { main } = of.record.outputs;
    const malformed: readonly unknown[] = [
      {},
      { ...of.record, outputs: {} },
      { ...of.record, outputs: { main: { ...main, blobs: [] } } },
      { ...of.record, extra: 1 },
      { ...of.record, name: '../../etc' },
    ];
    for (const value of malformed) {
      await signedBy(of, of.alice, publishedRecordText(value as PublishedRecord));
      expect((await expectDoubt(of, of.paths.record)).join('\n')).toContain('damaged');
    }
  });

  test('whose listing or layer is none is a miss, not a crash', async () => {
    const of = await scene();
    const junk = Buffer.from('[{"path":"../../etc/passwd"}]\n');
    const path = `blobs/sha256/${sha256(junk)}`;
    writeFileSync(join(of.directory, path), junk);
    const main = of.record.outputs.main!;
    const reference = { digest: sha256(junk), size: junk.length };
    await signedBy(
      of,
      of.alice,
      publishedRecordText({ ...of.record, outputs: { main: { ...main, listing: reference } } }),
    );
    await expectDoubt(of, path);
    const blobs = [{ ...main.blobs[0]!, ...reference, encoder: 'another-1' }];
    await signedBy(of, of.alice, publishedRecordText({ ...of.record, outputs: { main: { ...main, blobs } } }));
    await expectDoubt(of, path);
  });
});

describe('the next publisher', () => {
  test('heals a place whose pointer was rolled back or removed', async () => {
    const of = await scene();
    const old = readFileSync(join(of.directory, of.paths.pointer));
    const [two] = await publishTo(of.directory, ['app/two'], publishingAs(of.alice));
    for (const harm of [
      () => writeFileSync(join(of.directory, of.paths.pointer), old),
      () => rmSync(join(of.directory, of.paths.pointer)),
    ]) {
      harm();
      expect((await ask({ ...of, record: two! })).found.kind).toBe('miss');
      await publishTo(of.directory, ['app/two'], publishingAs(of.alice));
      expect((await ask({ ...of, record: two! })).found.kind).toBe('hit');
    }
  });

  test('builds upon nothing that is damaged', async () => {
    const of = await scene();
    const part = join(of.directory, of.paths.part);
    for (const harm of [
      () => rmSync(part),
      () => writeFileSync(part, 'junk'),
      () => writeFileSync(join(of.directory, of.paths.pointer), 'junk\n'),
    ]) {
      harm();
      const attempt = publishTo(of.directory, ['app/two'], publishingAs(of.alice));
      await expect(attempt).rejects.toMatchObject({ name: 'BuilditError' });
      expect(existsSync(join(of.directory, 'index/gen/2.json'))).toBe(false);
    }
  });

  test('does not take the index of another place for this one', async () => {
    const [of, other] = [await scene(), temporaryDirectory()];
    await publishTo(other, ['app/two'], publishingAs(of.alice));
    mkdirSync(dirname(join(of.directory, 'index/gen/2.json')), { recursive: true });
    const options = { ...publishingAs(of.alice), identity: (await readIdentity(openFilePlace(other)))! };
    await commitEntries(openFilePlace(other), EMPTY_INDEX, options, { refold: true });
    cpSync(join(other, 'index/gen/2.json'), join(of.directory, 'index/gen/2.json'));
    await expect(publishTo(of.directory, ['app/three'], publishingAs(of.alice))).rejects.toMatchObject({
      code: 'signature-invalid',
    });
  });
});
