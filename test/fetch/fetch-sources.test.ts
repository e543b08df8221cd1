import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type FetchOptions, fetchSources } from '../../src/fetch/fetch-sources.ts';
import { sha256 } from '../../src/model/digest.ts';
import { BuilditError, BuilditErrors } from '../../src/model/errors.ts';
import type { BuilditEvent } from '../../src/model/events.ts';
import type { PackageSource, SourceLocation } from '../../src/model/package.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { blobSize, readBlob } from '../../src/store/read-blob.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const file = randomBytes(400_000);
const digest = sha256(file);

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Serves the file at /file, other bytes at /other, half of it at /half; counts what is asked for. */
async function mirror(): Promise<{ origin: string; asked: string[] }> {
  const asked: string[] = [];
  const origin = await listen((request, response) => {
    asked.push(`${request.url} ${request.headers.range ?? ''}`.trim());
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (request.url === '/other') response.end('other bytes');
    else if (request.url === '/half') {
      response.writeHead(200, { 'content-length': file.length, etag: '"half"' });
      response.write(file.subarray(0, 200_000), () => setTimeout(() => response.destroy(), 20));
    } else if (request.url !== '/file') response.writeHead(404).end();
    else if (start === 0) response.writeHead(200, { 'content-length': file.length }).end(file);
    else {
      const range = `bytes ${start}-${file.length - 1}/${file.length}`;
      response.writeHead(206, { 'content-range': range }).end(file.subarray(start));
    }
  });
  return { origin, asked };
}

function source(location: SourceLocation, sha = digest, fileName = 'hello-2.10.tar.gz'): PackageSource {
  return { location, sha256: sha, fileName, action: 'unpack', strip: 1, directory: '.' };
}

function remote(...urls: string[]): SourceLocation {
  return { kind: 'remote', urls, mirrors: [] };
}

async function options(events: BuilditEvent[] = []): Promise<FetchOptions & { store: Store }> {
  return {
    store: await openStore(join(temporaryDirectory(), 'store')),
    context: { signal: new AbortController().signal, emit: (event) => events.push(event) },
    config: { offline: false },
    findDebianTarball: async () => undefined,
    http: { allowHttp: true, retries: 0, pauseMs: 1 },
  };
}

async function failure(promise: Promise<unknown>): Promise<BuilditError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(BuilditError);
  return error as BuilditError;
}

describe('a source', () => {
  test('is fetched, verified and told about', async () => {
    const { origin } = await mirror();
    const events: BuilditEvent[] = [];
    const fetch = await options(events);
    await fetchSources([source(remote(`${origin}/file`))], fetch);
    expect((await readBlob(fetch.store, digest)).equals(file)).toBe(true);
    expect(events[0]).toMatchObject({ kind: 'task-started', label: 'fetching hello-2.10.tar.gz' });
    expect(events.some((event) => event.kind === 'task-progress' && event.total === file.length)).toBe(true);
    expect(events.at(-1)).toMatchObject({ kind: 'task-finished', outcome: 'done' });
  });

  test('that is in the store is neither fetched nor looked for, also offline', async () => {
    const { origin, asked } = await mirror();
    const fetch = await options();
    await putBlob(fetch.store, file);
    await fetchSources([source(remote(`${origin}/file`))], { ...fetch, config: { offline: true } });
    expect(asked).toEqual([]);
  });

  test('that is not there is an error when offline, before any socket is opened', async () => {
    const { origin, asked } = await mirror();
    const error = await failure(
      fetchSources([source(remote(`${origin}/file`))], { ...(await options()), config: { offline: true } }),
    );
    expect(error.code).toBe('offline');
    expect(asked).toEqual([]);
  });

  test('wanted twice is fetched once', async () => {
    const { origin, asked } = await mirror();
    await fetchSources([source(remote(`${origin}/file`)), source(remote(`${origin}/file`))], await options());
    expect(asked).toEqual(['/file']);
  });

  test('is taken from the next place when the first has other bytes, with a warning', async () => {
    const { origin, asked } = await mirror();
    const events: BuilditEvent[] = [];
    const fetch = await options(events);
    await fetchSources([source(remote(`${origin}/other`, `${origin}/file`))], fetch);
    expect(asked).toEqual(['/other', '/file']);
    expect(events.filter(({ kind }) => kind === 'warning')).toHaveLength(1);
    expect(await blobSize(fetch.store, digest)).toBe(file.length);
    expect(await blobSize(fetch.store, sha256('other bytes'))).toBeUndefined();
  });

  test('comes from a mirror when its own address fails, and a Debian mirror is asked for only then', async () => {
    const { origin } = await mirror();
    const fetch = await options();
    const asked: string[] = [];
    const debian: FetchOptions['findDebianTarball'] = async (sourcePackage, wanted) => {
      asked.push(`${sourcePackage} ${wanted}`);
      return { urls: [`${origin}/gone`, `${origin}/file`], size: file.length };
    };
    const mirrors = [{ kind: 'debian', sourcePackage: 'hello' }] as const;
    const location: SourceLocation = { kind: 'remote', urls: [`${origin}/nowhere`], mirrors };
    await fetchSources([source(location)], { ...fetch, findDebianTarball: debian });
    expect(asked).toEqual([`hello ${digest}`]);
    expect(await blobSize(fetch.store, digest)).toBe(file.length);
  });

  test('found nowhere is reported with what every place answered', async () => {
    const { origin } = await mirror();
    const location: SourceLocation = {
      kind: 'remote',
      urls: [`${origin}/gone`, 'https://127.0.0.1:1/file'],
      mirrors: [{ kind: 'debian', sourcePackage: 'hello' }],
    };
    const error = await failure(fetchSources([source(location)], await options()));
    expect(error.code).toBe('unreachable');
    expect(error.message).toBe(
      `Cannot fetch "hello-2.10.tar.gz": expected sha256 ${digest}, found it at none of 3 places`,
    );
    expect(error.details).toEqual([
      `${origin}/gone: 404 (not there)`,
      'https://127.0.0.1:1/file: connection refused',
      'the Debian source package hello: no file with this sha256',
    ]);
  });

  test('with other bytes everywhere is a checksum error that names both digests', async () => {
    const { origin, asked } = await mirror();
    const error = await failure(fetchSources([source(remote(`${origin}/other`))], await options()));
    expect(error.code).toBe('checksum-mismatch');
    expect(error.message).toContain(digest);
    expect(error.details[0]).toContain(sha256('other bytes'));
    expect(asked).toHaveLength(1);
  });

  test('that fails does not keep the others from being fetched, and all failures are reported', async () => {
    const { origin } = await mirror();
    const fetch = await options();
    const sources = [
      source(remote(`${origin}/gone`), sha256('a'), 'a.tar'),
      source(remote(`${origin}/file`)),
      source(remote(`${origin}/gone`), sha256('b'), 'b.tar'),
    ];
    const error = await fetchSources(sources, fetch).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BuilditErrors);
    expect((error as BuilditErrors).errors).toHaveLength(2);
    expect(await blobSize(fetch.store, digest)).toBe(file.length);
  });
});

