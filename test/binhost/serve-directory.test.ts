import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openBinhost } from '../../src/binhost/open-binhost.ts';
import { serveDirectory } from '../../src/binhost/serve-directory.ts';
import { openHttpsPlace } from '../../src/remote/open-https-place.ts';
import { freshStore, newSigner, policyOf, publishingAs, publishTo, trustIn } from '../support/binhost.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function serve(directory: string, names: readonly string[] = []) {
  const end = new AbortController();
  const { port, closed } = await serveDirectory(directory, { port: 0, signal: end.signal, names });
  onTestFinished(async () => {
    end.abort();
    await closed;
  });
  const at = `http://127.0.0.1:${port}`;
  return { port, at, get: (path: string, headers: Record<string, string> = {}) => fetch(`${at}${path}`, { headers }) };
}

/** The path as it is written: `fetch` would tidy it up. */
function rawStatus(port: number, path: string, method = 'GET'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject).end();
  });
}

/** Status, and everything that follows it, of a request as it is written. */
function askRaw(port: number, head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`${head}\r\nConnection: close\r\n\r\n`));
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text.replace(/^HTTP\/1\.1 /, ''))).on('error', reject);
  });
}

function someFiles(): string {
  const outside = temporaryDirectory();
  const directory = join(outside, 'shown');
  mkdirSync(join(directory, 'index'), { recursive: true });
  writeFileSync(join(outside, 'secret'), 'secret');
  writeFileSync(join(directory, 'index.html'), '<p>page');
  writeFileSync(join(directory, 'index/current.json'), '{}');
  writeFileSync(join(directory, 'letters'), 'abcdefghij');
  writeFileSync(join(directory, '.hidden'), 'hidden');
  symlinkSync('../secret', join(directory, 'link'));
  symlinkSync('letters', join(directory, 'inside'));
  mkdirSync(join(directory, '.git/deep'), { recursive: true });
  mkdirSync(join(directory, 'sub/.cache/deep'), { recursive: true });
  for (const path of ['.git/config', '.git/deep/file', 'sub/.cache/deep/file'])
    writeFileSync(join(directory, path), 'x');
  symlinkSync('.hidden', join(directory, 'to-hidden'));
  symlinkSync('to-hidden', join(directory, 'chain'));
  symlinkSync('.git', join(directory, 'repository'));
  symlinkSync('sub/.cache/deep', join(directory, 'middle'));
  symlinkSync('..', join(directory, 'up'));
  return directory;
}

