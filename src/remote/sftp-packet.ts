import type { RemoteStat } from './remote-place.ts';

/** Message types and flags of SFTP version 3: draft-ietf-secsh-filexfer-02. */
export const MESSAGE = {
  INIT: 1,
  VERSION: 2,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  LSTAT: 7,
  FSTAT: 8,
  SETSTAT: 9,
  OPENDIR: 11,
  READDIR: 12,
  REMOVE: 13,
  MKDIR: 14,
  STAT: 17,
  RENAME: 18,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
  EXTENDED: 200,
  EXTENDED_REPLY: 201,
} as const;

export const STATUS = {
  OK: 0,
  EOF: 1,
  NO_SUCH_FILE: 2,
  PERMISSION_DENIED: 3,
  FAILURE: 4,
  NO_CONNECTION: 6,
  CONNECTION_LOST: 7,
  OP_UNSUPPORTED: 8,
} as const;

export const OPEN_FLAG = { READ: 1, WRITE: 2, CREATE: 8, EXCLUSIVE: 32 } as const;

const ATTRIBUTE = { SIZE: 1, OWNER: 2, PERMISSIONS: 4, TIMES: 8, EXTENDED: 0x80000000 } as const;

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function uint64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** A string of the protocol: its length, then its bytes. */
export function text(value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([uint32(bytes.length), bytes]);
}

export const noAttributes = uint32(0);

export function modeAttributes(mode: number): Buffer {
  return Buffer.concat([uint32(ATTRIBUTE.PERMISSIONS), uint32(mode)]);
}

export function timeAttributes(seconds: number): Buffer {
  return Buffer.concat([uint32(ATTRIBUTE.TIMES), uint32(seconds), uint32(seconds)]);
}

/** Reads the fields of one message in order; throws `RangeError` where it is shorter than it claims. */
export interface FieldReader {
  uint32(): number;
  /** A file size; larger ones than JavaScript counts exactly are refused. */
  uint64(): number;
  bytes(): Buffer;
  attributes(): RemoteStat;
  readonly done: boolean;
}

export function fieldReader(message: Buffer): FieldReader {
  let position = 0;
  const reader: FieldReader = {
    uint32: () => {
      position += 4;
      return message.readUInt32BE(position - 4);
    },
    uint64: () => {
      position += 8;
      const value = message.readBigUInt64BE(position - 8);
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('a number that is too large');
      return Number(value);
    },
    bytes: () => {
      const length = reader.uint32();
      if (length > message.length - position) throw new RangeError('a string that is longer than its message');
      position += length;
      return message.subarray(position - length, position);
    },
    attributes: () => readAttributes(reader),
    get done() {
      return position >= message.length;
    },
  };
  return reader;
}

function readAttributes(reader: FieldReader): RemoteStat {
  const flags = reader.uint32();
  const size = flags & ATTRIBUTE.SIZE ? reader.uint64() : 0;
  if (flags & ATTRIBUTE.OWNER) {
    reader.uint32();
    reader.uint32();
  }
  const mode = flags & ATTRIBUTE.PERMISSIONS ? reader.uint32() : 0;
  let mtime = 0;
  if (flags & ATTRIBUTE.TIMES) {
    reader.uint32();
    mtime = reader.uint32();
  }
  if (flags & ATTRIBUTE.EXTENDED) {
    for (let left = reader.uint32(); left > 0; left -= 1) {
      reader.bytes();
      reader.bytes();
    }
  }
  return { kind: kindOf(mode), size, mtime };
}

function kindOf(mode: number): RemoteStat['kind'] {
  const type = mode & 0o170000;
  return type === 0o100000 ? 'file' : type === 0o040000 ? 'directory' : 'other';
}
