import type { Duplex } from 'node:stream';
import { printable } from '../model/names.ts';
import { PlaceFault, type PlaceFaultKind } from './place-files.ts';
import { type FieldReader, fieldReader, MESSAGE, STATUS, text, uint32 } from './sftp-packet.ts';

/** Longer messages than any server sends are refused; OpenSSH's limit is 256 KiB. */
const LONGEST_MESSAGE = 1 << 20;
/** What a server takes that does not tell its limits. */
const COMMON_LIMITS: SftpLimits = { readBytes: 32_768, writeBytes: 32_768 };
const LARGEST_PIECE = 256 << 10;

export interface SftpLimits {
  readonly readBytes: number;
  readonly writeBytes: number;
}

export interface SftpAnswer {
  readonly type: number;
  readonly fields: FieldReader;
}

/** An SFTP session: requests may be sent without waiting for earlier answers. */
export interface SftpClient {
  readonly limits: SftpLimits;
  /** Tells whether the server offers an extension, such as `fsync@openssh.com`. */
  offers(extension: string): boolean;
  /**
   * Sends one request. Fails with a `PlaceFault` where the answer is a status other than OK; `EOF` is an answer of type
   * STATUS.
   */
  request(type: number, ...fields: readonly Uint8Array[]): Promise<SftpAnswer>;
  /** Requests without an answer yet. */
  readonly pending: number;
  readonly isLost: boolean;
  /** Ends the session; what is pending fails with `lost`. */
  end(): void;
}

/**
 * Begins an SFTP session (version 3) over a stream of bytes. `idleMs` without a whole answer, while one is awaited, is
 * the end of it: a server that sends a byte now and then is none.
 */
export async function startSftp(stream: Duplex, { idleMs }: { readonly idleMs: number }): Promise<SftpClient> {
  const pending = new Map<number, { resolve(answer: SftpAnswer): void; reject(error: Error): void }>();
  let lost: PlaceFault | undefined;
  let nextId = 0;
  let lastAnswer = performance.now();

  const lose = (why: string, cause?: unknown) => {
    if (lost !== undefined) return;
    lost = new PlaceFault('lost', why, cause);
    clearInterval(watch);
    for (const { reject } of pending.values()) reject(lost);
    pending.clear();
    stream.destroy();
  };
  const watch = setInterval(
    () => {
      if (pending.size === 0) lastAnswer = performance.now();
      else if (performance.now() - lastAnswer > idleMs) lose(`no answer in ${Math.round(idleMs / 1000)} seconds`);
    },
    Math.max(10, Math.min(1000, idleMs / 4)),
  );
  watch.unref();

  const send = (id: number, message: Buffer) =>
    new Promise<SftpAnswer>((resolve, reject) => {
      if (lost !== undefined) return reject(lost);
      if (pending.size === 0) lastAnswer = performance.now();
      pending.set(id, { resolve, reject });
      stream.write(message);
    });

  readMessages(stream, lose, (message) => {
    lastAnswer = performance.now();
    const type = message[0]!;
    const fields = fieldReader(message.subarray(1));
    // The first answer carries no number of a request but the version.
    const id = type === MESSAGE.VERSION ? -1 : fields.uint32();
    const waiting = pending.get(id);
    if (waiting === undefined) return lose('an answer to no question');
    pending.delete(id);
    const fault = type === MESSAGE.STATUS ? faultOf(message) : undefined;
    if (fault === undefined) waiting.resolve({ type, fields });
    else waiting.reject(fault);
  });

  const extensions = readVersion(await send(-1, frame([Buffer.from([MESSAGE.INIT]), uint32(3)])));
  const request: SftpClient['request'] = (type, ...fields) => {
    nextId = (nextId + 1) >>> 0;
    return send(nextId, frame([Buffer.from([type]), uint32(nextId), ...fields]));
  };
  const offers = (extension: string) => extensions.has(extension);
  // The first requests need not wait for it.
  let limits = COMMON_LIMITS;
  if (offers('limits@openssh.com')) {
    askLimits(request).then(
      (told) => {
        limits = told;
      },
      () => {},
    );
  }
  return {
    get limits() {
      return limits;
    },
    offers,
    request,
    get pending() {
      return pending.size;
    },
    get isLost() {
      return lost !== undefined;
    },
    end: () => lose('the end of the session'),
  };
}

function frame(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([uint32(parts.reduce((sum, part) => sum + part.length, 0)), ...parts]);
}

/** Calls `onMessage` with each message, without its length. */
function readMessages(stream: Duplex, lose: (why: string, cause?: unknown) => void, onMessage: (it: Buffer) => void) {
  let chunks: Buffer[] = [];
  let length = 0;
  let wanted = 4;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length < wanted) return;
    let bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
    try {
      for (;;) {
        wanted = bytes.length < 4 ? 4 : 4 + bytes.readUInt32BE();
        if (wanted > LONGEST_MESSAGE || (wanted === 4 && bytes.length >= 4)) throw new RangeError('no SFTP message');
        if (bytes.length < wanted) break;
        onMessage(bytes.subarray(4, wanted));
        bytes = bytes.subarray(wanted);
      }
    } catch (error) {
      lose('an answer that is not SFTP', error);
    }
    chunks = [bytes];
    length = bytes.length;
  });
  stream.on('error', (error) => lose(`a broken connection (${printable(error.message)})`, error));
  for (const event of ['end', 'close']) stream.on(event, () => lose('a connection closed by the other side'));
}

function readVersion({ type, fields }: SftpAnswer): ReadonlySet<string> {
  const version = type === MESSAGE.VERSION ? fields.uint32() : 0;
  if (version < 3) throw new PlaceFault('other', 'a server that does not speak SFTP version 3');
  const extensions = new Set<string>();
  while (!fields.done) {
    extensions.add(fields.bytes().toString());
    fields.bytes();
  }
  return extensions;
}

/** PROTOCOL of OpenSSH, section 4.8. Zero stands for no limit told. */
async function askLimits(request: SftpClient['request']): Promise<SftpLimits> {
  const { fields } = await request(MESSAGE.EXTENDED, text('limits@openssh.com'));
  fields.uint64();
  const [read, write] = [fields.uint64(), fields.uint64()];
  const bounded = (told: number, common: number) => (told === 0 ? common : Math.min(told, LARGEST_PIECE));
  return {
    readBytes: bounded(read, COMMON_LIMITS.readBytes),
    writeBytes: bounded(write, COMMON_LIMITS.writeBytes),
  };
}

function faultOf(message: Buffer): PlaceFault | undefined {
  const fields = fieldReader(message.subarray(5));
  const code = fields.uint32();
  if (code === STATUS.OK || code === STATUS.EOF) return undefined;
  const said = fields.done ? '' : printable(fields.bytes().toString().slice(0, 200));
  const [kind, meaning] = faults[code] ?? ['other', `status ${code}`];
  return new PlaceFault(kind, said === '' || kind === 'missing' || kind === 'lost' ? meaning : `"${said}"`);
}

const faults: Readonly<Record<number, readonly [PlaceFaultKind, string]>> = {
  [STATUS.NO_SUCH_FILE]: ['missing', 'nothing there'],
  [STATUS.PERMISSION_DENIED]: ['denied', 'permission denied'],
  [STATUS.NO_CONNECTION]: ['lost', 'no connection'],
  [STATUS.CONNECTION_LOST]: ['lost', 'a lost connection'],
  [STATUS.OP_UNSUPPORTED]: ['unsupported', 'a server without support for that'],
};
