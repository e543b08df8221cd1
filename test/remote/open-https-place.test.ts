import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openHttpsPlace } from '../../src/remote/open-https-place.ts';
import { filesBelow } from '../support/place-files.ts';
import { requires } from '../support/requires.ts';
import { startStaticServer } from '../support/static-server.ts';
import { traversableDirectory } from '../support/traversable-directory.ts';
import { bytesOf } from './remote-place.suite.ts';

async function serve(listener: RequestListener): Promise<{ at: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { at: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const read = { maximumBytes: 1_000_000 };

describe('a web server as a place', () => {
  const withNginx = requires('nginx', 'openssl').test;

  withNginx('an unchanged file is not sent again', async () => {
    const directory = traversableDirectory();
    filesBelow(directory).write('index/current.json', 'one\n');
    const server = await startStaticServer(directory);
    const place = openHttpsPlace({ scheme: 'https', path: server.at, ca: server.ca });
    const first = await place.read('index/current.json', read);
    if (typeof first === 'string' || first.etag === undefined) throw new Error('no entity tag');
    expect(await place.read('index/current.json', { ...read, etag: first.etag })).toBe('unchanged');
    filesBelow(directory).write('index/current.json', 'two, longer\n');
    const second = await place.read('index/current.json', { ...read, etag: first.etag });
    expect(second).toMatchObject({ bytes: Buffer.from('two, longer\n') });
    await expect
      .poll(() => server.requests())
      .toEqual(['GET /index/current.json 200', 'GET /index/current.json 304', 'GET /index/current.json 200']);
  });

  withNginx('only its own authority is trusted where one is named, and none of its where none is', async () => {
    const directory = traversableDirectory();
    filesBelow(directory).write('a', 'x');
    const server = await startStaticServer(directory);
    const other = await startStaticServer(directory);
    const refused = { code: 'unreachable', message: expect.stringMatching(/certificate/) };
    await expect(openHttpsPlace({ scheme: 'https', path: server.at }).read('a', read)).rejects.toMatchObject(refused);
    const wrong = openHttpsPlace({ scheme: 'https', path: server.at, ca: other.ca });
    await expect(wrong.read('a', read)).rejects.toMatchObject(refused);
    const right = openHttpsPlace({ scheme: 'https', path: server.at, ca: server.ca });
    expect(await right.read('a', read)).toMatchObject({ bytes: Buffer.from('x') });
  });

  test('410 is missing, 403 and 500 are no answer, and each is asked anew', async () => {
    const { at } = await serve((request, response) => {
      response.writeHead(Number(request.url!.slice(1)), { 'retry-after': '0' }).end('a page');
    });
    const place = openHttpsPlace({ scheme: 'http', path: at });
    expect(await place.read('410', read)).toBe('missing');
    await expect(place.read('403', read)).rejects.toMatchObject({ code: 'unreachable', status: 403 });
    await expect(place.read('500', read)).rejects.toMatchObject({ code: 'unreachable', status: 500 });
    expect(await place.read('404', read)).toBe('missing');
  });

  test('a server that does not know ranges sends everything, and the rest is given', async () => {
    const { at } = await serve((_, response) => {
      response.end('0123456789');
    });
    const place = openHttpsPlace({ scheme: 'http', path: at });
    expect(await bytesOf(await place.open('x', { offset: 4, size: 6 }))).toEqual(Buffer.from('456789'));
  });

  test('a body without an end is refused when it is longer than allowed', async () => {
    const { at } = await serve((_, response) => {
      const timer = setInterval(() => response.write(Buffer.alloc(10_000)), 1);
      response.on('close', () => clearInterval(timer));
    });
    const place = openHttpsPlace({ scheme: 'http', path: at });
    await expect(place.read('x', { maximumBytes: 50_000 })).rejects.toMatchObject({ code: 'input-invalid' });
    const opened = place.open('x', { offset: 0, size: 50_000 }).then((content) => bytesOf(content));
    await expect(opened).rejects.toMatchObject({ code: 'input-invalid' });
  });

  test('a server that sends a byte now and then is left when the time is over, and asked no more', async () => {
    const { at, requests } = await serve((_, response) => {
      const timer = setInterval(() => response.write('x'), 50);
      response.on('close', () => clearInterval(timer));
    });
    const place = openHttpsPlace({ scheme: 'http', path: at, timeoutMs: 300 });
    await expect(place.read('x', read)).rejects.toMatchObject({ code: 'unreachable' });
    const asked = requests.length;
    await expect(place.read('y', read)).rejects.toMatchObject({ code: 'unreachable' });
    expect(requests).toHaveLength(asked);
  });

  test('a place that does not answer costs one time-out for the whole run', async () => {
    let connections = 0;
    const server = createTcpServer(() => {
      connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const path = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const place = openHttpsPlace({ scheme: 'http', path, timeoutMs: 300 });
    const begin = performance.now();
    const first = await place.read('x', read).catch((error: unknown) => error);
    expect(first).toMatchObject({ code: 'unreachable' });
    await expect(place.read('y', read)).rejects.toBe(first);
    await expect(place.open('z', { offset: 0, size: 1 })).rejects.toBe(first);
    expect(performance.now() - begin).toBeLessThan(1500);
    expect(connections).toBeGreaterThan(0);
  });

  test('plain http to another machine needs to be asked for', () => {
    const refusal = expect.objectContaining({ code: 'configuration-invalid' });
    expect(() => openHttpsPlace({ scheme: 'http', path: 'host.example/x' })).toThrow(refusal);
    expect(openHttpsPlace({ scheme: 'http', path: 'host.example/x', insecure: true }).shown).toBe(
      'http://host.example/x',
    );
    for (const path of ['localhost/x', '127.0.0.1:80/x', '[::1]:80/x']) {
      expect(openHttpsPlace({ scheme: 'http', path }).shown).toBe(`http://${path}`);
    }
    expect(() => openHttpsPlace({ scheme: 'http', path: '127.0.0.1.evil.example/x' })).toThrow(refusal);
    expect(() => openHttpsPlace({ scheme: 'http', path: '127.0.0.1@evil.example/x' })).toThrow(refusal);
  });

  test('user and password in an address are refused, and not shown', () => {
    const opening = () => openHttpsPlace({ scheme: 'https', path: 'me:secret@host.example/x' });
    expect(opening).toThrow(expect.objectContaining({ code: 'configuration-invalid' }));
    expect(opening).toThrow(expect.not.objectContaining({ message: expect.stringContaining('secret') }));
  });

  withNginx('a redirect from https to http is not followed', async () => {
    const directory = traversableDirectory();
    const server = await startStaticServer(directory, { config: ['location /r { return 302 http://127.0.0.1:1/x; }'] });
    const place = openHttpsPlace({ scheme: 'https', path: server.at, ca: server.ca });
    await expect(place.read('r', read)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('not https'),
    });
  });
});
