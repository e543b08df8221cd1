import { BuilditError } from '../model/errors.ts';
import { pageInstead, placeOf, readBody, refuseTooLarge, strongEtag } from './http-body.ts';
import { shownUrl } from './http-failure.ts';
import { answerFor, type DownloadOptions, type Wanted } from './http-tries.ts';

export { ALTERED_HINT, DownloadError, shownUrl } from './http-failure.ts';
export type { DownloadOptions } from './http-tries.ts';

export interface Download {
  /** 200, 206, or 304 where the request was conditional. */
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly finalUrl: string;
  /** Position of the body's first byte in the file: what was asked for, or 0. */
  readonly offset: number;
  /** Of the whole file, where the server says it. */
  readonly size: number | undefined;
  /** Strong entity tag, where there is one. */
  readonly etag: string | undefined;
  /** Read once. Continues by itself where the connection breaks, when that is safe. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Begins a download over https. Transient failures are tried again with growing pauses. Throws `DownloadError` (code
 * `unreachable`, with the server's status) for everything that is not 200, 206 or 304.
 */
export async function openDownload(url: string, options: DownloadOptions = {}): Promise<Download> {
  if (options.offline === true) {
    throw new BuilditError('offline', `Cannot download "${shownUrl(url)}": expected a network, found --offline`, {
      hint: 'run once without --offline; what was fetched is kept in the store',
    });
  }
  const retries = options.retries ?? 3;
  const wanted: Wanted = { ...options, url, tries: { used: 0, left: retries + 1 } };
  const answer = await answerFor(wanted, options.offset ?? 0, options.etag);
  const { offset, size } = placeOf(answer, wanted);
  try {
    refuseTooLarge(wanted, size);
  } catch (error) {
    throw (await pageInstead(wanted, answer)) ?? error;
  }
  const etag = strongEtag(answer.headers.etag);
  return {
    status: answer.status,
    headers: answer.headers,
    finalUrl: answer.finalUrl,
    offset,
    size,
    etag,
    body: readBody(wanted, answer, { offset, size, etag }),
  };
}

/** Downloads a small file into memory; `maximumBytes` is what small means. */
export async function downloadBytes(
  url: string,
  options: DownloadOptions & { readonly maximumBytes: number },
): Promise<Buffer> {
  const { body } = await openDownload(url, options);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
