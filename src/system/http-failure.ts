import { clockHint } from '../model/clock-hint.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { shownAddress } from '../model/without-secrets.ts';

/** Why one try failed, before it is known whether another one follows. */
export type DownloadFailure =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs: number | undefined }
  /** `peer`: address and port of who was to be connected to, where that is known. */
  | { readonly kind: 'network'; readonly code: string; readonly text: string; readonly peer?: string }
  /** `isAboutTime`: a certificate has expired or does not count yet. */
  | { readonly kind: 'tls'; readonly text: string; readonly isAboutTime?: boolean }
  | { readonly kind: 'redirect'; readonly text: string }
  | { readonly kind: 'slow'; readonly text: string }
  | { readonly kind: 'truncated'; readonly text: string }
  /** Something between changed the answer, or gave one of its own: `found` says what it is. */
  | { readonly kind: 'altered'; readonly found: string }
  | { readonly kind: 'changed' };

/** A failed try as something to throw; never leaves this folder. */
export class FailedTry extends Error {
  readonly failure: DownloadFailure;

  constructor(failure: DownloadFailure, cause?: unknown) {
    super(failure.kind, cause === undefined ? undefined : { cause });
    this.failure = failure;
  }
}

/** A download that failed for good. `status` is the server's answer where there was one: 404 means it is not there. */
export class DownloadError extends BuilditError {
  readonly url: string;
  readonly status: number | undefined;
  readonly tries: number;
  /** The hint names a cause that is neither the network's nor the server's absence: a changed answer, a clock. */
  readonly isTelling: boolean;
  /** The answer alone, for lists of places tried: `404 (not there)`. */
  readonly answer: string;

  constructor(url: string, failure: DownloadFailure, tries: number, cause?: unknown) {
    const answer = `${answerText(failure)}${proxyText(failure, url)}`;
    const often = tries === 1 ? '' : ` (tried ${tries} times)`;
    super('unreachable', `Cannot download "${shownUrl(url)}": expected the file, found ${answer}${often}`, {
      hint: hintFor(failure),
      cause,
    });
    this.url = url;
    this.status = failure.kind === 'status' ? failure.status : failure.kind === 'altered' ? 200 : undefined;
    this.isTelling =
      failure.kind === 'altered' || failure.kind === 'tls' || (failure.kind === 'status' && failure.status === 511);
    this.tries = tries;
    this.answer = answer;
  }
}

/** A URL as it may be shown: without credentials, query or fragment, which may hold secrets. */
export function shownUrl(url: string | URL): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return printable(shownAddress(String(url)));
  }
  const query = parsed.search === '' ? '' : '?…';
  return printable(`${parsed.protocol}//${parsed.host}${parsed.pathname}${query}`);
}

/** Tells whether the same request may well succeed a little later. */
export function isTransient(failure: DownloadFailure): boolean {
  switch (failure.kind) {
    case 'status':
      return [408, 425, 429, 500, 502, 503, 504].includes(failure.status);
    case 'network':
      return failure.code !== 'ENOTFOUND' && failure.code !== 'PROXY';
    case 'slow':
    case 'truncated':
      return true;
    case 'tls':
    case 'redirect':
    case 'altered':
    case 'changed':
      return false;
  }
}

/** Sorts an error of Node or undici. `waited` says what a time-out was waiting for. */
export function failureOf(error: unknown): DownloadFailure {
  if (error instanceof FailedTry) return error.failure;
  const { code, message, peer } = innermost(error);
  if (isTlsProblem(code, message)) {
    const isAboutTime = /^(?:CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|CRL_HAS_EXPIRED|CRL_NOT_YET_VALID)$/.test(code);
    return { kind: 'tls', text: `${printable(message)} (${code})`, isAboutTime };
  }
  if (/Proxy response/.test(message)) return { kind: 'network', code: 'PROXY', text: printable(message) };
  const text = networkTexts[code] ?? `${printable(message)} (${printable(code)})`;
  return { kind: 'network', code, text, ...(peer === undefined ? {} : { peer }) };
}

const networkTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  ETIMEDOUT: 'no connection in time',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no network',
  ENOTFOUND: 'an unknown host name',
  EAI_AGAIN: 'no answer from the name server',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'silence in the middle of the file',
  UND_ERR_SOCKET: 'connection closed',
};

function isTlsProblem(code: string, message: string): boolean {
  return (
    /CERT|TLS|SSL|^EPROTO$|^SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH/.test(code) || /SSL/.test(message)
  );
}

/** undici and Node's happy-eyeballs wrap the telling error in `cause` and `errors`. */
function innermost(error: unknown): { code: string; message: string; peer: string | undefined } {
  let current = error as NodeJS.ErrnoException & { errors?: unknown; address?: unknown; port?: unknown };
  for (let depth = 0; depth < 5; depth += 1) {
    const inner = current.cause ?? (Array.isArray(current.errors) ? current.errors[0] : undefined);
    if (typeof inner !== 'object' || inner === null) break;
    current = inner as typeof current;
  }
  const { code = 'unknown', message = current, address, port } = current;
  const peer = typeof address === 'string' && typeof port === 'number' ? `${address}:${port}` : undefined;
  return { code: String(code), message: String(message), peer };
}

function answerText(failure: DownloadFailure): string {
  switch (failure.kind) {
    case 'status':
      return `${failure.status}${statusTexts[failure.status] === undefined ? '' : ` (${statusTexts[failure.status]})`}`;
    case 'changed':
      return 'a file that changed while it was downloaded';
    case 'altered':
      return failure.found;
    default:
      return failure.text;
  }
}

/** A connection to another port than the URL's is one to a proxy. */
function proxyText(failure: DownloadFailure, url: string): string {
  if (failure.kind !== 'network' || failure.peer === undefined || !URL.canParse(url)) return '';
  const { port, protocol } = new URL(url);
  const own = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
  return failure.peer.endsWith(`:${own}`) ? '' : ` by the proxy ${failure.peer}`;
}

const statusTexts: Readonly<Record<number, string>> = {
  401: 'authentication wanted',
  403: 'forbidden',
  404: 'not there',
  407: 'the proxy wants authentication',
  410: 'gone',
  429: 'too many requests',
  500: 'the server failed',
  502: 'bad gateway',
  503: 'the server is not available',
  504: 'gateway time-out',
  511: 'the network wants a login',
};

/** For a page or a compressed answer in place of a file. */
export const ALTERED_HINT =
  'nothing between this machine and the server may change answers: log in to the network in a browser, and let a proxy ' +
  'pass files as they are; NO_PROXY names hosts that are asked directly. Where the address is that of a page, name the file';

function hintFor(failure: DownloadFailure): string | undefined {
  switch (failure.kind) {
    case 'network':
      return failure.code === 'PROXY'
        ? 'check HTTPS_PROXY and NO_PROXY'
        : 'check the network; behind a proxy set HTTPS_PROXY (and NO_PROXY); --offline works with what is in the store';
    case 'tls':
      return failure.isAboutTime === true
        ? `${clockHint(Date.now())}; else the server needs a new certificate`
        : 'NODE_EXTRA_CA_CERTS=FILE adds a certificate authority; check the clock';
    case 'slow':
    case 'truncated':
      return 'run again: a download continues where it stopped';
    case 'status':
      if (failure.status === 511) return 'log in to the network in a browser, then run again';
      if (failure.status === 407) return 'put user and password into HTTPS_PROXY';
      return isTransient(failure) ? 'run again later' : undefined;
    case 'altered':
      return ALTERED_HINT;
    case 'redirect':
    case 'changed':
      return undefined;
  }
}
