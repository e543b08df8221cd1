import { isCleanRelativePath } from '../model/names.ts';
import type { ArchiveBytes } from './archive-bytes.ts';
import { shownName } from './byte-names.ts';
import { TarHeaderFault } from './tar-header.ts';
import { cleanTarPath, type NameRules } from './tar-names.ts';
import { type ExtraSizes, readExtraFields } from './zip-extra.ts';

const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR64_BYTES = 20;
const CENTRAL_BYTES = 46;
/** The directory is read as a whole; a million members with long names take less. */
const MAXIMUM_DIRECTORY_BYTES = 64 * 2 ** 20;
const MOST_COMMENT_BYTES = 0xffff;

const ENCRYPTED = 0x1 | 0x40 | 0x2000;
const UNIX = 3;
const FILE_TYPE = 0o170000;
const TYPES: ReadonlyMap<number, ZipEntry['type']> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
]);
const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [0o010000, 'a fifo'],
  [0o020000, 'a character device'],
  [0o060000, 'a block device'],
  [0o140000, 'a socket'],
]);

export interface ZipDirectory {
  readonly start: number;
  readonly count: number;
  readonly bytes: Buffer;
}

export interface ZipEntry {
  /** As it is written, with the slash of a directory. */
  readonly name: Buffer;
  /** '' for a directory that is the root of the archive. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly localOffset: number;
}

/**
 * Finds the directory of a zip archive (PKWARE's APPNOTE 6.3.10, 4.3.12 to 4.3.16), zip64 included. It ends where the
 * records at the end begin, and those end at the last byte.
 *
 * @throws TarHeaderFault
 */
export function findZipDirectory(archive: ArchiveBytes): ZipDirectory {
  const { end, at } = findEnd(archive);
  if (end.readUInt16LE(4) !== 0 && end.readUInt16LE(4) !== 0xffff) throw severalDisks();
  const isLarge =
    end.readUInt16LE(10) === 0xffff || end.readUInt32LE(12) === 0xffffffff || end.readUInt32LE(16) === 0xffffffff;
  const large = isLarge ? readEnd64(archive, at) : undefined;
  if (large === undefined && (end.readUInt16LE(4) !== 0 || end.readUInt16LE(8) !== end.readUInt16LE(10))) {
    throw severalDisks();
  }
  const {
    count,
    size,
    start,
    end: directoryEnd,
  } = large ?? {
    count: end.readUInt16LE(10),
    size: end.readUInt32LE(12),
    start: end.readUInt32LE(16),
    end: at,
  };
  if (start + size !== directoryEnd) {
    const found = start + size < directoryEnd ? 'other bytes before it or behind its directory' : 'a truncated one';
    throw new TarHeaderFault('a zip archive from the first byte to the last', found);
  }
  if (size > MAXIMUM_DIRECTORY_BYTES)
    throw new TarHeaderFault('an archive of bearable size', `a directory of ${size} bytes`);
  return { start, count, bytes: archive.read(start, size) };
}

/** The record at the end; its comment, if any, reaches exactly to the last byte. */
function findEnd(archive: ArchiveBytes): { readonly end: Buffer; readonly at: number } {
  const length = Math.min(archive.size, END_BYTES + MOST_COMMENT_BYTES);
  const tail = archive.read(archive.size - length, length);
  for (let at = length - END_BYTES; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== END || at + END_BYTES + tail.readUInt16LE(at + 20) !== length) continue;
    return { end: tail.subarray(at), at: archive.size - length + at };
  }
  throw new TarHeaderFault(
    'a zip archive that ends with its directory',
    'none, a truncated one, or more bytes behind it',
  );
}

function readEnd64(archive: ArchiveBytes, endAt: number) {
  const locatorAt = endAt - LOCATOR64_BYTES;
  const locator = locatorAt < 0 ? undefined : archive.read(locatorAt, LOCATOR64_BYTES);
  // A count or size that fills its field without being a mark is told by the missing locator.
  if (locator?.readUInt32LE(0) !== LOCATOR64) return undefined;
  const at = Number(locator.readBigUInt64LE(8));
  if (at + END64_BYTES !== locatorAt)
    throw new TarHeaderFault('the records of zip64 one behind the other', 'other bytes');
  const record = archive.read(at, END64_BYTES);
  if (record.readUInt32LE(0) !== END64 || record.readBigUInt64LE(4) !== BigInt(END64_BYTES - 12)) {
    throw new TarHeaderFault('the record of zip64 at the end', 'other bytes');
  }
  const isOneDisk = locator.readUInt32LE(4) === 0 && locator.readUInt32LE(16) === 1 && record.readUInt32LE(16) === 0;
  if (!isOneDisk || record.readBigUInt64LE(24) !== record.readBigUInt64LE(32)) throw severalDisks();
  return {
    count: Number(record.readBigUInt64LE(32)),
    size: Number(record.readBigUInt64LE(40)),
    start: Number(record.readBigUInt64LE(48)),
    end: at,
  };
}

