import { BuilditError } from '../model/errors.ts';
import { withoutTrailing } from '../model/without-trailing.ts';
import { type Download, DownloadError, type DownloadOptions, openDownload } from '../system/http.ts';
import { longerThanAllowed, shownPath } from './remote-failure.ts';
import { checkedRemotePath } from './remote-path.ts';
import type { RemoteFile, RemoteOpenOptions, RemoteReader, RemoteReadOptions } from './remote-place.ts';

const DEFAULT_TIMEOUT_MS = 20_000;
const MINIMUM_BYTES_PER_SECOND = 1024;

export interface HttpsPlaceOptions {
  readonly scheme: 'https' | 'http';
  /** `host[:port]/path`. */
  readonly path: string;
  /** For connecting and the headers, all tries together, and for each silence in a body. */
  readonly timeoutMs?: number | undefined;
  /** PEM text of the only authorities that are trusted for this place. */
  readonly ca?: string | undefined;
  /** Plain http to another machine too. */
  readonly insecure?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Slower than this over a whole time-out of waiting is a failure; 1024 by default. */
  readonly minimumBytesPerSecond?: number | undefined;
}

/**
 * A directory that a web server shows. 404 and 410 are `missing`; any other refusal is `unreachable`. Once the server
 * gave no answer at all, every later question fails at once: a place that is down costs one time-out.
 *
 * @throws BuilditError `configuration-invalid` for plain http to another machine without `insecure`.
 */
export function openHttpsPlace(options: HttpsPlaceOptions): RemoteReader {
  const shown = `${options.scheme}://${withoutTrailing(options.path, '/')}`;
  refusePlainHttp(shown, options);
  let down: BuilditError | undefined;

  const ask = async (path: string, wanted: DownloadOptions): Promise<Download | 'missing'> => {
    if (down !== undefined) throw down;
    try {
      return await answerInTime(addressOf(shown, path), options, wanted);
    } catch (error) {
      if (error instanceof DownloadError && (error.status === 404 || error.status === 410)) return 'missing';
      throw noted(error);
    }
  };
  const noted = (error: unknown) => {
    if (error instanceof BuilditError && error.code === 'unreachable' && statusOf(error) === undefined) down = error;
    return error;
  };
  const watched = async function* ({ body }: Download): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw noted(error);
    }
  };

  return {
    shown,
    async read(path, { maximumBytes, etag, signal }: RemoteReadOptions) {
      const headers = etag === undefined ? {} : { 'if-none-match': etag };
      const answer = await ask(path, { headers, maximumBytes, signal, retries: 1 });
      if (answer === 'missing') return 'missing';
      if (answer.status === 304) {
        await drain(answer);
        return 'unchanged';
      }
      return collected(answer, watched(answer));
    },
    async open(path, { offset, size, signal }: RemoteOpenOptions) {
      const end = offset + size;
      const answer = await ask(path, { offset, maximumBytes: end, signal, pinned: true, retries: 2 });
      if (answer === 'missing') return 'missing';
      if (answer.size === undefined || answer.size <= end) return fromOffset(watched(answer), offset - answer.offset);
      throw longerThanAllowed(shown, path, end);
    },
    async close() {},
  };
}

function refusePlainHttp(shown: string, { scheme, insecure }: HttpsPlaceOptions): void {
  if (!URL.canParse(shown)) {
    throw new BuilditError('configuration-invalid', `Cannot use "${shownPath(shown, '')}": expected a web address`);
  }
  const { hostname, username, password } = new URL(shown);
  if (username !== '' || password !== '') {
    const text = `Cannot use "${scheme}://${hostname}": expected an address without user and password, found both`;
    throw new BuilditError('configuration-invalid', text);
  }
  if (scheme === 'https' || insecure === true || isLoopback(hostname)) return;
  throw new BuilditError(
    'configuration-invalid',
    `Cannot use "${shownPath(shown, '')}": expected https, found http to another machine`,
    { hint: 'use download-type: https, or say insecure: true in your own configuration' },
  );
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

function addressOf(shown: string, path: string): string {
  return `${shown}/${checkedRemotePath(path).split('/').map(encodeURIComponent).join('/')}`;
}

/** The answer's headers within the place's time-out, however many tries they take. */
async function answerInTime(url: string, place: HttpsPlaceOptions, wanted: DownloadOptions): Promise<Download> {
  const timeoutMs = place.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), timeoutMs);
  const given = [wanted.signal, place.signal].filter((signal) => signal !== undefined);
  try {
    return await openDownload(url, {
      minimumBytesPerSecond: place.minimumBytesPerSecond ?? MINIMUM_BYTES_PER_SECOND,
      ...wanted,
      allowHttp: place.scheme === 'http',
      ca: place.ca,
      timeoutMs,
      connectTimeoutMs: timeoutMs,
      signal: AbortSignal.any([limit.signal, ...given]),
    });
  } catch (error) {
    if (!limit.signal.aborted || given.some((signal) => signal.aborted)) throw error;
    const found = `none in ${timeoutMs / 1000} seconds`;
    throw new BuilditError(
      'unreachable',
      `Cannot download "${shownPath(url, '')}": expected an answer, found ${found}`,
      {
        hint: 'check the network; --offline works with what is in the store',
        cause: error,
      },
    );
  } finally {
    clearTimeout(timer);
  }
}

function statusOf(error: BuilditError): number | undefined {
  return error instanceof DownloadError ? error.status : undefined;
}

async function collected({ etag, headers }: Download, body: AsyncIterable<Uint8Array>): Promise<RemoteFile> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  // A weak tag says that two answers mean the same, which is enough for not asking for the bytes again.
  return { bytes: Buffer.concat(chunks), etag: etag ?? weakEtag(headers.etag) };
}

function weakEtag(value: string | undefined): string | undefined {
  return value !== undefined && /^W\/"[\x21\x23-\x7e]*"$/.test(value) ? value : undefined;
}

async function drain({ body }: Download): Promise<void> {
  for await (const _ of body);
}

/** A server that does not know ranges sends the file from its start. */
async function* fromOffset(body: AsyncIterable<Uint8Array>, missing: number): AsyncGenerator<Uint8Array> {
  let skip = missing;
  for await (const chunk of body) {
    const kept = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - kept.length;
    if (kept.length > 0) yield kept;
  }
}
