import type { RunContext } from '../model/config.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { putBlob } from '../store/put-blob.ts';
import type { Store } from '../store/store.ts';
import { isPageAddress, looksLikePage } from '../system/changed-answer.ts';
import { ALTERED_HINT, DownloadError, openDownload, shownUrl } from '../system/http.ts';
import { type PartialDownload, takePartialDownload } from './partial-download.ts';

export interface BlobToDownload {
  readonly url: string;
  readonly sha256: Digest;
  /** Where the size is known beforehand. */
  readonly size?: number | undefined;
  readonly maximumBytes: number;
  /** For mirrors that are named by a signed index only. */
  readonly allowHttp: boolean;
  /** Name of the progress task. */
  readonly task: string;
}

export interface HttpTuning {
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly pauseMs?: number;
  readonly allowHttp?: boolean;
}

export interface DownloadBlobOptions {
  readonly store: Store;
  readonly context: RunContext;
  /** Time-outs and retries, for tests. */
  readonly http?: HttpTuning | undefined;
}

const PROGRESS_EVERY_MS = 100;

/**
 * Downloads a file into the store. Nothing is kept but bytes of this digest; the beginning of a download that broke is
 * continued, in this run and in later ones.
 */
export async function downloadBlob(blob: BlobToDownload, options: DownloadBlobOptions): Promise<void> {
  const partial = await takePartialDownload(options.store, blob.sha256);
  let keep = true;
  try {
    const resumed = partial.size > 0;
    try {
      await downloadOnto(partial, blob, options);
    } catch (error) {
      if (!resumed || !isSpoiled(error)) throw error;
      await partial.restart();
      await downloadOnto(partial, blob, options);
    }
    keep = false;
  } catch (error) {
    keep = !isMismatch(error) && !isPage(error);
    throw error;
  } finally {
    await partial.close(keep);
  }
}

/** What an earlier run left may not be the beginning of this file: then all of it is fetched again. */
function isSpoiled(error: unknown): boolean {
  return isMismatch(error) || (error instanceof DownloadError && error.status === 416);
}

function isMismatch(error: unknown): boolean {
  return error instanceof BuilditError && (error.code === 'checksum-mismatch' || error.code === 'input-invalid');
}

/** A page that somebody pinned is a source like any other; any other page says more than that a digest differs. */
class PageInstead extends BuilditError {
  constructor(url: string, cause: unknown) {
    super('unreachable', `Cannot download "${shownUrl(url)}": expected the file, found an HTML page`, {
      hint: ALTERED_HINT,
      cause,
    });
  }
}

function isPage(error: unknown): boolean {
  return error instanceof PageInstead;
}

async function downloadOnto(partial: PartialDownload, blob: BlobToDownload, options: DownloadBlobOptions) {
  const { store, context } = options;
  const download = await openDownload(blob.url, {
    ...options.http,
    signal: context.signal,
    allowHttp: blob.allowHttp,
    pinned: true,
    page: true,
    offset: partial.size,
    maximumBytes: blob.maximumBytes,
  });
  if (download.offset !== partial.size) await partial.restart();
  const report = progressReporter(blob, download.size, context);
  let start: Uint8Array | undefined;
  async function* bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    let done = partial.size;
    if (done > 0) yield* partial.read();
    for await (const chunk of download.body) {
      start ??= chunk;
      await partial.append(chunk);
      done += chunk.length;
      report(done);
      yield chunk;
    }
  }
  try {
    await putBlob(store, bytes(), {
      expected: blob.sha256,
      size: blob.size,
      maxBytes: blob.maximumBytes,
      what: shownUrl(blob.url),
    });
  } catch (error) {
    const isPageHere = isMismatch(error) && start !== undefined && !isPageAddress(blob.url) && looksLikePage(start);
    throw isPageHere ? new PageInstead(blob.url, error) : error;
  }
}

function progressReporter({ task, size }: BlobToDownload, said: number | undefined, { emit }: RunContext) {
  const total = said ?? size;
  let last = Number.NEGATIVE_INFINITY;
  return (done: number): void => {
    const now = performance.now();
    if (now - last < PROGRESS_EVERY_MS && done !== total) return;
    last = now;
    emit({ kind: 'task-progress', task, done, total });
  };
}
