import type { ArchiveBytes } from './archive-bytes.ts';
import { archiveRefusal } from './archive-refusal.ts';
import { TarHeaderFault } from './tar-header.ts';
import { DEFAULT_TAR_LIMITS, type TarLimits } from './tar-limits.ts';
import { directoryMember, fileMember, symlinkMember, type TarMember } from './tar-member.ts';
import { linkText } from './tar-names.ts';
import { wholeZipContent, type ZipSpan, zipContent, zipSpan } from './zip-content.ts';
import { findZipDirectory, type ZipDirectory, type ZipEntry, type ZipRules, zipEntries } from './zip-directory.ts';

/** The first bytes of a zip archive that holds something, and of an empty one. */
export const ZIP_MAGIC = Buffer.from('PK\x03\x04', 'latin1');
export const EMPTY_ZIP_MAGIC = Buffer.from('PK\x05\x06', 'latin1');

/** Largest content for each byte of the archive: deflate reaches 1032 by its design. */
const MAXIMUM_RATIO = 1100;

export interface ReadZipOptions {
  /** What the archive is called in messages. */
  readonly what?: string;
  readonly limits?: TarLimits;
  /** The archive is a source: `./` and `//` in names are collapsed, and a member may come again. */
  readonly isSource?: boolean;
}

/**
 * The members of a zip archive (PKWARE's APPNOTE 6.3), in the order of its directory. Contents are inflated as they are
 * read, and checked against their sizes and CRC. Refused with `archive-refused`: everything but stored and deflated files,
 * directories and symbolic links; encryption and several disks; names that lead out or are not UTF-8; members that
 * overlap, that leave a gap between them, or that two places of the archive describe differently; bytes before the first
 * member, behind the end, or behind the end of a deflated content. Otherwise two programs could see two trees.
 */
export async function* readZip(
  archive: ArchiveBytes,
  { what = 'archive', limits = DEFAULT_TAR_LIMITS, isSource = false }: ReadZipOptions = {},
): AsyncGenerator<TarMember, void, undefined> {
  let current = '';
  const rules: ZipRules = { ...limits, collapse: isSource, onEntry: (name) => (current = name) };
  try {
    const directory = findZipDirectory(archive);
    checkMembers(archive, directory, rules, { limits, isSource });
    for (const entry of zipEntries(directory, rules)) {
      const { contentStart } = zipSpan(archive, entry, directory.start);
      const member = memberOf(archive, entry, contentStart, limits);
      if (member !== undefined) yield refusingMember(member, what, entry);
    }
  } catch (error) {
    throw refused(error, what, current);
  }
}

/** Everything that can be told before a content is read: nothing is unpacked of an archive that fails. */
function checkMembers(
  archive: ArchiveBytes,
  directory: ZipDirectory,
  rules: ZipRules,
  { limits, isSource }: { readonly limits: TarLimits; readonly isSource: boolean },
): void {
  if (directory.count > limits.maxEntries) throw tooLarge(`${directory.count} members`);
  const starts = new Float64Array(directory.count);
  const ends = new Float64Array(directory.count);
  const seen = new Set<string>();
  let total = 0;
  let index = 0;
  for (const entry of zipEntries(directory, rules)) {
    total += entry.bytes;
    if (total > limits.maxBytes) throw tooLarge(`more than ${limits.maxBytes} bytes of files`);
    if (!isSource && seen.has(entry.path)) throw new TarHeaderFault('each member once', `"${entry.path}" again`);
    if (!isSource) seen.add(entry.path);
    const span = zipSpan(archive, entry, directory.start);
    starts[index] = span.start;
    ends[index] = span.end;
    index += 1;
  }
  if (total > archive.size * MAXIMUM_RATIO) throw tooLarge(`more than ${MAXIMUM_RATIO} times its size`);
  requireUnbroken(starts, ends, directory.start);
}

/** One member behind the other, from the first byte to the directory. */
function requireUnbroken(starts: Float64Array, ends: Float64Array, directoryStart: number): void {
  const order = Uint32Array.from(starts, (_, index) => index).sort((a, b) => starts[a]! - starts[b]!);
  let end: ZipSpan['end'] = 0;
  for (const index of order) {
    const start = starts[index]!;
    if (start < end) throw new TarHeaderFault('members that lie apart', 'two that overlap');
    if (start > end) throw strayBytes(end, start);
    end = ends[index]!;
  }
  if (end !== directoryStart) throw strayBytes(end, directoryStart);
}

function strayBytes(from: number, to: number): TarHeaderFault {
  if (from === 0) return new TarHeaderFault('a member at its beginning', `${to} other bytes`);
  return new TarHeaderFault('one member behind the other', `${to - from} other bytes at ${from}`);
}

function tooLarge(found: string): TarHeaderFault {
  return new TarHeaderFault('an archive of bearable size', found);
}

/** Undefined for the directory that everything is in. */
function memberOf(
  archive: ArchiveBytes,
  entry: ZipEntry,
  contentStart: number,
  limits: TarLimits,
): TarMember | undefined {
  const { path, type, mode, mtime, bytes } = entry;
  if (type === 'symlink' && bytes > limits.maxNameBytes) {
    throw new TarHeaderFault(`the target of a link in ${limits.maxNameBytes} bytes`, `${bytes}`);
  }
  const whole = wholeZipContent(archive, entry, contentStart);
  if (type === 'directory') return path === '' ? undefined : directoryMember(path, { mode, mtime });
  if (type === 'symlink') return symlinkMember(path, linkText(whole ?? Buffer.alloc(0), limits), { mtime });
  if (whole !== undefined) return fileMember(path, whole, { mode, mtime });
  const file = fileMember(path, '', { mode, mtime });
  const { whole: _, ...facts } = file;
  return { ...facts, size: bytes, content: zipContent(archive, entry, contentStart) };
}

/** A content that is read later refuses in the same words. */
function refusingMember(member: TarMember, what: string, { path }: ZipEntry): TarMember {
  if (member.type !== 'file' || member.whole !== undefined) return member;
  const { content } = member;
  async function* refusing(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* content;
    } catch (error) {
      throw refused(error, what, path);
    }
  }
  return { ...member, content: refusing() };
}

function refused(error: unknown, what: string, current: string): unknown {
  if (!(error instanceof TarHeaderFault)) return error;
  return archiveRefusal(current === '' ? what : `${what}: ${current}`, error.expected, error.found);
}
