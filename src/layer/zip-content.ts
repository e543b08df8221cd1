import { Readable } from 'node:stream';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import type { ArchiveBytes } from './archive-bytes.ts';
import { shownName } from './byte-names.ts';
import { TarHeaderFault } from './tar-header.ts';
import type { ZipEntry } from './zip-directory.ts';
import { readExtraFields } from './zip-extra.ts';

const LOCAL = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const LOCAL_BYTES = 30;
const HAS_DESCRIPTOR = 0x8;
const STORED = 0;
const DEFLATED = 8;
const CHUNK_BYTES = 256 * 1024;
/** Contents up to this size are handed out whole. */
const WHOLE_BYTES = 64 * 1024;

/** APPNOTE 4.4.5 */
const METHODS: Readonly<Record<number, string>> = {
  1: 'Shrink',
  6: 'Implode',
  9: 'Deflate64',
  12: 'bzip2',
  14: 'LZMA',
  93: 'Zstandard',
  95: 'XZ',
  98: 'PPMd',
  99: 'AES',
};

/** Where a member lies in its archive, from its own header to the end of its data descriptor. */
export interface ZipSpan {
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
}

/** Finds a member's bytes; its own header must say what the directory says. @throws TarHeaderFault */
export function zipSpan(archive: ArchiveBytes, entry: ZipEntry, limit: number): ZipSpan {
  const { localOffset: start, name, packedBytes } = entry;
  if (start + LOCAL_BYTES > limit) throw new TarHeaderFault('a header', 'the end');
  const header = archive.read(start, LOCAL_BYTES);
  if (header.readUInt32LE(0) !== LOCAL) throw new TarHeaderFault('a header', 'other bytes');
  const [nameBytes, extraBytes] = [header.readUInt16LE(26), header.readUInt16LE(28)];
  const contentStart = start + LOCAL_BYTES + nameBytes + extraBytes;
  const contentEnd = contentStart + packedBytes;
  if (contentEnd > limit) throw new TarHeaderFault('members before their directory', 'one that reaches into it');
  const rest = archive.read(start + LOCAL_BYTES, nameBytes + extraBytes);
  const localName = rest.subarray(0, nameBytes);
  if (!localName.equals(name)) throw new TarHeaderFault('one name', `also "${shownName(localName)}"`);
  const isWhole = requireSameHeader(header, rest.subarray(nameBytes), entry);
  const tail = (entry.flags & HAS_DESCRIPTOR) === 0 ? 0 : descriptorBytes(archive, entry, contentEnd, limit);
  if (tail === 0 && !isWhole) throw new TarHeaderFault('a data descriptor behind the content', 'other bytes');
  return { start, contentStart, end: contentEnd + tail };
}

/** Answers whether the header says the sizes itself; with a data descriptor it need not. */
function requireSameHeader(header: Buffer, extra: Buffer, entry: ZipEntry): boolean {
  const written = { bytes: header.readUInt32LE(22), packedBytes: header.readUInt32LE(18) };
  const { bytes, packedBytes } = readExtraFields(extra, entry.name, written);
  const [flags, method, crc] = [header.readUInt16LE(6), header.readUInt16LE(8), header.readUInt32LE(14)];
  const isSame = bytes === entry.bytes && packedBytes === entry.packedBytes && crc === entry.crc;
  const isLeftOpen = (flags & HAS_DESCRIPTOR) !== 0 && bytes === 0 && packedBytes === 0 && crc === 0;
  if (flags !== entry.flags || method !== entry.method || (!isSame && !isLeftOpen)) {
    throw new TarHeaderFault('a header that says what the directory says', 'another one');
  }
  return isSame;
}

/** With or without a signature, with sizes of 4 or 8 bytes (APPNOTE 4.3.9); 0 where there is none. */
function descriptorBytes(archive: ArchiveBytes, entry: ZipEntry, at: number, limit: number): number {
  const found = archive.read(at, Math.min(24, limit - at));
  const crc = uint32(entry.crc);
  const small = [uint32(entry.packedBytes), uint32(entry.bytes)];
  const large = [uint64(entry.packedBytes), uint64(entry.bytes)];
  const signature = uint32(DESCRIPTOR);
  for (const parts of [
    [signature, crc, ...large],
    [signature, crc, ...small],
    [crc, ...large],
    [crc, ...small],
  ]) {
    const expected = Buffer.concat(parts);
    if (found.subarray(0, expected.length).equals(expected)) return expected.length;
  }
  return 0;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value % 2 ** 32);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** A content that is small enough to be read at once; undefined for others. @throws TarHeaderFault */
