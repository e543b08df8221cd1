import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { BuilditError } from '../../src/model/errors.ts';
import { DownloadError, downloadBytes, openDownload, shownUrl } from '../../src/system/http.ts';

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => closeServer(server));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Serves one file; each request is answered by the next of `answers`, the last one again and again. */
async function serve(...answers: ((request: IncomingMessage, response: ServerResponse) => void)[]) {
  const requests: IncomingMessage[] = [];
  const origin = await listen((request, response) => {
    requests.push(request);
    answers[Math.min(requests.length, answers.length) - 1]!(request, response);
  });
  return { url: `${origin}/file`, origin, requests };
}

const file = randomBytes(300_000);
const quick = { allowHttp: true, pauseMs: 1, maximumBytes: 1 << 20 } as const;

function whole(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-length': file.length, etag: '"one"' }).end(file);
}

/** Promises the whole file and hangs up after `bytes` of what is sent. */
function cutAfter(bytes: number, etag: string | undefined) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': file.length - start,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` } : {}),
      ...(etag === undefined ? {} : { etag }),
    });
    response.write(file.subarray(start, start + bytes), () => setTimeout(() => response.destroy(), 10));
  };
}

function rest(etag: string | undefined) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response
      .writeHead(206, {
        'content-range': `bytes ${start}-${file.length - 1}/${file.length}`,
        'content-length': file.length - start,
        ...(etag === undefined ? {} : { etag }),
      })
      .end(file.subarray(start));
  };
}

function status(code: number, headers: Record<string, string> = {}) {
  return (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(code, headers).end('<html>a page for people</html>');
  };
}

async function failure(promise: Promise<unknown>): Promise<DownloadError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(BuilditError);
  return error as DownloadError;
}

describe('a download', () => {
  test('yields the bytes, asked for as they are', async () => {
    const { url, requests } = await serve(whole);
    const download = await openDownload(url, quick);
    const hash = createHash('sha256');
    for await (const chunk of download.body) hash.update(chunk);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(file).digest('hex'));
    expect(download).toMatchObject({ status: 200, size: file.length, offset: 0, etag: '"one"' });
    expect(requests[0]!.headers['accept-encoding']).toBe('identity');
  });

  test('refuses plain http unless it is allowed', async () => {
    const { url, requests } = await serve(whole);
    const error = await failure(openDownload(url));
    expect(error.code).toBe('unreachable');
    expect(error.message).toContain('found an address that is not https (http:)');
    expect(requests).toHaveLength(0);
  });

  test.each(['file:///etc/passwd', 'ftp://example.org/x', 'data:,x', 'javascript:1', 'no url'])(
    'refuses %s',
    async (url) => {
      expect((await failure(openDownload(url, quick))).code).toBe('unreachable');
    },
  );

  test('opens no socket when offline', async () => {
    const { url, requests } = await serve(whole);
    expect((await failure(openDownload(url, { ...quick, offline: true }))).code).toBe('offline');
    expect(requests).toHaveLength(0);
  });

  test('is refused when it is larger than allowed, whether it says so or not', async () => {
    const said = await serve(whole);
    expect((await failure(downloadBytes(said.url, { ...quick, maximumBytes: 1000 }))).code).toBe('input-invalid');
    const unsaid = await serve((_, response) => response.end(file.subarray(0, 2000)));
    expect((await failure(downloadBytes(unsaid.url, { ...quick, maximumBytes: 1000 }))).code).toBe('input-invalid');
  });

  test('ends when it is interrupted, also in a pause', async () => {
    const { url } = await serve(status(503));
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 30);
    const error = await failure(openDownload(url, { ...quick, pauseMs: 60_000, signal: controller.signal }));
    expect(error.code).toBe('interrupted');
  });
});

