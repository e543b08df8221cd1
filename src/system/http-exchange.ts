import type { Dispatcher } from 'undici';
import { closedAtEnd } from './at-end.ts';
import { FailedTry, shownUrl } from './http-failure.ts';

export interface ExchangeOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly allowHttp: boolean;
  readonly connectTimeoutMs: number;
  /** Until the headers are there, and between two pieces of the body. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** See `DownloadOptions`. */
  readonly ca?: string | undefined;
}

export interface ExchangeAnswer {
  readonly status: number;
  /** Names in lower case; a header that came several times is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly finalUrl: string;
  readonly body: AsyncIterable<Uint8Array> & { dump(): Promise<void>; destroy(): unknown };
}

export const MAXIMUM_REDIRECTS = 5;

/**
 * One GET with the redirects that follow from it: at most 5, from https never to http (unless http is allowed at all),
 * never to anything else. Credentials stay with the origin they were meant for.
 */
export async function exchange(url: string, options: ExchangeOptions): Promise<ExchangeAnswer> {
  const first = checkedUrl(url, options.allowHttp);
  let current = first;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await getOnce(current, current.origin === first.origin ? credentialsOf(first) : undefined, {
      ...options,
      headers: current.origin === first.origin ? options.headers : withoutCredentials(options.headers),
    });
    const location = answer.headers.location;
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
    await answer.body.dump();
    if (redirects === MAXIMUM_REDIRECTS) throw redirectFailure(`more than ${MAXIMUM_REDIRECTS} redirects`);
    current = redirectTarget(location, current, options.allowHttp);
  }
}

/** Throws unless the URL is https, or http where that is allowed. */
function checkedUrl(text: string, allowHttp: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || (allowHttp && url?.protocol === 'http:')) return url;
  throw redirectFailure(url === undefined ? 'no URL' : `an address that is not https (${url.protocol})`);
}

function redirectTarget(location: string, from: URL, allowHttp: boolean): URL {
  if (!URL.canParse(location, from.href)) throw redirectFailure('a redirect to no URL');
  const target = new URL(location, from);
  const allowed = target.protocol === 'https:' || (target.protocol === 'http:' && allowHttp);
  if (!allowed || (from.protocol === 'https:' && target.protocol === 'http:' && !allowHttp)) {
    throw redirectFailure(`a redirect to ${shownUrl(target)}, which is not https`);
  }
  return target;
}

function redirectFailure(text: string): FailedTry {
  return new FailedTry({ kind: 'redirect', text });
}

function credentialsOf(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  const text = `${decoded(url.username)}:${decoded(url.password)}`;
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

/** A `%` that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/^(authorization|cookie|proxy-authorization)$/i.test(name)),
  );
}

async function getOnce(url: URL, authorization: string | undefined, options: ExchangeOptions): Promise<ExchangeAnswer> {
  const { request } = await import('undici');
  const { statusCode, headers, body } = await request(`${url.origin}${url.pathname}${url.search}`, {
    dispatcher: await dispatcherFor(options.connectTimeoutMs, options.ca),
    headers: {
      'user-agent': 'buildit',
      accept: '*/*',
      'accept-encoding': 'identity',
      ...(authorization === undefined ? {} : { authorization }),
      ...options.headers,
    },
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
    signal: options.signal ?? null,
  });
  // A body that nobody reads (any more) must not end the program when it breaks; who reads it still gets the error.
  body.on('error', () => {});
  return {
    status: statusCode,
    headers: joinedHeaders(headers),
    finalUrl: url.href,
    body: body as unknown as ExchangeAnswer['body'],
  };
}

function joinedHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value!]),
  );
}

const dispatchers = new Map<string, Dispatcher>();

/** One pool of connections for each set of proxies and authorities; undici lets go of idle connections so that Node can end. */
async function dispatcherFor(connectTimeoutMs: number, ca: string | undefined): Promise<Dispatcher> {
  const { EnvHttpProxyAgent } = await import('undici');
  const { env } = process;
  const key = JSON.stringify([
    connectTimeoutMs,
    ca ?? null,
    ...['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'].map(
      (name) => env[name] ?? '',
    ),
  ]);
  const known = dispatchers.get(key);
  if (known !== undefined) return known;
  const made = new EnvHttpProxyAgent({
    connectTimeout: connectTimeoutMs,
    connect: { timeout: connectTimeoutMs, ...(ca === undefined ? {} : { ca }) },
    ...(ca === undefined ? {} : { requestTls: { ca } }),
    // Plain http is asked of the proxy itself: many proxies tunnel to port 443 only.
    proxyTunnel: false,
    keepAliveTimeout: 4000,
  });
  dispatchers.set(key, made);
  closedAtEnd(async () => {
    dispatchers.delete(key);
    await made.destroy();
  });
  return made;
}
