import { connect, type Socket } from 'node:net';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { NamedKey } from './public-key-text.ts';
import { WireFault, WireReader } from './wire-reader.ts';
import { wireString, wireUint32 } from './wire-writer.ts';

/** Message numbers and flags of the agent protocol (draft-ietf-sshm-ssh-agent). */
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
const RSA_SHA2_512 = 4;

const MAXIMUM_ANSWER_BYTES = 256 * 1024;
const MAXIMUM_KEYS = 2048;
const MAXIMUM_KEY_BYTES = 16_384;

/** An ssh-agent: it keeps private keys and signs with them, and never gives them away. */
export interface Agent {
  /** The keys it holds now. */
  keys(): Promise<readonly NamedKey[]>;
  /** A signature in its SSH form; RSA keys are asked for rsa-sha2-512. */
  sign(key: NamedKey['publicKey'], bytes: Uint8Array): Promise<Buffer>;
}

/**
 * The agent behind a socket. Each question is a connection of its own, one at a time, so that many signatures at once do
 * not exceed what the agent lets wait. Fails with `authentication-failed`, also when no answer comes within `timeoutMs`.
 */
export function openAgent(socketPath: string, { timeoutMs }: { readonly timeoutMs: number }): Agent {
  let last: Promise<unknown> = Promise.resolve();
  const ask = (request: Buffer): Promise<Buffer> => {
    const answer = last.then(() => exchange(socketPath, request, timeoutMs));
    last = answer.catch(() => undefined);
    return answer;
  };
  return {
    keys: async () => understood(socketPath, await ask(Buffer.of(REQUEST_IDENTITIES)), readIdentities),
    async sign({ type, blob }, bytes) {
      const flags = wireUint32(type === 'ssh-rsa' ? RSA_SHA2_512 : 0);
      const request = Buffer.concat([Buffer.of(SIGN_REQUEST), wireString(blob), wireString(bytes), flags]);
      return understood(socketPath, await ask(request), readSignature);
    },
  };
}

function readIdentities(reader: WireReader): NamedKey[] {
  expectNumber(reader, IDENTITIES_ANSWER, 'its keys');
  const count = reader.uint32('the number of keys');
  if (count > MAXIMUM_KEYS) throw new WireFault(`expected at most ${MAXIMUM_KEYS} keys, found ${count}`);
  return Array.from({ length: count }, () => {
    const blob = reader.string('a key', MAXIMUM_KEY_BYTES);
    const comment = reader.string('a comment', MAXIMUM_KEY_BYTES).toString('utf8');
    return { publicKey: { type: new WireReader(blob).text('the type of a key', 255), blob }, comment };
  });
}

function readSignature(reader: WireReader): Buffer {
  expectNumber(reader, SIGN_RESPONSE, 'a signature');
  return reader.string('the signature', MAXIMUM_KEY_BYTES);
}

function expectNumber(reader: WireReader, expected: number, what: string): void {
  const number = reader.byte('the answer');
  if (number !== expected) throw new WireFault(`expected ${what}, found a refusal`);
}

function understood<Value>(socketPath: string, answer: Buffer, read: (reader: WireReader) => Value): Value {
  try {
    const reader = new WireReader(answer);
    const value = read(reader);
    reader.end('the answer');
    return value;
  } catch (error) {
    if (error instanceof WireFault) throw agentFailure(socketPath, error.message, error);
    throw error;
  }
}

/** Sends one message and gives the one that answers it, both without their length. */
function exchange(socketPath: string, request: Buffer, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(socketPath);
    const fail = (clause: string, cause?: unknown) => settle(() => reject(agentFailure(socketPath, clause, cause)));
    const timer = setTimeout(() => fail(`expected an answer within ${timeoutMs / 1000} s, found none`), timeoutMs);
    let received = Buffer.alloc(0);
    const settle = (settled: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      settled();
    };
    socket.on('error', (cause) =>
      fail(`expected an agent that listens there, found ${printable(cause.message)}`, cause),
    );
    socket.on('close', () => fail('expected an answer, found the end of the connection'));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const length = received.length < 4 ? undefined : received.readUInt32BE();
      if (length !== undefined && length > MAXIMUM_ANSWER_BYTES)
        fail(`expected an answer of at most ${MAXIMUM_ANSWER_BYTES} bytes, found ${length}`);
      else if (length !== undefined && received.length >= 4 + length)
        settle(() => resolve(received.subarray(4, 4 + length)));
    });
    socket.write(wireString(request));
  });
}

function agentFailure(socketPath: string, clause: string, cause?: unknown): BuilditError {
  return new BuilditError('authentication-failed', `Cannot ask the agent "${printable(socketPath)}": ${clause}`, {
    hint: 'see what it holds with ssh-add -l; SSH_AUTH_SOCK names its socket',
    cause,
  });
}