describe('a failing server', () => {
  test.each([408, 429, 500, 502, 503, 504])('is asked again after %i', async (code) => {
    const { url, requests } = await serve(status(code), status(code), whole);
    expect((await downloadBytes(url, quick)).equals(file)).toBe(true);
    expect(requests).toHaveLength(3);
  });

  test('is asked four times at most, and the message says so', async () => {
    const { url, requests } = await serve(status(503));
    const error = await failure(openDownload(url, quick));
    expect(requests).toHaveLength(4);
    expect(error.message).toBe(
      `Cannot download "${url}": expected the file, found 503 (the server is not available) (tried 4 times)`,
    );
    expect(error.hint).toBe('run again later');
  });

  test.each([400, 401, 403, 404, 410, 416])('is believed at once when it says %i', async (code) => {
    const { url, requests } = await serve(status(code));
    const error = await failure(openDownload(url, quick));
    expect(error).toBeInstanceOf(DownloadError);
    expect(error.status).toBe(code);
    expect(requests).toHaveLength(1);
  });

  test('is waited for as long as Retry-After says', async () => {
    const { url } = await serve(status(429, { 'retry-after': '1' }), whole);
    const begun = performance.now();
    await downloadBytes(url, quick);
    expect(performance.now() - begun).toBeGreaterThan(950);
  });

  test('that says "not modified" unasked is not believed', async () => {
    const { url } = await serve((_, response) => response.writeHead(304).end());
    expect((await failure(openDownload(url, quick))).status).toBe(304);
    expect((await openDownload(url, { ...quick, headers: { 'If-None-Match': '"one"' } })).status).toBe(304);
  });

  test('that refuses the connection is named with the way out', async () => {
    const origin = await listen(() => {});
    const port = Number(new URL(origin).port);
    const unused = port === 65535 ? port - 1 : port + 1;
    const error = await failure(openDownload(`http://127.0.0.1:${unused}/x`, { ...quick, retries: 1 }));
    expect(error.message).toContain('found connection refused (tried 2 times)');
    expect(error.hint).toContain('HTTPS_PROXY');
  });

  test('that says nothing is given up', async () => {
    const { url } = await serve(() => {});
    const error = await failure(openDownload(url, { ...quick, retries: 0, timeoutMs: 200 }));
    expect(error.message).toContain('no answer in time');
  });

  test('that sends a byte at a time is given up', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100000' });
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const error = await failure(downloadBytes(url, { ...quick, retries: 0, timeoutMs: 300 }));
    expect(error.message).toMatch(/found \d+ bytes in \d seconds/);
  });
});

describe('a broken body', () => {
  test('is continued under its strong entity tag', async () => {
    const { url, requests } = await serve(cutAfter(50_000, '"one"'), cutAfter(100_000, '"one"'), rest('"one"'));
    expect((await downloadBytes(url, quick)).equals(file)).toBe(true);
    expect(requests[1]!.headers['if-range']).toBe('"one"');
    expect(requests[1]!.headers.range).toMatch(/^bytes=\d+-$/);
  });

  test('is continued without a tag when its digest is known, by skipping where the server knows no ranges', async () => {
    const ranged = await serve(cutAfter(50_000, undefined), rest(undefined));
    expect((await downloadBytes(ranged.url, { ...quick, pinned: true })).equals(file)).toBe(true);
    const unranged = await serve(cutAfter(50_000, undefined), (_, response) =>
      response.writeHead(200, { 'content-length': file.length }).end(file),
    );
    expect((await downloadBytes(unranged.url, { ...quick, pinned: true })).equals(file)).toBe(true);
  });

  test('is not continued when nothing says that it is the same file', async () => {
    const { url, requests } = await serve(cutAfter(50_000, 'W/"weak"'), rest('W/"weak"'));
    expect((await failure(downloadBytes(url, quick))).code).toBe('unreachable');
    expect(requests).toHaveLength(1);
  });

  test('is given up when the file has changed', async () => {
    const { url } = await serve(cutAfter(50_000, '"one"'), rest('"two"'));
    expect((await failure(downloadBytes(url, quick))).message).toContain('changed while it was downloaded');
  });

  test('is given up when the server sends another part than asked for', async () => {
    const { url } = await serve(cutAfter(50_000, '"one"'), (_, response) =>
      response.writeHead(206, { 'content-range': 'bytes 0-9/300000', etag: '"one"' }).end('0123456789'),
    );
    expect((await failure(downloadBytes(url, quick))).message).toContain('another part of the file');
  });

  test('begins where the caller says', async () => {
    const { url } = await serve(rest('"one"'));
    const download = await openDownload(url, { ...quick, offset: 200_000, etag: '"one"' });
    const chunks: Uint8Array[] = [];
    for await (const chunk of download.body) chunks.push(chunk);
    expect(download).toMatchObject({ status: 206, offset: 200_000, size: file.length });
    expect(Buffer.concat(chunks).equals(file.subarray(200_000))).toBe(true);
  });
});

