import { setTimeout as sleep } from 'node:timers/promises';
import { BuilditError } from '../model/errors.ts';
import { compressedAnswer } from './changed-answer.ts';
import { type ExchangeAnswer, exchange } from './http-exchange.ts';
import { DownloadError, type DownloadFailure, FailedTry, failureOf, isTransient, shownUrl } from './http-failure.ts';

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Refuses with code `offline` before anything is opened. */
  readonly offline?: boolean | undefined;
  /** Plain http too: for what a signature or a digest covers, and for loopback. */
  readonly allowHttp?: boolean | undefined;
  /** First byte wanted; the answer is 206, or 200 where the server sends all of it: look at `offset` of the answer. */
  readonly offset?: number | undefined;
  /** Strong entity tag of the bytes before `offset`, sent as If-Range. */
  readonly etag?: string | undefined;
  /** The bytes are checked against a digest afterwards: a broken body may be continued without an entity tag. */
  readonly pinned?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** An HTML page is a right answer; elsewhere it is that of a network's login page or of a wrong address. */
  readonly page?: boolean | undefined;
  /** More than this is refused with code `input-invalid`. */
  readonly maximumBytes?: number | undefined;
  /** For the headers, and for each silence in the body. */
  readonly timeoutMs?: number | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** Further tries after the first; 3 by default. */
  readonly retries?: number | undefined;
  /** Pause before the first further try; later ones are 3 times as long each. */
  readonly pauseMs?: number | undefined;
  /** Slower than this over a whole `timeoutMs` of waiting is a failure. */
  readonly minimumBytesPerSecond?: number | undefined;
  /** PEM text of the certificate authorities that are trusted for this, in place of the usual ones. */
  readonly ca?: string | undefined;
}

/** A download under way. */
export interface Wanted extends DownloadOptions {
  readonly url: string;
  /** Tries left, shared by the request and the continuations of its body. */
  readonly tries: { used: number; left: number };
}

export const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;
const CONDITIONAL = /^if-/i;

/** The answer to one request, tried as often as is left. */
export async function answerFor(wanted: Wanted, offset: number, etag: string | undefined): Promise<ExchangeAnswer> {
  for (;;) {
    try {
      return await tryOnce(wanted, offset, etag);
    } catch (error) {
      await pauseOrGiveUp(wanted, error);
    }
  }
}

async function tryOnce(wanted: Wanted, offset: number, etag: string | undefined): Promise<ExchangeAnswer> {
  wanted.tries.used += 1;
  wanted.tries.left -= 1;
  const answer = await exchange(wanted.url, {
    headers: { ...wanted.headers, ...rangeHeaders(offset, etag) },
    allowHttp: wanted.allowHttp === true,
    connectTimeoutMs: wanted.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    timeoutMs: wanted.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    signal: wanted.signal,
    ca: wanted.ca,
  });
  if (answer.status === 304 && isConditional(wanted)) return answer;
  if ([200, 206].includes(answer.status)) {
    const found = compressedAnswer(answer.headers, wanted.url);
    if (found === undefined) return answer;
    answer.body.destroy();
    throw new FailedTry({ kind: 'altered', found });
  }
  await answer.body.dump().catch(() => {});
  throw new FailedTry({
    kind: 'status',
    status: answer.status,
    retryAfterMs: retryAfterMs(answer.headers['retry-after']),
  });
}

function isConditional({ headers = {} }: Wanted): boolean {
  return Object.keys(headers).some((name) => CONDITIONAL.test(name));
}

/** The same download, for asking for a later part of it. */
export function unconditional(wanted: Wanted): Wanted {
  const headers = Object.entries(wanted.headers ?? {}).filter(([name]) => !CONDITIONAL.test(name));
  return { ...wanted, headers: Object.fromEntries(headers) };
}

function rangeHeaders(offset: number, etag: string | undefined): Record<string, string> {
  if (offset === 0) return {};
  return { range: `bytes=${offset}-`, ...(etag === undefined ? {} : { 'if-range': etag }) };
}

/** Waits before the next try; throws what ends the download where there is none. */
export async function pauseOrGiveUp(wanted: Wanted, error: unknown): Promise<void> {
  if (wanted.signal?.aborted) throw interrupted(wanted);
  if (error instanceof BuilditError) throw error;
  const failure = failureOf(error);
  const { used, left } = wanted.tries;
  if (left <= 0 || !isTransient(failure)) throw new DownloadError(wanted.url, failure, used, error);
  try {
    await sleep(pauseBefore(wanted, failure), undefined, wanted.signal === undefined ? {} : { signal: wanted.signal });
  } catch {
    throw interrupted(wanted);
  }
}

function pauseBefore(wanted: Wanted, failure: DownloadFailure): number {
  const retriesDone = (wanted.retries ?? 3) - wanted.tries.left;
  const growing = (wanted.pauseMs ?? 400) * 3 ** Math.max(0, retriesDone) * (0.8 + Math.random() * 0.4);
  const asked = failure.kind === 'status' ? (failure.retryAfterMs ?? 0) : 0;
  return Math.min(LONGEST_PAUSE_MS, Math.max(growing, asked));
}

/** RFC 9110 section 10.2.3: seconds or a date. */
function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function interrupted(wanted: Wanted): BuilditError {
  return new BuilditError('interrupted', `Cannot download "${shownUrl(wanted.url)}": interrupted`);
}