export function wholeZipContent(archive: ArchiveBytes, entry: ZipEntry, contentStart: number): Buffer | undefined {
  requireKnownMethod(entry);
  const { bytes, packedBytes, method } = entry;
  if (bytes > WHOLE_BYTES || packedBytes > 2 * WHOLE_BYTES) return undefined;
  const packed = archive.read(contentStart, packedBytes);
  const content = method === STORED ? packed : inflatedAtOnce(packed, bytes);
  requireContent(entry, content.length, crc32(content));
  return content;
}

function inflatedAtOnce(packed: Buffer, bytes: number): Buffer {
  // `info` answers the codec, too, which knows how much of its input it used (Node's documentation of zlib).
  const options = { maxOutputLength: Math.max(1, bytes), info: true };
  const { buffer, engine } = inflating(
    bytes,
    () => inflateRawSync(packed, options) as unknown as { buffer: Buffer; engine: { bytesWritten: number } },
  );
  requireUsedUp(engine.bytesWritten, packed.length);
  return buffer;
}

function inflating<Result>(bytes: number, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw damaged(bytes, error);
  }
}

function damaged(bytes: number, error: unknown): TarHeaderFault {
  const { code } = error as NodeJS.ErrnoException;
  const found = code === 'ERR_BUFFER_TOO_LARGE' ? 'more' : 'damaged data';
  return new TarHeaderFault(`${bytes} deflated bytes`, found);
}

/** A content as a stream. @throws TarHeaderFault */
export async function* zipContent(
  archive: ArchiveBytes,
  entry: ZipEntry,
  contentStart: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  requireKnownMethod(entry);
  let length = 0;
  let crc = 0;
  const packed = packedChunks(archive, contentStart, entry.packedBytes);
  for await (const chunk of entry.method === STORED ? packed : inflated(packed, entry)) {
    length += chunk.length;
    if (length > entry.bytes) throw new TarHeaderFault(`${entry.bytes} bytes`, 'more');
    crc = crc32(chunk, crc);
    yield chunk;
  }
  requireContent(entry, length, crc);
}

function* packedChunks(archive: ArchiveBytes, start: number, length: number): Generator<Buffer> {
  for (let at = 0; at < length; at += CHUNK_BYTES) yield archive.read(start + at, Math.min(CHUNK_BYTES, length - at));
}

async function* inflated(
  packed: Generator<Buffer>,
  { bytes, packedBytes }: ZipEntry,
): AsyncGenerator<Uint8Array, void, undefined> {
  const inflate = createInflateRaw({ chunkSize: CHUNK_BYTES });
  const source = Readable.from(packed, { objectMode: false });
  source.on('error', (error) => inflate.destroy(error));
  inflate.on('close', () => source.destroy());
  try {
    yield* source.pipe(inflate) as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (error instanceof TarHeaderFault || !isOfZlib(error)) throw error;
    throw damaged(bytes, error);
  }
  requireUsedUp(inflate.bytesWritten, packedBytes);
}

function isOfZlib(error: unknown): boolean {
  return String((error as NodeJS.ErrnoException).code).startsWith('Z_');
}

function requireKnownMethod({ method, bytes, packedBytes }: ZipEntry): void {
  if (method !== STORED && method !== DEFLATED) {
    const name = METHODS[method];
    throw new TarHeaderFault(
      'a stored or deflated member',
      name === undefined ? `compression method ${method}` : `one compressed by ${name} (method ${method})`,
    );
  }
  if (method === STORED && bytes !== packedBytes) throw new TarHeaderFault(`${bytes} stored bytes`, `${packedBytes}`);
}

function requireUsedUp(used: number, packedBytes: number): void {
  if (used === packedBytes) return;
  throw new TarHeaderFault(`a content of ${packedBytes} bytes`, `${packedBytes - used} hidden bytes behind its end`);
}

function requireContent({ bytes, crc }: ZipEntry, foundBytes: number, foundCrc: number): void {
  if (foundBytes !== bytes) throw new TarHeaderFault(`${bytes} bytes`, `${foundBytes}`);
  if (foundCrc !== crc) throw new TarHeaderFault('content with its CRC', 'other content');
}
