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
}

/** A zip archive made field by field, so that every one of them can lie. */
export function rawZip(
  entries: readonly RawZipEntry[],
  { before = Buffer.alloc(0), after = Buffer.alloc(0), count = entries.length } = {},
): Buffer {
  const locals: Buffer[] = [before];
  const central: Buffer[] = [];
  let offset = before.length;
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '');
    const packed = entry.stored === true ? content : deflateRawSync(content);
    const name = Buffer.from(entry.name);
    const localName = Buffer.from(entry.localName ?? name);
    const method = entry.method ?? (entry.stored === true ? 0 : 8);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(localName.length, 26);
    const header = Buffer.alloc(46);
    header.writeUInt32LE(0x02014b50, 0);
    header.writeUInt8(entry.mode === undefined ? 0 : 3, 5);
    header.writeUInt16LE(entry.flags ?? 0, 8);
    header.writeUInt16LE(method, 10);
    header.writeUInt16LE(entry.date ?? 0, 14);
    header.writeUInt32LE(entry.crc ?? crc32(content), 16);
    header.writeUInt32LE(packed.length, 20);
    header.writeUInt32LE(entry.bytes ?? content.length, 24);
    header.writeUInt16LE(name.length, 28);
    header.writeUInt32LE(((entry.mode ?? 0) << 16) >>> 0, 38);
    header.writeUInt32LE(entry.offset ?? offset, 42);
    locals.push(local, localName, packed);
    central.push(header, name);
    offset += 30 + localName.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end, after]);
}
