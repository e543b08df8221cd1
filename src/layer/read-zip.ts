import { crc32, inflateRawSync } from 'node:zlib';
import { isCleanRelativePath } from '../model/names.ts';
import { archiveRefusal } from './archive-refusal.ts';
import { DEFAULT_TAR_LIMITS, type TarLimits } from './tar-limits.ts';
import { directoryMember, fileMember, type TarMember } from './tar-member.ts';

/** The first bytes of a zip archive that holds something. */
export const ZIP_MAGIC = Buffer.from('PK\x03\x04', 'latin1');

/** Larger archives are refused: they are read from memory. Registries of Go modules allow 500 MB. */
export const MAXIMUM_ZIP_BYTES = 512 * 1024 * 1024;

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const ENCRYPTED = 0x1;
const UNIX = 3;
const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;

interface ZipEntry {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly mode: number;
  readonly mtime: number;
  readonly localOffset: number;
}

/**
 * The members of a zip archive (PKWARE's APPNOTE 6.3), in the order of its directory, each content checked against its
 * size and CRC. Refused with `archive-refused`: anything but stored and deflated files and directories, encryption,
 * zip64 and several disks, links and devices, names that are not clean relative paths in UTF-8, members that overlap or
 * that their own headers call otherwise, bytes before the first or behind the end.
 */
export function* readZip(
  archive: Buffer,
  { what = 'archive', limits = DEFAULT_TAR_LIMITS }: { readonly what?: string; readonly limits?: TarLimits } = {},
): Generator<TarMember, void, undefined> {
  const { entries, directoryStart } = readDirectory(archive, what, limits);
  const taken: { readonly start: number; readonly end: number }[] = [];
  for (const entry of entries) {
    const start = contentStart(archive, entry, what);
    const end = start + entry.packedBytes;
    if (end > directoryStart) throw archiveRefusal(what, 'members before their directory', entry.path);
    taken.push({ start: entry.localOffset, end });
  }
  taken.sort((a, b) => a.start - b.start);
  if (taken.length > 0 && taken[0]!.start !== 0) throw archiveRefusal(what, 'a member at its beginning', 'other bytes');
  if (taken.some(({ start }, index) => index > 0 && start < taken[index - 1]!.end)) {
    throw archiveRefusal(what, 'members that lie apart', 'two that overlap');
  }
  for (const entry of entries) {
    const { path, mode, mtime } = entry;
    if (entry.isDirectory) yield directoryMember(path, { mode, mtime });
    else yield fileMember(path, contentOf(archive, entry, what), { mode, mtime });
  }
}

function readDirectory(archive: Buffer, what: string, { maxEntries, maxBytes, maxDepth, maxNameBytes }: TarLimits) {
  const end = findEnd(archive, what);
  const count = archive.readUInt16LE(end + 10);
  const size = archive.readUInt32LE(end + 12);
  const directoryStart = archive.readUInt32LE(end + 16);
  if (archive.readUInt32LE(end + 4) !== 0 || archive.readUInt16LE(end + 8) !== count || count === 0xffff) {
    throw archiveRefusal(what, 'one disk and fewer than 65535 members', 'another zip archive');
  }
  if (directoryStart + size !== end) throw archiveRefusal(what, 'a directory at its end', 'other bytes');
  const entries: ZipEntry[] = [];
  const seen = new Set<string>();
  let offset = directoryStart;
  let total = 0;
  for (let index = 0; index < count; index += 1) {
    const { entry, next } = readEntry(archive, offset, end, what);
    total += entry.bytes;
    const depth = entry.path.split('/').length;
    if (index >= maxEntries || total > maxBytes || depth > maxDepth || Buffer.byteLength(entry.path) > maxNameBytes) {
      throw archiveRefusal(what, 'an archive of bearable size', 'a larger one');
    }
    if (seen.has(entry.path)) throw archiveRefusal(what, 'each member once', `"${entry.path}" again`);
    seen.add(entry.path);
    entries.push(entry);
    offset = next;
  }
  if (offset !== end) throw archiveRefusal(what, `${count} members in its directory`, 'more bytes');
  return { entries, directoryStart };
}

/** The record at the end; its comment, if any, reaches exactly to the last byte. */
function findEnd(archive: Buffer, what: string): number {
  for (let at = archive.length - END_BYTES; at >= 0 && at >= archive.length - END_BYTES - 0xffff; at -= 1) {
    if (archive.readUInt32LE(at) === END && at + END_BYTES + archive.readUInt16LE(at + 20) === archive.length)
      return at;
  }
  throw archiveRefusal(what, 'a zip archive', 'none, or a truncated one');
}

