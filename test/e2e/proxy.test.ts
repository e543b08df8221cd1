import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { archivePlaces } from '../../src/debian/archive-places.ts';
import { rawMember, rawTar } from '../layer/raw-tar.ts';
import { requires } from '../support/requires.ts';
import { repository } from './support/installation.ts';
import { openPlace, type Person } from './support/place.ts';
import { runInstalled } from './support/run-installed.ts';

const FETCH_MS = 300_000;
const place = openPlace();

/** Names that only the proxy knows: nobody resolves the one, and nobody listens at the other. */
const MIRROR = 'http://mirror.invalid/debian';
const UPSTREAM = 'https://localhost:9';

/** The source that lies at a path: each says its own. */
function tarballAt(path: string): Buffer {
  const directory = { name: 'greeting/', type: '5', mode: '0000755\0' };
  return gzipSync(rawTar(rawMember(directory), rawMember({ name: 'greeting/text' }, `hello from ${path}\n`)));
}

/** The throw-away certificate of an example: for localhost, signed by itself. */
const certificate = join(repository, 'examples/nginx-prod/files/throw-away-certificate/certificate.pem');

interface Asked {
  readonly what: string;
  readonly authorization: string | undefined;
}

const asked: Asked[] = [];
/** Paths that the upstream server was asked for, by whatever way. */
const downloaded: string[] = [];
let upstream: Server;
let proxy: Server;

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function listening<Kind extends Server>(server: Kind): Promise<Kind> {
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return server;
}

function note(what: string, { headers }: IncomingMessage): void {
  asked.push({ what, authorization: headers['proxy-authorization'] });
}

/** Passes a plain request on: the one mirror it knows stands for the archive that this machine really uses. */
async function passOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  note(`${request.method} ${request.url}`, request);
  if (!request.url!.startsWith(`${MIRROR}/`)) return void response.writeHead(502).end();
  const mirror = process.env.BUILDIT_DEBIAN_MIRROR;
  const [real] = archivePlaces('bookworm', { debian: { mirror } }, Date.now());
  const answer = await fetch(`${real!.root}${request.url!.slice(MIRROR.length)}`);
  response.writeHead(answer.status, { 'content-length': answer.headers.get('content-length') ?? '0' });
  if (answer.body === null) response.end();
  else Readable.fromWeb(answer.body as never).pipe(response);
}

beforeAll(async () => {
  const key = certificate.replace('certificate.pem', 'key.pem');
  upstream = await listening(
    createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
      downloaded.push(request.url!);
      response.end(tarballAt(request.url!));
    }),
  );
  proxy = createServer((request, response) => void passOn(request, response).catch(() => response.destroy()));
  proxy.on('connect', (request, socket, head) => {
    note(`CONNECT ${request.url}`, request);
    const tunnel = connect(portOf(upstream), 'localhost', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      tunnel.write(head);
      tunnel.pipe(socket).pipe(tunnel);
    });
    tunnel.on('error', () => socket.destroy());
    socket.on('error', () => tunnel.destroy());
  });
  await listening(proxy);
});

afterAll(() => {
  for (const server of [upstream, proxy]) {
    server.closeAllConnections();
    server.close();
  }
});

beforeEach(() => {
  asked.length = 0;
  downloaded.length = 0;
});

function openSomebody(name: string, origin: string): Person {
  const path = `/${name}-1.0.tar.gz`;
  const home = join(place.path, name);
  const container = join(home, 'greeting');
  mkdirSync(join(container, 'pkgs/greeting'), { recursive: true });
  writeFileSync(
    join(container, 'container.yaml'),
    [
      '- vars: {name: greeting, version: 1.0.0, os: linux, arch: amd64}',
      '- base: none',
      '- package: {type: embedded, path: ./pkgs/greeting}',
      '- package: {type: debian, name: hostname}',
      '- image: {type: oci}',
      '',
    ].join('\n'),
  );
  const sha256 = createHash('sha256').update(tarballAt(path)).digest('hex');
  writeFileSync(
    join(container, 'pkgs/greeting/pkg.yaml'),
    [
      'name: own/greeting',
      'version: 1.0',
      'license: MIT',
      `source: {url: "${origin}${path}", sha256: ${sha256}}`,
      'class: none',
      'root: minimal',
      'phases: {install: install -D text "$DESTDIR/usr/share/greeting"}',
      '',
    ].join('\n'),
  );
  return { user: undefined, home, store: join(place.path, 'store'), container };
}