describe('the server for trying things out', () => {
  test('shows files with their types and their ETags, and the page at /', async () => {
    const { get } = await serve(someFiles());
    const page = await get('/?ac-discovery=1');
    expect(await page.text()).toBe('<p>page');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    const pointer = await get('/index/current.json');
    expect(pointer.headers.get('content-type')).toBe('application/json');
    expect(pointer.headers.get('cache-control')).toBe('no-cache');
    const etag = pointer.headers.get('etag')!;
    expect((await get('/index/current.json', { 'If-None-Match': etag })).status).toBe(304);
    expect((await get('/inside')).status).toBe(200);
  });

  test.each<[string, number, string, string | null]>([
    ['bytes=2-4', 206, 'cde', 'bytes 2-4/10'],
    ['bytes=7-', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=-3', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=5-99', 206, 'fghij', 'bytes 5-9/10'],
    ['bytes=10-', 416, 'no such range\n', 'bytes */10'],
    ['bytes=4-2', 200, 'abcdefghij', null],
    ['bytes=0-1,3-4', 200, 'abcdefghij', null],
    ['lines=1-2', 200, 'abcdefghij', null],
  ])('answers a range %s with %i', async (range, status, text, contentRange) => {
    const { get } = await serve(someFiles());
    const response = await get('/letters', { Range: range });
    expect([response.status, await response.text(), response.headers.get('content-range')]).toEqual([
      ...[status, text, contentRange],
    ]);
  });

  test('answers a range of a file that is another now with all of it', async () => {
    const { get } = await serve(someFiles());
    expect((await get('/letters', { Range: 'bytes=2-4', 'If-Range': '"older"' })).status).toBe(200);
  });

  test.each([
    '/index',
    '/index/',
    '/.hidden',
    '/link',
    '/../secret',
    '/%2e%2e/secret',
    '/..%2fsecret',
    '/a%00b',
    '/%zz',
    '//etc/passwd',
    ...['/to-hidden', '/chain', '/repository/config', '/repository/deep/file', '/middle/file', '/up/secret'],
    ...[
      '/%2ehidden',
      '/sub/%2Ecache/deep/file',
      '/..%5csecret',
      '/..\\secret',
      '/.',
      '/./letters',
      `/${'a/'.repeat(4000)}`,
    ],
  ])('shows nothing at %s', async (path) => {
    const { port } = await serve(someFiles());
    expect(await rawStatus(port, path)).toBe(404);
  });

  test.each([
    ...['evil.example.org', 'evil.example.org:PORT', '127.0.0.1:1', 'localhost:1', 'localhost.evil.org', 'a@localhost'],
    ...['', ' ', '127.0.0.1.evil.org', '127.1', '0.0.0.0:PORT', 'localhost:', 'localhost:PORT/x', '[::1', '[::2]'],
    ...['localhost,evil.org', 'http://localhost', 'localhost..'],
  ])('answers no request for "%s"', async (host) => {
    const { port } = await serve(someFiles());
    expect(await askRaw(port, `GET /letters HTTP/1.1\r\nHost: ${host.replace('PORT', `${port}`)}`)).toMatch(
      /^(?:400|421) (?!.*abc)/s,
    );
  });

  test.each([
    'localhost',
    '127.0.0.1',
    '[::1]',
    'localhost:PORT',
    'LocalHost:PORT',
    'localhost.',
    'localhost.:PORT',
    '[::1]:PORT',
  ])('answers requests for %s', async (host) => {
    const { port } = await serve(someFiles());
    const head = `GET /letters HTTP/1.1\r\nHost: ${host.replace('PORT', `${port}`)}`;
    expect(await askRaw(port, head)).toMatch(/^200 .*abcdefghij$/s);
  });

  test('answers to the names that were added, with their port where they have one', async () => {
    const { port } = await serve(someFiles(), ['shelf.example.org', 'Other.example.org:99']);
    const statusOf = async (host: string) => (await askRaw(port, `GET /letters HTTP/1.1\r\nHost: ${host}`)).slice(0, 3);
    expect(await statusOf('SHELF.example.org')).toBe('200');
    expect(await statusOf('shelf.example.org:444')).toBe('200');
    expect(await statusOf('other.example.org:99')).toBe('200');
    expect(await statusOf('other.example.org')).toBe('421');
    expect(await statusOf('x.shelf.example.org')).toBe('421');
  });

  test('believes the address of a request, not what it says beside it', async () => {
    const { port } = await serve(someFiles());
    const ask = (head: string) => askRaw(port, head);
    expect(await ask(`GET http://evil.example.org/letters HTTP/1.1\r\nHost: localhost`)).toMatch(/^421/);
    expect(await ask(`GET http://localhost:${port}/letters HTTP/1.1\r\nHost: localhost`)).toMatch(/^200/);
    expect(await ask('GET https://localhost/letters HTTP/1.1\r\nHost: localhost')).toMatch(/^404/);
    expect(await ask('GET /letters HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.org')).toMatch(/^4(?:00|21)/);
    expect(await ask('GET /letters HTTP/1.1')).toMatch(/^400/);
    expect(await ask('GET /letters HTTP/1.0')).toMatch(/^421/);
    expect(await ask('HEAD /letters HTTP/1.1\r\nHost: evil.example.org')).toMatch(/^421/);
    expect(await ask('OPTIONS * HTTP/1.1\r\nHost: localhost')).toMatch(/^405/);
  });

  test('takes nothing', async () => {
    const { port } = await serve(someFiles());
    expect(await rawStatus(port, '/letters', 'PUT')).toBe(405);
    expect(await rawStatus(port, '/letters', 'HEAD')).toBe(200);
  });

  test('says that a port is in use', async () => {
    const { port } = await serve(someFiles());
    const second = serveDirectory(someFiles(), { port, signal: new AbortController().signal });
    await expect(second).rejects.toMatchObject({ code: 'busy' });
  });

  test('is enough for a reader of a binhost', async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    await publishTo(directory, ['app/one'], publishingAs(alice));
    const { port } = await serve(directory);
    const binhost = await openBinhost(await freshStore(), {
      name: 'served',
      reader: openHttpsPlace({ scheme: 'http', path: `127.0.0.1:${port}` }),
      policy: policyOf(trustIn([{ name: 'alice', signer: alice }])),
      requireFresh: true,
      onWarning: (text) => expect.unreachable(text),
    });
    expect(binhost.index.content.packages).toHaveLength(1);
    await binhost.reader.close();
  });
});