describe('a broken download', () => {
  test('is continued by the next run, even from another place', async () => {
    const { origin, asked } = await mirror();
    const fetch = await options();
    expect((await failure(fetchSources([source(remote(`${origin}/half`))], fetch))).code).toBe('unreachable');
    await fetchSources([source(remote(`${origin}/file`))], fetch);
    expect(asked).toEqual(['/half', '/file bytes=200000-']);
    expect((await readBlob(fetch.store, digest)).equals(file)).toBe(true);
    expect(readdirSync(join(fetch.store.directory, 'temporary', 'partial'))).toEqual([]);
  });

  test('that was damaged meanwhile is fetched anew', async () => {
    const { origin, asked } = await mirror();
    const fetch = await options();
    await failure(fetchSources([source(remote(`${origin}/half`))], fetch));
    const partial = join(fetch.store.directory, 'temporary', 'partial', digest);
    writeFileSync(partial, randomBytes(statSync(partial).size));
    await fetchSources([source(remote(`${origin}/file`))], fetch);
    expect(asked).toEqual(['/half', '/file bytes=200000-', '/file']);
    expect(await blobSize(fetch.store, digest)).toBe(file.length);
  });

  test('leaves nothing but that one file', async () => {
    const { origin } = await mirror();
    const fetch = await options();
    await failure(fetchSources([source(remote(`${origin}/half`))], fetch));
    const temporary = join(fetch.store.directory, 'temporary');
    const left = readdirSync(temporary).flatMap((slot) => readdirSync(join(temporary, slot)));
    expect(left).toEqual([digest]);
  });

  test('can be interrupted', async () => {
    const origin = await listen((_, response) => response.writeHead(200).write('x'));
    const controller = new AbortController();
    const fetch = await options();
    setTimeout(() => controller.abort(), 50);
    const error = await failure(
      fetchSources([source(remote(`${origin}/file`))], {
        ...fetch,
        context: { ...fetch.context, signal: controller.signal },
      }),
    );
    expect(error.code).toBe('interrupted');
  });
});

describe('a source beside the recipe', () => {
  test('is put into the store', async () => {
    const path = join(temporaryDirectory(), 'hello.tar.gz');
    writeFileSync(path, file);
    const fetch = await options();
    await fetchSources([source({ kind: 'file', path })], { ...fetch, config: { offline: true } });
    expect((await readBlob(fetch.store, digest)).equals(readFileSync(path))).toBe(true);
  });

  test('that changed since the definition was read is refused', async () => {
    const path = join(temporaryDirectory(), 'hello.tar.gz');
    writeFileSync(path, 'changed');
    const error = await failure(fetchSources([source({ kind: 'file', path })], await options()));
    expect(error.code).toBe('checksum-mismatch');
    expect(error.hint).toContain('run again');
  });

  test.each(['a link', 'a directory', 'nothing'])('is not read when it is %s', async (kind) => {
    const directory = temporaryDirectory();
    const path = join(directory, 'source');
    if (kind === 'a link') symlinkSync('/etc/passwd', path);
    const wanted = source({ kind: 'file', path: kind === 'a directory' ? directory : path });
    const fetch = await options();
    expect((await failure(fetchSources([wanted], fetch))).code).toBe('file-missing');
    expect(existsSync(join(fetch.store.directory, 'temporary', 'partial'))).toBe(false);
  });
});
