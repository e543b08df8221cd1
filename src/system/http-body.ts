import { setImmediate } from 'node:timers/promises';
import { BuilditError } from '../model/errors.ts';
import { isPageAddress, looksLikePage, pageAnswer, TELLING_BYTES } from './changed-answer.ts';
import type { ExchangeAnswer } from './http-exchange.ts';
import { DownloadError, FailedTry, shownUrl } from './http-failure.ts';
import { answerFor, DEFAULT_TIMEOUT_MS, pauseOrGiveUp, unconditional, type Wanted } from './http-tries.ts';

const DEFAULT_MINIMUM_RATE = 1024;
/** A body that came this far since its last break has earned its tries back. */
const PROGRESS_BYTES = 1 << 20;

export interface BodyPlace {
  readonly offset: number;
  readonly size: number | undefined;
  readonly etag: string | undefined;
}

/** Yields the body and goes on with a further request where it breaks. */
export async function* readBody(wanted: Wanted, first: ExchangeAnswer, place: BodyPlace): AsyncGenerator<Uint8Array> {
  let position = place.offset;
  let atLastBreak = position;
  let answer = first;
  let skip = 0;
  for (;;) {
    try {
      for await (const chunk of position === 0 ? withoutPage(wanted, answer) : rateLimited(wanted, answer)) {
        const kept = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - kept.length;
        position += kept.length;
        refuseTooLarge(wanted, position);
        if (kept.length > 0) yield kept;
      }
      refuseTruncated(position, place.size);
      // undici calls a connection free one turn of the event loop later: who asks at once would open another.
      await setImmediate();
      return;
    } catch (error) {
      if (position - atLastBreak >= PROGRESS_BYTES) wanted.tries.left = wanted.retries ?? 3;
      atLastBreak = position;
      if (place.etag === undefined && wanted.pinned !== true) wanted.tries.left = 0;
      await pauseOrGiveUp(wanted, error);
      ({ answer, skip } = await continued(wanted, position, place));
    }
  }
}

/** The body, unless it begins as a page for a browser: its first bytes are held back until they tell. */
async function* withoutPage(wanted: Wanted, answer: ExchangeAnswer): AsyncGenerator<Uint8Array> {
  const body = rateLimited(wanted, answer);
  if (wanted.page === true || isPageAddress(wanted.url)) return yield* body;
  let held: Uint8Array | undefined = new Uint8Array();
  const told = () => {
    const start = held!;
    held = undefined;
    if (looksLikePage(start)) throw new FailedTry({ kind: 'altered', found: pageAnswer(wanted.url, answer.finalUrl) });
    return start;
  };
  for await (const chunk of body) {
    if (held === undefined) yield chunk;
    else {
      held = Buffer.concat([held, chunk]);
      // No page begins without "<", but for a mark and blanks.
      if (held.length >= TELLING_BYTES || !/^[\s<\u00ef\u00bb\u00bf]/.test(String.fromCharCode(held[0] ?? 60)))
        yield told();
    }
  }
  if (held !== undefined && held.length > 0) yield told();
}

/** Whether a body that is refused for its size is a page, which says more; its first bytes tell. Ends the body. */
export async function pageInstead(wanted: Wanted, answer: ExchangeAnswer): Promise<DownloadError | undefined> {
  let start = Buffer.alloc(0);
  try {
    if (wanted.page === true || isPageAddress(wanted.url) || answer.status !== 200) return undefined;
    for await (const chunk of rateLimited(wanted, answer)) {
      start = Buffer.concat([start, chunk]);
      if (start.length >= TELLING_BYTES) break;
    }
  } catch {
    // What came before the break tells.
  } finally {
    answer.body.destroy();
  }
  if (!looksLikePage(start)) return undefined;
  return new DownloadError(
    wanted.url,
    { kind: 'altered', found: pageAnswer(wanted.url, answer.finalUrl) },
    wanted.tries.used,
  );
}

/** Asks for the rest. A server that sends all of it again is fine where it is the same file: the start is skipped. */
async function continued(
  wanted: Wanted,
  position: number,
  place: BodyPlace,
): Promise<{ answer: ExchangeAnswer; skip: number }> {
  const answer = await answerFor(unconditional(wanted), position, place.etag);
  const now = placeOf(answer, answer.status === 206 ? { ...wanted, offset: position } : wanted);
  const changedTag = wanted.pinned !== true && strongEtag(answer.headers.etag) !== place.etag;
  const changedSize = place.size !== undefined && now.size !== undefined && now.size !== place.size;
  if (changedTag || changedSize) {
    answer.body.destroy();
    throw new DownloadError(wanted.url, { kind: 'changed' }, wanted.tries.used);
  }
  return { answer, skip: position - now.offset };
}

/** The body as it comes, unless it comes too slowly. Only time spent waiting for the server counts. */
async function* rateLimited(wanted: Wanted, { body }: ExchangeAnswer): AsyncGenerator<Uint8Array> {
  const windowMs = wanted.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const wantedBytes = ((wanted.minimumBytesPerSecond ?? DEFAULT_MINIMUM_RATE) * windowMs) / 1000;
  let waitedMs = 0;
  let received = 0;
  let askedAt = performance.now();
  for await (const chunk of body) {
    waitedMs += performance.now() - askedAt;
    received += chunk.length;
    if (waitedMs >= windowMs) {
      if (received < wantedBytes) {
        const text = `${received} bytes in ${Math.round(waitedMs / 1000)} seconds`;
        throw new FailedTry({ kind: 'slow', text });
      }
      waitedMs = 0;
      received = 0;
    }
    yield chunk;
    askedAt = performance.now();
  }
}

function refuseTruncated(position: number, size: number | undefined): void {
  if (size === undefined || position === size) return;
  throw new FailedTry({ kind: 'truncated', text: `${position} of ${size} bytes` });
}

export function refuseTooLarge(wanted: Wanted, bytes: number | undefined): void {
  if (bytes === undefined || wanted.maximumBytes === undefined || bytes <= wanted.maximumBytes) return;
  throw new BuilditError(
    'input-invalid',
    `Cannot download "${shownUrl(wanted.url)}": expected at most ${wanted.maximumBytes} bytes, found more`,
  );
}

/** Where in the file the body begins, and how large the file is. A 206 must say both, and what was asked for. */
export function placeOf(answer: ExchangeAnswer, wanted: Wanted): { offset: number; size: number | undefined } {
  if (answer.status === 304) return { offset: 0, size: undefined };
  if (answer.status !== 206) return { offset: 0, size: lengthOf(answer) };
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(answer.headers['content-range'] ?? '');
  if (range === null || Number(range[1]) !== (wanted.offset ?? 0)) {
    answer.body.destroy();
    throw new DownloadError(wanted.url, { kind: 'truncated', text: 'another part of the file' }, wanted.tries.used);
  }
  return { offset: Number(range[1]), size: range[3] === '*' ? Number(range[2]) + 1 : Number(range[3]) };
}

function lengthOf(answer: ExchangeAnswer): number | undefined {
  const length = answer.headers['content-length'];
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

/** RFC 9110 section 8.8.1: only a strong tag says that two answers are the same bytes. */
export function strongEtag(value: string | undefined): string | undefined {
  return value !== undefined && /^"[\x21\x23-\x7e]*"$/.test(value) ? value : undefined;
}