function severalDisks(): TarHeaderFault {
  return new TarHeaderFault('a zip archive of one disk', 'one of several');
}

export interface ZipRules extends NameRules {
  /** Told of the member that is being read, for messages. */
  onEntry(name: string): void;
}

/** The members that a directory lists, in its order. @throws TarHeaderFault */
export function* zipEntries(
  { bytes: directory, count }: ZipDirectory,
  rules: ZipRules,
): Generator<ZipEntry, void, undefined> {
  let offset = 0;
  for (let index = 0; index < count; index += 1) {
    if (offset + CENTRAL_BYTES > directory.length || directory.readUInt32LE(offset) !== CENTRAL) {
      throw new TarHeaderFault(`a directory of ${count} members`, `${index}, then other bytes`);
    }
    const nameBytes = directory.readUInt16LE(offset + 28);
    const extraAt = offset + CENTRAL_BYTES + nameBytes;
    const next = extraAt + directory.readUInt16LE(offset + 30) + directory.readUInt16LE(offset + 32);
    if (next > directory.length) throw new TarHeaderFault('a whole directory', 'a truncated one');
    const name = directory.subarray(offset + CENTRAL_BYTES, extraAt);
    rules.onEntry(shownName(name));
    const extra = directory.subarray(extraAt, extraAt + directory.readUInt16LE(offset + 30));
    yield entryOf(directory.subarray(offset, offset + CENTRAL_BYTES), name, extra, rules);
    offset = next;
  }
  rules.onEntry('');
  if (offset !== directory.length) throw new TarHeaderFault(`${count} members in its directory`, 'more bytes');
}

function entryOf(header: Buffer, name: Buffer, extra: Buffer, rules: ZipRules): ZipEntry {
  const flags = header.readUInt16LE(8);
  if ((flags & ENCRYPTED) !== 0) throw new TarHeaderFault('a readable member', 'an encrypted one');
  const isDirectory = name.at(-1) === 0x2f;
  const { type, mode } = readMode(header, isDirectory);
  const sizes = readExtraFields(extra, name, {
    bytes: header.readUInt32LE(24),
    packedBytes: header.readUInt32LE(20),
    localOffset: header.readUInt32LE(42),
  }) as Required<ExtraSizes>;
  // Some programs deflate the nothing that is in a directory, to two bytes.
  if (type === 'directory' && (sizes.bytes !== 0 || sizes.packedBytes > 2))
    throw new TarHeaderFault('a directory', 'one with content');
  return {
    name,
    path: readPath(name, isDirectory, rules),
    type,
    flags,
    method: header.readUInt16LE(10),
    crc: header.readUInt32LE(16),
    ...sizes,
    mode,
    mtime: dosTime(header.readUInt16LE(14), header.readUInt16LE(12)),
  };
}

function readPath(name: Buffer, isDirectory: boolean, rules: ZipRules): string {
  const path = cleanTarPath(name, rules);
  const isClean = rules.collapse === true ? path !== '' || isDirectory : isCleanName(name, path);
  if (!isClean) throw new TarHeaderFault('a clean relative path', `"${shownName(name)}"`);
  return path;
}

/** Where nothing is collapsed, a name is the path itself. */
function isCleanName(name: Buffer, path: string): boolean {
  const text = name.toString('utf8');
  return isCleanRelativePath(path) && (text === path || text === `${path}/`);
}

/** Type and permissions, where a Unix system wrote them. */
function readMode(header: Buffer, isDirectory: boolean): Pick<ZipEntry, 'type' | 'mode'> {
  const usual = isDirectory ? 0o755 : 0o644;
  const written = isDirectory ? 'directory' : 'file';
  if (header.readUInt8(5) !== UNIX) return { type: written, mode: usual };
  const mode = header.readUInt32LE(38) >>> 16;
  const format = mode & FILE_TYPE;
  const type = format === 0 ? written : TYPES.get(format);
  if (type === undefined || (type === 'directory') !== isDirectory) {
    const found = OTHER_TYPES.get(format) ?? `a member of type ${format.toString(8)}`;
    throw new TarHeaderFault(isDirectory ? 'a directory' : 'a file, directory or symbolic link', found);
  }
  return { type, mode: (mode & 0o777) === 0 ? usual : mode & 0o777 };
}

/** Seconds since 1970 of a time of MS-DOS, as if it were in UTC; 0 where it is none. */
function dosTime(date: number, time: number): number {
  const [year, month, day] = [1980 + (date >> 9), (date >> 5) & 15, date & 31];
  if (month < 1 || month > 12 || day < 1) return 0;
  return Date.UTC(year, month - 1, day, time >> 11, (time >> 5) & 63, (time & 31) * 2) / 1000;
}