function run(person: Person, environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const url = `http://somebody:s3cret@localhost:${portOf(proxy)}`;
  const network = { BUILDIT_DEBIAN_MIRROR: MIRROR, NODE_EXTRA_CA_CERTS: certificate, NO_PROXY: '' };
  return runInstalled({
    installation: place.installation(),
    person,
    args,
    environment: { ...network, HTTP_PROXY: url, HTTPS_PROXY: url, ...environment },
  });
}

requires('archive').describe('behind a proxy', () => {
  let person: Person;

  beforeAll(() => {
    person = openSomebody('somebody', UPSTREAM);
  });

  test(
    'a lock is written: indices come through it',
    async () => {
      const locked = await run(person, {}, 'lock', 'greeting/');
      expect(locked, locked.stderr).toMatchObject({ exitCode: 0 });
      expect(asked.map(({ what }) => what)).toContain(`GET ${MIRROR}/dists/bookworm/InRelease`);
      expect(asked.filter(({ what }) => !what.startsWith(`GET ${MIRROR}/dists/bookworm/`))).toEqual([]);
    },
    FETCH_MS,
  );

  test(
    'everything is fetched: packages by plain requests, a source over https through a tunnel',
    async () => {
      const fetched = await run(person, {}, 'fetch', 'greeting/');
      expect(fetched, fetched.stderr).toMatchObject({ exitCode: 0 });
      const packages = asked.filter(({ what }) => what.startsWith(`GET ${MIRROR}/pool/main/`));
      expect(packages.length).toBeGreaterThan(20);
      expect(asked.filter((request) => !packages.includes(request)).map(({ what }) => what)).toEqual([
        'CONNECT localhost:9',
      ]);
      expect(downloaded).toEqual(['/somebody-1.0.tar.gz']);
    },
    FETCH_MS,
  );

  test('the proxy is told the password of its address, and nobody else is', async () => {
    const other = openSomebody('other', UPSTREAM);
    const fetched = await run({ ...other, store: join(other.home, 'store') }, {}, 'lock', 'greeting/', '-v');
    expect(fetched, fetched.stderr).toMatchObject({ exitCode: 0 });
    const password = `Basic ${Buffer.from('somebody:s3cret').toString('base64')}`;
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set([password]));
    expect(fetched.stdout + fetched.stderr).not.toContain('s3cret');
  });

  test('a build afterwards needs neither', async () => {
    const planned = await run(person, {}, 'plan', 'greeting/', '--frozen');
    expect(planned, planned.stderr).toMatchObject({ exitCode: 0 });
    expect(asked).toEqual([]);
  });

  test('what NO_PROXY names is asked itself', async () => {
    const direct = openSomebody('direct', `https://localhost:${portOf(upstream)}`);
    const fetched = await run(direct, { NO_PROXY: 'localhost' }, 'fetch', 'greeting/');
    expect(fetched, fetched.stderr).toMatchObject({ exitCode: 0 });
    expect(downloaded).toEqual(['/direct-1.0.tar.gz']);
    expect(asked.filter(({ what }) => what.includes('localhost'))).toEqual([]);
    expect(asked.map(({ what }) => what)).toContain(`GET ${MIRROR}/dists/bookworm/InRelease`);
  });

  test('a proxy that is away is an error that says so, with nothing half done', async () => {
    const away = openSomebody('away', UPSTREAM);
    const nobody = { HTTP_PROXY: 'http://localhost:9', HTTPS_PROXY: 'http://localhost:9' };
    const failed = await run({ ...away, store: join(away.home, 'store') }, nobody, 'lock', 'greeting/');
    expect(failed.exitCode).toBe(69);
    expect(failed.stderr).toMatch(/mirror\.invalid\/.*: connection refused by the proxy \S+:9, tried \d times$/m);
    expect(failed.stderr).toMatch(/^ {2}hint: .*HTTP_PROXY/m);
    expect(failed.stderr).not.toMatch(/^\s+at \S+ \(/m);
  });
});
