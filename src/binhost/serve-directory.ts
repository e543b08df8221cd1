import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { BuilditError } from '../model/errors.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';
import { systemErrorCode } from '../system/write-failure.ts';
import { isServedName } from './served-names.ts';

export interface ServedDirectory {
  readonly port: number;
  /** When the signal has ended it. */
  readonly closed: Promise<void>;
}

export interface ServeOptions {
  /** 0 for any that is free. */
  readonly port: number;
  readonly signal: AbortSignal;
  /** `host` or `host:port` that are answered to as well. */
  readonly names?: readonly string[] | undefined;
}

/**
 * Shows the files of a directory over http on loopback: GET and HEAD, single ranges, ETags. Directories are not listed;
 * files outside, and those with an element that begins with a dot, are not shown, by links neither. Only requests for
 * the names of this machine and for `names` are answered.
 */
export async function serveDirectory(
  directory: string,
  { port, signal, names = [] }: ServeOptions,
): Promise<ServedDirectory> {
  const root = await realpath(directory).catch(() => undefined);
  if (root === undefined) {
    throw new BuilditError(
      'file-missing',
      `Cannot serve "${printable(directory)}": expected a directory, found nothing there`,
    );
  }
  let bound = port;
  const server = createServer((request, response) => {
    answer({ root, port: bound, names }, request, response).catch(() => response.destroy());
  });
  bound = await listen(server, port);
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return { port: bound, closed };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const inUse = systemErrorCode(cause) === 'EADDRINUSE';
      reject(
        new BuilditError(
          'busy',
          `Cannot listen on 127.0.0.1:${port}: expected a free port, found ${inUse ? 'one in use' : cause.message}`,
          { hint: 'another one with --port, or any free one with --port 0', cause },
        ),
      );
    });
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

interface Served {
  readonly root: string;
  readonly port: number;
  readonly names: readonly string[];
}

async function answer(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  const target = requestTarget(request);
  if (target === undefined || !isServedName(target.authority, served)) {
    return plain(response, 421, 'not a name of this server; buildit binhost serve --name adds one');
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return plain(response, 405, 'only GET and HEAD');
  }
  const path = requestedPath(target.path);
  const file = path === undefined ? undefined : await openInside(served.root, path);
  if (path === undefined || file === undefined) return plain(response, 404, 'nothing there');
  try {
    await sendFile(file, path, request, response);
  } finally {
    await file.close();
  }
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

interface RequestTarget {
  readonly authority: string | undefined;
  readonly path: string;
}

/** RFC 9112, 3.2: an absolute target says whom it is for, whatever Host says. Two Host fields are an attack. */
function requestTarget({ url = '', headers, rawHeaders }: IncomingMessage): RequestTarget | undefined {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length > 1) return undefined;
  const [, authority, path] = /^http:\/\/([^/?#]*)(.*)$/is.exec(url) ?? [];
  if (authority === undefined) return { authority: headers.host, path: url };
  return { authority, path: path!.startsWith('/') ? path! : `/${path}` };
}

/** A path below the directory; undefined for what can be none. */
function requestedPath(url: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(url.replace(/[?#].*$/s, '')).slice(1);
  } catch {
    return undefined;
  }
  const named = path === '' ? 'index.html' : path;
  return url.startsWith('/') && isShown(named) ? named : undefined;
}

function isShown(path: string): boolean {
  return isCleanRelativePath(path) && !path.split('/').some((element) => element.startsWith('.'));
}

async function openInside(root: string, path: string): Promise<FileHandle | undefined> {
  try {
    const real = await realpath(join(root, path));
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep) || !isShown(relative(root, real))) return undefined;
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    // A directory above it may have become a link since it was looked at.
    const isSame = (await readlink(`/proc/self/fd/${file.fd}`).catch(() => '')) === real;
    if (isSame && (await file.stat()).isFile()) return file;
    await file.close();
    return undefined;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json',
  '.zst': 'application/zstd',
  '.tar': 'application/x-tar',
  '.sig': 'text/plain; charset=utf-8',
};

async function sendFile(
  file: FileHandle,
  path: string,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { size, mtimeMs, ino } = await file.stat();
  const etag = `"${ino.toString(16)}-${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}"`;
  response.setHeader('ETag', etag);
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('Cache-Control', path.startsWith('blobs/') ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (headers['if-none-match']?.split(',').some((known) => [etag, '*'].includes(known.trim()))) {
    response.writeHead(304).end();
    return;
  }
  const isSame = headers['if-range'] === undefined || headers['if-range'] === etag;
  const range = isSame ? requestedRange(headers.range, size) : undefined;
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${size}`);
    return plain(response, 416, 'no such range');
  }
  const { start, end } = range ?? { start: 0, end: size };
  response.writeHead(range === undefined ? 200 : 206, {
    'Content-Type': MEDIA_TYPES[extname(path)] ?? 'application/octet-stream',
    'Content-Length': end - start,
    ...(range === undefined ? {} : { 'Content-Range': `bytes ${start}-${end - 1}/${size}` }),
  });
  if (method === 'HEAD' || end === start) response.end();
  else await pipeline(file.createReadStream({ start, end: end - 1, autoClose: false }), response);
}

/** RFC 9110, 14: one range of bytes; several, and what is no range, mean the whole file. */
function requestedRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '')
    return Number(last) === 0 ? 'unsatisfiable' : { start: Math.max(0, size - Number(last)), end: size };
  const start = Number(first);
  const end = last === '' ? size : Math.min(size, Number(last) + 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
}
