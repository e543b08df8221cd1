import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createCleartextMessage, generateKey, type PrivateKey, type PublicKey, sign } from 'openpgp';
import { onTestFinished } from 'vitest';
import type { ArchiveSession } from '../../src/debian/archive-session.ts';
import { sha256 } from '../../src/model/digest.ts';
import type { BuilditEvent } from '../../src/model/events.ts';
import { openStore } from '../../src/store/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

export interface SigningKey {
  readonly privateKey: PrivateKey;
  readonly publicKey: PublicKey;
}

export async function createSigningKey(): Promise<SigningKey> {
  const userIDs = [{ name: 'An archive of its own' }];
  return generateKey({ type: 'curve25519', userIDs, format: 'object', date: new Date('2020-01-01') });
}

/** One for all tests of a file: it signs whatever they ask for. */
export const ownKey: Promise<SigningKey> = createSigningKey();

export interface ReleaseFields {
  readonly suite?: string;
  readonly codename?: string;
  readonly date?: string;
  readonly validUntil?: string;
  readonly byHash?: boolean;
}

/** The text of a Release file over some index files. */
export function releaseText(files: Readonly<Record<string, Buffer>>, fields: ReleaseFields = {}): string {
  const { suite = 'stable', codename = 'own', date = 'Thu, 01 Jan 2026 00:00:00 UTC', validUntil, byHash } = fields;
  const table = Object.entries(files).map(([path, bytes]) => ` ${sha256(bytes)} ${bytes.length} ${path}`);
  return [
    'Origin: Own',
    `Suite: ${suite}`,
    `Codename: ${codename}`,
    `Date: ${date}`,
    ...(validUntil === undefined ? [] : [`Valid-Until: ${validUntil}`]),
    ...(byHash === true ? ['Acquire-By-Hash: yes'] : []),
    'SHA256:',
    ...table,
    '',
  ].join('\n');
}

export async function signed(text: string, key?: SigningKey): Promise<Buffer> {
  const { privateKey } = key ?? (await ownKey);
  const message = await createCleartextMessage({ text });
  return Buffer.from(await sign({ message, signingKeys: privateKey, date: new Date('2026-01-01') }));
}

/** The stanza of a package in a Packages file. */
export function stanza(name: string, fields: Readonly<Record<string, string>> = {}): string {
  const version = fields.Version ?? '1.0-1';
  const all = {
    Version: version,
    Architecture: 'amd64',
    Filename: `pool/main/${name[0]}/${name}/${name}_${version}_amd64.deb`,
    Size: '1000',
    SHA256: sha256(name + version),
    ...fields,
  };
  return `Package: ${name}\n${Object.entries(all)
    .map(([field, value]) => `${field}: ${value}\n`)
    .join('')}`;
}

/** A web server of files; `asked` are the paths of all requests. */
export interface OwnServer {
  readonly origin: string;
  readonly files: Map<string, Buffer>;
  readonly asked: string[];
  /** Answers in place of the files where it returns true. */
  handle: (path: string, response: ServerResponse) => boolean;
}

export async function startServer(): Promise<OwnServer> {
  const files = new Map<string, Buffer>();
  const asked: string[] = [];
  const own: OwnServer = { origin: '', files, asked, handle: () => false };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!);
    asked.push(path);
    if (own.handle(path, response)) return;
    const bytes = files.get(path);
    if (bytes === undefined) return void response.writeHead(404).end();
    const etag = `"${sha256(bytes)}"`;
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end();
    response.writeHead(200, { 'content-length': bytes.length, etag }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(own, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

export interface PublishOptions extends ReleaseFields {
  readonly root?: string;
  readonly key?: SigningKey;
}

/** Puts a suite with these packages (and source packages) on a server. */
export async function publish(
  server: OwnServer,
  packages: readonly string[],
  options: PublishOptions = {},
): Promise<void> {
  const { root = '/debian', suite = 'stable', key } = options;
  const index = Buffer.from(packages.join('\n'));
  const compressed = gzipSync(index);
  const files = { 'main/binary-amd64/Packages': index, 'main/binary-amd64/Packages.gz': compressed };
  server.files.set(`${root}/dists/${suite}/InRelease`, await signed(releaseText(files, options), key));
  server.files.set(`${root}/dists/${suite}/main/binary-amd64/Packages.gz`, compressed);
  server.files.set(`${root}/dists/${suite}/main/binary-amd64/by-hash/SHA256/${sha256(compressed)}`, compressed);
}

export interface OwnSession extends ArchiveSession {
  readonly events: BuilditEvent[];
}

/** Port 9 discards; nobody listens there. */
export const NOBODY = 'http://127.0.0.1:9';

/** A session that knows the server's archive as its mirror, trusts its key, and finds nothing of the host. */
export async function ownSession(mirror: string | undefined, more: Partial<ArchiveSession> = {}): Promise<OwnSession> {
  const directory = temporaryDirectory();
  const events: BuilditEvent[] = [];
  return {
    store: await openStore(join(directory, 'store')),
    config: { debian: { mirror }, offline: false },
    context: { signal: new AbortController().signal, emit: (event) => events.push(event) },
    // On the mirror's server too, where nothing is; else where nobody listens.
    surroundings: { aptDirectory: directory, snapshot: `${new URL(mirror ?? NOBODY).origin}/archive` },
    keys: [(await ownKey).publicKey],
    now: () => Date.parse('2026-02-01'),
    events,
    ...more,
  };
}