function readEntry(archive: Buffer, offset: number, limit: number, what: string): { entry: ZipEntry; next: number } {
  if (offset + CENTRAL_BYTES > limit || archive.readUInt32LE(offset) !== CENTRAL) {
    throw archiveRefusal(what, 'a directory of members', 'other bytes');
  }
  const nameBytes = archive.readUInt16LE(offset + 28);
  const next =
    offset + CENTRAL_BYTES + nameBytes + archive.readUInt16LE(offset + 30) + archive.readUInt16LE(offset + 32);
  if (next > limit) throw archiveRefusal(what, 'a whole directory', 'a truncated one');
  const nameStart = offset + CENTRAL_BYTES;
  const written = readName(archive.subarray(nameStart, nameStart + nameBytes), what);
  const isDirectory = written.endsWith('/');
  const path = isDirectory ? written.slice(0, -1) : written;
  if (!isCleanRelativePath(path)) throw archiveRefusal(what, 'a clean relative path', written);
  const [packedBytes, bytes] = [archive.readUInt32LE(offset + 20), archive.readUInt32LE(offset + 24)];
  const localOffset = archive.readUInt32LE(offset + 42);
  if ([packedBytes, bytes, localOffset].includes(0xffffffff))
    throw archiveRefusal(what, 'a zip archive', 'a zip64 one');
  const flags = archive.readUInt16LE(offset + 8);
  if ((flags & ENCRYPTED) !== 0) throw archiveRefusal(`${what}: ${path}`, 'a readable member', 'an encrypted one');
  const entry = {
    path,
    isDirectory,
    method: archive.readUInt16LE(offset + 10),
    crc: archive.readUInt32LE(offset + 16),
    packedBytes,
    bytes,
    mode: readMode(archive, offset, { isDirectory, what: `${what}: ${path}` }),
    mtime: dosTime(archive.readUInt16LE(offset + 14), archive.readUInt16LE(offset + 12)),
    localOffset,
  };
  if (isDirectory && bytes !== 0) throw archiveRefusal(`${what}: ${path}`, 'a directory', 'one with content');
  return { entry, next };
}

function readName(bytes: Buffer, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw archiveRefusal(what, 'names in UTF-8', 'another');
  }
}

/** Permissions, where a Unix system wrote them; what is neither a file nor a directory is refused. */
function readMode(
  archive: Buffer,
  offset: number,
  { isDirectory, what }: { readonly isDirectory: boolean; readonly what: string },
): number {
  const usual = isDirectory ? 0o755 : 0o644;
  if (archive.readUInt8(offset + 5) !== UNIX) return usual;
  const mode = archive.readUInt32LE(offset + 38) >>> 16;
  const type = mode & FILE_TYPE;
  if (type !== 0 && type !== (isDirectory ? DIRECTORY : REGULAR)) {
    throw archiveRefusal(what, 'a file or a directory', `a member of type ${type.toString(8)}`);
  }
  return (mode & 0o777) === 0 ? usual : mode & 0o777;
}

/** Seconds since 1970 of a time of MS-DOS, as if it were in UTC; 0 where it is none. */
function dosTime(date: number, time: number): number {
  const [year, month, day] = [1980 + (date >> 9), (date >> 5) & 15, date & 31];
  if (month < 1 || month > 12 || day < 1) return 0;
  return Date.UTC(year, month - 1, day, time >> 11, (time >> 5) & 63, (time & 31) * 2) / 1000;
}

/** Where the content begins, behind the member's own header, which must call it the same. */
function contentStart(archive: Buffer, { path, isDirectory, localOffset }: ZipEntry, what: string): number {
  if (localOffset + LOCAL_BYTES > archive.length || archive.readUInt32LE(localOffset) !== LOCAL) {
    throw archiveRefusal(`${what}: ${path}`, 'a header', 'other bytes');
  }
  const nameBytes = archive.readUInt16LE(localOffset + 26);
  const nameStart = localOffset + LOCAL_BYTES;
  const name = archive.toString('utf8', nameStart, nameStart + nameBytes);
  if (name !== (isDirectory ? `${path}/` : path))
    throw archiveRefusal(`${what}: ${path}`, 'one name', `also "${name}"`);
  return nameStart + nameBytes + archive.readUInt16LE(localOffset + 28);
}

function contentOf(
  archive: Buffer,
  { path, method, crc, packedBytes, bytes, ...entry }: ZipEntry,
  what: string,
): Buffer {
  const start = contentStart(archive, { path, method, crc, packedBytes, bytes, ...entry }, what);
  const packed = archive.subarray(start, start + packedBytes);
  const content = method === 0 ? packed : method === 8 ? inflated(packed, bytes, `${what}: ${path}`) : undefined;
  if (content === undefined) {
    throw archiveRefusal(`${what}: ${path}`, 'a stored or deflated member', `compression method ${method}`);
  }
  if (content.length !== bytes) throw archiveRefusal(`${what}: ${path}`, `${bytes} bytes`, `${content.length}`);
  if (crc32(content) !== crc) throw archiveRefusal(`${what}: ${path}`, 'content with its CRC', 'other content');
  return content;
}

function inflated(packed: Buffer, bytes: number, what: string): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes) });
  } catch (cause) {
    throw archiveRefusal(what, `${bytes} deflated bytes`, 'other bytes', cause);
  }
}
