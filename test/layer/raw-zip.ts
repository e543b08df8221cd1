import { crc32, deflateRawSync } from 'node:zlib';

export interface RawZipEntry {
  readonly name: string | Buffer;
  readonly content?: Buffer | string;
  readonly stored?: boolean;
  /** What the member's own header calls it. */
  readonly localName?: string;
  readonly flags?: number;
  readonly method?: number;
  readonly crc?: number;
  readonly bytes?: number;
  /** Type and permissions, as a Unix system writes them. */
  readonly mode?: number;
  readonly date?: number;
  /** Where the directory says it begins. */
  readonly offset?: number;
  readonly extra?: Buffer;
  readonly localExtra?: Buffer;
  /** Bytes behind the content that belong to it. */
  readonly hidden?: string;
  /** Bytes behind the content that do not. */
  readonly tail?: Buffer;
  /** The content as it is in the archive. */
  readonly packed?: Buffer;
  /** Fields of the member's own header that lie. */
  readonly local?: LocalFields;
}

interface LocalFields {
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  readonly bytes?: number;
  readonly packedBytes?: number;
}

export function extraField(id: number, body: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16LE(id, 0);
  header.writeUInt16LE(body.length, 2);
  return Buffer.concat([header, body]);
}

/** Sizes as zip64 writes them. */
export function zip64Field(...sizes: readonly number[]): Buffer {
  const body = Buffer.alloc(8 * sizes.length);
  for (const [index, size] of sizes.entries()) body.writeBigUInt64LE(BigInt(size), 8 * index);
  return extraField(1, body);
}

/** A zip archive made field by field, so that every one of them can lie. */
export function rawZip(
  entries: readonly RawZipEntry[],
  { before = Buffer.alloc(0), after = Buffer.alloc(0), count = entries.length, comment = '', zip64 = false } = {},
): Buffer {
  const locals: Buffer[] = [before];
  const central: Buffer[] = [];
  let offset = before.length;
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '');
    const plain = entry.packed ?? (entry.stored === true ? content : deflateRawSync(content));
    const packed = Buffer.concat([plain, Buffer.from(entry.hidden ?? '')]);
    const name = Buffer.from(entry.name);
    const localName = Buffer.from(entry.localName ?? name);
    const extra = entry.extra ?? Buffer.alloc(0);
    const localExtra = entry.localExtra ?? extra;
    const tail = entry.tail ?? Buffer.alloc(0);
    const common = (fields: LocalFields = {}) => {
      const block = Buffer.alloc(22);
      block.writeUInt16LE(fields.flags ?? entry.flags ?? 0, 0);
      block.writeUInt16LE(fields.method ?? entry.method ?? (entry.stored === true ? 0 : 8), 2);
      block.writeUInt16LE(entry.date ?? 0, 6);
      block.writeUInt32LE(fields.crc ?? entry.crc ?? crc32(content), 8);
      block.writeUInt32LE(fields.packedBytes ?? packed.length, 12);
      block.writeUInt32LE(fields.bytes ?? entry.bytes ?? content.length, 16);
      block.writeUInt16LE(name.length, 20);
      return block;
    };
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    common(entry.local).copy(local, 6);
    local.writeUInt16LE(localName.length, 26);
    local.writeUInt16LE(localExtra.length, 28);
    const header = Buffer.alloc(46);
    header.writeUInt32LE(0x02014b50, 0);
    header.writeUInt8(entry.mode === undefined ? 0 : 3, 5);
    common().copy(header, 8);
    header.writeUInt16LE(extra.length, 30);
    header.writeUInt32LE(((entry.mode ?? 0) << 16) >>> 0, 38);
    header.writeUInt32LE(entry.offset ?? offset, 42);
    locals.push(local, localName, localExtra, packed, tail);
    central.push(header, name, extra);
    offset += 30 + localName.length + localExtra.length + packed.length + tail.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : count, 8);
  end.writeUInt16LE(zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : directory.length, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : offset, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  const large = zip64 ? zip64End(count, directory.length, offset) : Buffer.alloc(0);
  return Buffer.concat([...locals, directory, large, end, Buffer.from(comment), after]);
}

function zip64End(count: number, size: number, start: number): Buffer {
  const record = Buffer.alloc(56 + 20);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(start), 48);
  record.writeUInt32LE(0x07064b50, 56);
  record.writeBigUInt64LE(BigInt(start + size), 64);
  record.writeUInt32LE(1, 72);
  return record;
}

/** A data descriptor, with its signature. */
export function dataDescriptor(content: string, packedBytes: number, isLarge = false): Buffer {
  const block = Buffer.alloc(isLarge ? 24 : 16);
  block.writeUInt32LE(0x08074b50, 0);
  block.writeUInt32LE(crc32(content), 4);
  block.writeUInt32LE(packedBytes, 8);
  block.writeUInt32LE(Buffer.byteLength(content), isLarge ? 16 : 12);
  return block;
}