describe('a redirect', () => {
  test('is followed, relative and absolute', async () => {
    const { url } = await serve(status(302, { location: '/other?x=1' }), whole);
    const download = await openDownload(url, quick);
    expect(download.finalUrl).toBe(url.replace('/file', '/other?x=1'));
    for await (const _ of download.body);
  });

  test('in a loop ends after five', async () => {
    const { url, requests } = await serve(status(301, { location: '/file' }));
    expect((await failure(openDownload(url, quick))).message).toContain('more than 5 redirects');
    expect(requests).toHaveLength(6);
  });

  test.each(['file:///etc/passwd', 'ftp://127.0.0.1/x', 'data:,hello'])('to %s is refused', async (location) => {
    const { url } = await serve(status(302, { location }));
    expect((await failure(openDownload(url, quick))).message).toContain('which is not https');
  });

  test('to another host takes no credentials along', async () => {
    const seen: (string | undefined)[] = [];
    const other = await listen((request, response) => {
      seen.push(request.headers.authorization, request.headers.cookie, String(request.headers['x-kept']));
      response.end('ok');
    });
    const { origin, requests } = await serve(status(302, { location: `${other}/x` }));
    await downloadBytes(`${origin.replace('//', '//me:secret@')}/file`, {
      ...quick,
      headers: { Cookie: 'a=b', 'X-Kept': 'yes' },
    });
    expect(requests[0]!.headers.authorization).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`);
    expect(seen).toEqual([undefined, undefined, 'yes']);
  });
});

describe('proxies', () => {
  const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];
  const before = names.map((name) => process.env[name]);
  afterEach(() => {
    names.forEach((name, index) => {
      if (before[index] === undefined) delete process.env[name];
      else process.env[name] = before[index];
    });
  });

  /** A proxy that knows CONNECT and sends everything to one place. */
  async function startProxy(target: string): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const { hostname, port } = new URL(target);
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end('from the proxy');
    });
    server.on('connect', (request, socket, head) => {
      asked.push(`CONNECT ${request.url}`);
      const upstream = connect(Number(port), hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.write(head);
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => closeServer(server));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }

  test('of the environment are used, and NO_PROXY is honoured', async () => {
    const { url } = await serve(whole);
    const proxy = await startProxy(url);
    process.env.HTTP_PROXY = proxy.url;
    await downloadBytes(url.replace('127.0.0.1', 'archive.invalid'), quick);
    expect(proxy.asked).toEqual([`GET ${url.replace('127.0.0.1', 'archive.invalid')}`]);
    process.env.NO_PROXY = '127.0.0.1';
    expect((await downloadBytes(url, quick)).equals(file)).toBe(true);
    expect(proxy.asked).toEqual([`GET ${url.replace('127.0.0.1', 'archive.invalid')}`]);
  });

  test('are asked to tunnel https', async () => {
    const { url } = await serve(whole);
    const proxy = await startProxy(url);
    process.env.HTTPS_PROXY = proxy.url;
    const error = await failure(openDownload('https://archive.invalid/x', { retries: 0 }));
    expect(proxy.asked).toEqual(['CONNECT archive.invalid:443']);
    expect(error.hint).toContain('NODE_EXTRA_CA_CERTS');
  });
});

describe('an answer that is not the file', () => {
  const answer =
    (body: string | Buffer, headers: Readonly<Record<string, string>> = {}) =>
    (_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, headers).end(body);
    };

  test.each(['gzip', 'br', 'deflate', 'x-gzip, br', 'zstd'])('is named where it is coded as %s', async (coding) => {
    const { url, requests } = await serve(answer(file, { 'content-encoding': coding }));
    const error = await failure(downloadBytes(url, quick));
    expect(error).toMatchObject({
      message: expect.stringContaining(`found a compressed answer (Content-Encoding: ${coding})`),
      hint: expect.stringContaining('may change answers'),
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]!.headers['accept-encoding']).toBe('identity');
  });

  test('is not one whose own compression the server names', async () => {
    const { origin } = await serve(answer(file, { 'content-encoding': 'x-gzip' }));
    expect((await downloadBytes(`${origin}/a.tar.gz`, quick)).equals(file)).toBe(true);
    expect((await downloadBytes(`${origin}/a.tgz?x=1`, quick)).equals(file)).toBe(true);
    await failure(downloadBytes(`${origin}/a.tar.xz`, quick));
  });

  test.each([
    '<!DOCTYPE html><p>Log in',
    '<html>',
    '\ufeff\n <!-- portal --> <!doctype HTML PUBLIC "x">',
    '<?xml version="1.0"?>\n<HTML lang="de">',
    '<head><meta http-equiv="refresh">',
  ])('is named where it is a page: %j', async (text) => {
    const { url, origin } = await serve(answer(text));
    expect((await failure(downloadBytes(url, quick))).message).toMatch(/found an HTML page$/);
    expect((await downloadBytes(url, { ...quick, page: true })).toString()).toBe(text);
    expect((await downloadBytes(`${origin}/manual.html`, quick)).toString()).toBe(text);
  });

  test.each(['', '<', ' \n', '<?xml version="1.0"?><feed/>', '<!-- html -->\ntext', '<!--', 'x <html>'])(
    'is a file where it is no page: %j',
    async (text) => {
      const { url } = await serve(answer(text));
      expect((await downloadBytes(url, quick)).toString()).toBe(text);
    },
  );

  test('names who answered after a redirect to a login page', async () => {
    const portal = await listen(answer('<html>'));
    const { url } = await serve((_, response) => response.writeHead(302, { location: `${portal}/login` }).end());
    expect((await failure(downloadBytes(url, quick))).message).toContain(
      `found an HTML page from ${new URL(portal).host}`,
    );
    const other = await serve((_, response) => response.writeHead(511).end('<html>'));
    expect((await failure(downloadBytes(other.url, quick))).message).toContain('511 (the network wants a login)');
  });

  test('is named where it is larger than the file may be', async () => {
    const { url } = await serve(answer(`<html>${' '.repeat(5000)}`, { 'content-length': '5006' }));
    expect((await failure(downloadBytes(url, { ...quick, maximumBytes: 100 }))).message).toContain('an HTML page');
    const other = await serve(answer(Buffer.alloc(5000)));
    await expect(downloadBytes(other.url, { ...quick, maximumBytes: 100 })).rejects.toThrow('at most 100 bytes');
  });

  test('is seen in a page that arrives in pieces', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200).write('\n<!doc');
      setTimeout(() => response.end('type html>'), 20);
    });
    expect((await failure(downloadBytes(url, quick))).message).toContain('an HTML page');
  });
});

test('a shown URL holds no secrets', () => {
  expect(shownUrl('https://me:secret@example.org/a/b?token=secret#secret')).toBe('https://example.org/a/b?…');
  expect(shownUrl('//me:secret@nowhere')).not.toContain('secret');
});
