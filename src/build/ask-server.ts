import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { ServerCheck } from '../model/test-definition.ts';
import { shorten, type TestMismatch } from './judge-test.ts';
import { FIRST_CHANNEL } from './run-sandbox.ts';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 250;
const LARGEST_BODY = 2 ** 20;

/**
 * Asks a server in a sandbox until it listens, then judges its answer: undefined where that is what was expected. The
 * channels are those of `startedCommand`. Nothing is decided about time: whoever ends the sandbox ends this.
 */
export async function askServer(check: ServerCheck, channels: readonly Duplex[]): Promise<TestMismatch | undefined> {
  const orders = openOrders(channels[0]!);
  const { host, port } = placeOf(check);
  let broken = '';
  for (const [index, connection] of channels.slice(1).entries()) {
    const opened = await openConnection(orders, FIRST_CHANNEL + 1 + index, addressesOf(host), port);
    if (opened !== 'open') return unanswered(check, opened, broken);
    if (check.kind === 'tcp') return undefined;
    const answer = await askOnce(check.url, connection);
    if (answer.kind === 'answered') return judgeAnswer(check, answer);
    // A server that is just starting may hang up on whoever comes first.
    broken = answer.reason;
    await delay(LONGEST_PAUSE_MS);
  }
  return unanswered(check, 'open', broken);
}

function placeOf(check: ServerCheck): { host: string; port: number } {
  if (check.kind === 'tcp') return { host: check.host, port: check.port };
  const { hostname, port, protocol } = new URL(check.url);
  const usual = protocol === 'https:' ? 443 : 80;
  return { host: hostname, port: port === '' ? usual : Number(port) };
}

/** Both that the name has, since a server may listen at either; nothing is looked up in what is tried. */
function addressesOf(host: string): readonly string[] {
  return host === 'localhost' ? ['127.0.0.1', '::1'] : [host.replace(/^\[(.*)\]$/, '$1')];
}

/** Repeats an order while nobody listens. Answers `open`, `ended N`, or undefined when the sandbox is gone. */
async function openConnection(
  orders: Orders,
  channel: number,
  addresses: readonly string[],
  port: number,
): Promise<string | undefined> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    for (const address of addresses) {
      const answer = await orders.ask(`${channel} ${address} ${port}`);
      if (answer !== 'refused') return answer;
    }
    await delay(pauseMs);
  }
}

interface Orders {
  ask(order: string): Promise<string | undefined>;
}

/** One line of answer for each line of order. */
function openOrders(channel: Duplex): Orders {
  const lines = readLines(channel);
  return {
    async ask(order) {
      channel.write(`${order}\n`);
      const { value, done } = await lines.next();
      return done === true ? undefined : value;
    },
  };
}

const LONGEST_LINE = 100;

async function* readLines(channel: Duplex): AsyncGenerator<string> {
  channel.on('error', () => undefined);
  let text = '';
  try {
    for await (const chunk of channel) {
      text += (chunk as Buffer).toString('latin1');
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        yield text.slice(0, end);
        text = text.slice(end + 1);
      }
      if (text.length > LONGEST_LINE) return;
    }
  } catch {
    // The sandbox ended in the middle of it.
  }
}

type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  | { readonly kind: 'broken'; readonly reason: string };

/** The response is foreign: Node's parser bounds its head, and the body is cut. */
function askOnce(url: string, connection: Duplex): Promise<Answer> {
  return new Promise((resolve) => {
    const fail = (error: Error) => resolve({ kind: 'broken', reason: error.message });
    let asked: ClientRequest;
    try {
      asked = send(url, connection);
    } catch (error) {
      return fail(error as Error);
    }
    asked.on('error', fail);
    asked.on('response', (response) => {
      readBody(response).then((body) => resolve({ kind: 'answered', status: response.statusCode ?? 0, body }), fail);
    });
    asked.end();
  });
}

function send(url: string, connection: Duplex): ClientRequest {
  const { protocol, hostname, host, pathname, search } = new URL(url);
  const secured = () =>
    connectTls({
      socket: connection,
      rejectUnauthorized: false,
      ...(hostname === 'localhost' ? { servername: hostname } : {}),
    });
  connection.on('error', () => undefined);
  return requestHttp({
    createConnection: () => (protocol === 'https:' ? secured() : connection),
    path: `${pathname}${search}`,
    headers: { host, connection: 'close', 'user-agent': 'buildit' },
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > LARGEST_BODY) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function judgeAnswer(
  check: Extract<ServerCheck, { kind: 'http' }>,
  { status, body }: Extract<Answer, { kind: 'answered' }>,
): TestMismatch | undefined {
  if (status !== check.status)
    return { expected: `status ${check.status} from ${check.url}`, found: `status ${status}` };
  if (check.body === undefined || body.includes(check.body)) return undefined;
  return {
    expected: `"${shorten(check.body)}" in the answer of ${check.url}`,
    found: body === '' ? 'nothing' : `"${shorten(body)}"`,
  };
}

function unanswered(check: ServerCheck, opened: string | undefined, broken: string): TestMismatch {
  const expected = check.kind === 'http' ? `an answer of ${check.url}` : `a server at ${check.host}:${check.port}`;
  const ended = /^ended ([0-9]{1,3})$/.exec(opened ?? '')?.[1];
  if (ended !== undefined) {
    const early = ended === '0' && broken === '' ? ' before it listened, and left nothing that runs' : '';
    return { expected, found: `that the server ended with exit code ${ended}${early}` };
  }
  return { expected, found: broken === '' ? 'that everything ended' : `a broken connection (${broken})` };
}
