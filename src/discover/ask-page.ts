import { BuilditError } from '../model/errors.ts';
import { DownloadError, openDownload } from '../system/http.ts';
import { isLoopback } from './web-address.ts';

export type PageAnswer =
  | { readonly kind: 'page'; readonly bytes: Buffer }
  /** `isDown`: the host gave no answer at all, and need not be asked again. */
  | { readonly kind: 'none'; readonly answer: string; readonly isDown: boolean };

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  readonly offline?: boolean | undefined;
  readonly ca?: string | undefined;
  /** For one page, with all tries and all of its bytes; 20 seconds by default. */
  readonly pageTimeoutMs?: number | undefined;
}

export const MAXIMUM_PAGE_BYTES = 1 << 20;
const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * Asks for a small page. Whatever the server does becomes an answer; only the end of the run and `--offline` are thrown.
 * What a redirect led to counts only over https, and from this machine only where this machine was asked.
 */
export async function askPage(url: string, options: AskOptions): Promise<PageAnswer> {
  const timeoutMs = options.pageTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await download(url, timeoutMs, {
      ...options,
      signal: options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]),
    });
  } catch (error) {
    if (options.signal?.aborted || !(error instanceof BuilditError) || error.code === 'offline') throw error;
    if (timeout.aborted) return { kind: 'none', answer: `no whole page in ${timeoutMs / 1000} seconds`, isDown: true };
    if (error instanceof DownloadError) return { kind: 'none', answer: error.answer, isDown: isNoAnswer(error) };
    return { kind: 'none', answer: `refused: more than ${MAXIMUM_PAGE_BYTES} bytes`, isDown: false };
  }
}

async function download(url: string, timeoutMs: number, options: AskOptions): Promise<PageAnswer> {
  const { protocol, hostname } = new URL(url);
  const { finalUrl, body } = await openDownload(url, {
    signal: options.signal,
    offline: options.offline,
    ca: options.ca,
    allowHttp: protocol === 'http:',
    maximumBytes: MAXIMUM_PAGE_BYTES,
    page: true,
    timeoutMs,
    connectTimeoutMs: Math.min(timeoutMs, 10_000),
    retries: 1,
  });
  const refused = refusedRedirect(new URL(finalUrl), isLoopback(hostname));
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    if (refused !== undefined) break;
    chunks.push(chunk);
  }
  if (refused !== undefined) return { kind: 'none', answer: refused, isDown: false };
  return { kind: 'page', bytes: Buffer.concat(chunks) };
}

/** Why an answer from where a redirect led is not taken. From https, nothing leads to http in the first place. */
export function refusedRedirect({ protocol, hostname }: URL, fromThisMachine: boolean): string | undefined {
  if (isLoopback(hostname)) return fromThisMachine ? undefined : 'a redirect to this machine, which is not taken';
  return protocol === 'http:' ? 'a redirect to plain http, which is not taken' : undefined;
}

/** No name, no connection, no trust: the next question would end the same way. */
function isNoAnswer({ status, answer }: DownloadError): boolean {
  return status === undefined && !/redirect/.test(answer);
}
