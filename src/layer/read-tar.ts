import { archiveRefusal } from './archive-refusal.ts';
import { shownName } from './byte-names.ts';
import { ByteReader } from './byte-reader.ts';
import { type PaxOptions, type PaxRecords, parsePaxRecords } from './pax-records.ts';
import { isAllZero, type Refuse, readPadded, TarContent } from './tar-content.ts';
import { BLOCK_SIZE, memberTypeOf, parseTarHeader, type TarHeader, TarHeaderFault } from './tar-header.ts';
import { DEFAULT_TAR_LIMITS, type TarLimits } from './tar-limits.ts';
import { noContent, once, type TarMember } from './tar-member.ts';
import { cleanTarPath, linkText, type NameRules } from './tar-names.ts';

export interface ReadTarOptions extends Partial<TarLimits> {
  /** What the archive is called in messages. */
  readonly what?: string;
  /** The archive is a layer of buildit's own: its files keep their capabilities. No other archive's do. */
  readonly isOwnLayer?: boolean;
  /** The archive is a source: it is read as leniently as GNU tar reads it where that is safe. */
  readonly isSource?: boolean;
  /** `bytes`: names in any encoding are kept, as `textOfName` writes them; else they must be UTF-8. */
  readonly names?: 'utf-8' | 'bytes' | undefined;
}

/**
 * Reads an archive (ustar, pax or GNU) strictly: whatever two readers could understand differently is refused with
 * 'archive-refused'. Refused are wrong checksums and numbers, absolute names and `..`, names that are not UTF-8, sparse
 * and multi-volume members, contradicting extensions, sizes beyond `limits`, an archive that is cut off, and anything but
 * zeros after its end. A leading `./` is removed; the entry `./` itself is left out. Extended attributes are left out,
 * but for the capabilities of files in buildit's own layers, which must be exactly what `capabilityAttribute` writes.
 *
 * A source may also end without blocks of zeros, or with anything behind the first of them; have empty and `.` elements in
 * names, volume labels, and types that nobody knows, which are files; give the size of something to a link or directory;
 * and its numbers may end early. GNU tar 1.34 gives the same members. What lies behind the end is read and left out.
 *
 * Each member's content is read before the next member is asked for, or is skipped.
 */
export async function* readTar(
  bytes: AsyncIterable<Uint8Array>,
  options: ReadTarOptions = {},
): AsyncGenerator<TarMember, void, undefined> {
  const reader = new ByteReader(bytes);
  const reading = startReading(options);
  try {
    for (;;) {
      const block = reader.takeNow(BLOCK_SIZE) ?? (await reader.take(BLOCK_SIZE));
      const header = parseBlock(block, reading);
      if (header === undefined) break;
      reading.headers += 1;
      if (isExtension(header, reading)) {
        await readExtension(reader, header, reading);
        continue;
      }
      const { member, skippedBytes } = memberOf(header, reading);
      if (skippedBytes > 0) await new TarContent(reader, skippedBytes, reading.refuse).skipRest();
      if (member === undefined) continue;
      if (member.type !== 'file' || member.size === 0) {
        yield member;
      } else if (member.size <= WHOLE_BYTES) {
        const whole = await readPadded(reader, member.size, reading.refuse);
        yield { ...member, whole, content: once(whole) };
      } else {
        const content = new TarContent(reader, member.size, reading.refuse);
        yield { ...member, content };
        await content.skipRest();
      }
    }
    await readEnd(reader, reading);
  } catch (error) {
    if (error instanceof TarHeaderFault) throw reading.refuse(error.expected, error.found);
    throw error;
  } finally {
    await reader.close();
  }
}

/** Contents up to this size are handed out whole: one hop through the event loop a member, no more. */
const WHOLE_BYTES = 64 * 1024;

/** Long names and pax headers are small; what is larger is an attack on memory. */
const MAX_EXTENSION_BYTES = 1024 * 1024;

/** What is known between two headers. */
interface Reading {
  readonly limits: TarLimits;
  readonly isSource: boolean;
  readonly names: NameRules;
  readonly pax: PaxOptions;
  /** Names the archive, and the member that is being read. */
  readonly refuse: Refuse;
  /** Extensions that wait for their member. */
  pending: { pax?: PaxRecords; longName?: Buffer; longLink?: Buffer };
  global: PaxRecords;
  current: string;
  bytes: number;
  entries: number;
  headers: number;
}

function startReading(options: ReadTarOptions): Reading {
  const { what = 'archive', isOwnLayer = false, isSource = false, names, ...rest } = options;
  const limits = { ...DEFAULT_TAR_LIMITS, ...rest };
  const reading: Reading = {
    limits,
    isSource,
    names: { ...limits, names, collapse: isSource },
    pax: { capabilities: isOwnLayer, binaryNames: isSource },
    refuse: (expected, found) =>
      archiveRefusal(reading.current === '' ? what : `${what}: ${reading.current}`, expected, found),
    pending: {},
    global: {},
    current: '',
    bytes: 0,
    entries: 0,
    headers: 0,
  };
  return reading;
}

function parseBlock(block: Buffer, reading: Reading): TarHeader | undefined {
  if (block.length < BLOCK_SIZE) {
    if (reading.isSource && reading.headers > 0 && isAllZero(block)) return undefined;
    if (reading.isSource) throw reading.refuse('a whole tar archive', block.length === 0 ? 'no bytes' : CUT_OFF);
    throw reading.refuse('two blocks of zeros at the end', CUT_OFF);
  }
  const header = parseTarHeader(block, reading.isSource);
  if (header !== undefined) reading.current = shownName(header.name);
  return header;
}

const CUT_OFF = 'an archive that is cut off';

function isExtension({ typeFlag }: TarHeader, { isSource }: Reading): boolean {
  // Solaris has a letter of its own for pax headers.
  return (isSource && typeFlag === 'X') || typeFlag === 'x' || typeFlag === 'g' || typeFlag === 'L' || typeFlag === 'K';
}

async function readExtension(reader: ByteReader, { typeFlag, size }: TarHeader, reading: Reading): Promise<void> {
  if (size > MAX_EXTENSION_BYTES) throw reading.refuse(`at most ${MAX_EXTENSION_BYTES} bytes of names`, `${size}`);
  reading.entries += 1;
  checkEntries(reading);
  // A copy: the memory of the chunk may be used again before the member comes.
  const block = Buffer.from(await readPadded(reader, size, reading.refuse));
  const { pending } = reading;
  switch (typeFlag) {
    case 'g': {
      const records = parsePaxRecords(block, reading.pax);
      if (records.path !== undefined || records.linkPath !== undefined || records.size !== undefined) {
        throw new TarHeaderFault('a global pax header about no single member', 'a path or size in it');
      }
      if (records.capabilities !== undefined) {
        throw new TarHeaderFault('capabilities of one file', 'some in a global pax header');
      }
      reading.global = { ...reading.global, ...records };
      return;
    }
    case 'x':
    case 'X':
      if (pending.pax !== undefined) throw new TarHeaderFault('one pax header before a member', 'two');
      pending.pax = parsePaxRecords(block, reading.pax);
      return;
    case 'L':
      if (pending.longName !== undefined) throw new TarHeaderFault('one long name before a member', 'two');
      pending.longName = terminated(block);
      return;
    default:
      if (pending.longLink !== undefined) throw new TarHeaderFault('one long link before a member', 'two');
      pending.longLink = terminated(block);
  }
}

/** GNU ends a long name with one NUL. */
function terminated(block: Buffer): Buffer {
  const end = block.indexOf(0);
  if (end >= 0 && end !== block.length - 1) throw new TarHeaderFault('a long name without NUL', 'one with it');
  return end < 0 ? block : block.subarray(0, end);
}

interface ReadMember {
  /** Undefined for `./` and for a volume's label. */
  readonly member: TarMember | undefined;
  /** Bytes behind the header that are not a file's content. */
  readonly skippedBytes: number;
}

/** Puts header and extensions together. */
function memberOf(header: TarHeader, reading: Reading): ReadMember {
  const { pax = {}, longName, longLink } = reading.pending;
  reading.pending = {};
  if ((longName !== undefined && pax.path !== undefined) || (longLink !== undefined && pax.linkPath !== undefined)) {
    throw new TarHeaderFault('one long name of a member', 'one of GNU and one of pax');
  }
  const rawName = pax.path ?? longName ?? header.name;
  reading.current = shownName(rawName);
  const written = pax.size ?? header.size;
  if (reading.isSource && header.typeFlag === VOLUME_LABEL) {
    count(reading, written);
    return { member: undefined, skippedBytes: written };
  }
  const flagged = memberTypeOf(header.typeFlag) ?? otherTypeOf(header.typeFlag, reading);
  if (flagged === undefined) throw new TarHeaderFault('a file, directory or link', describeFlag(header.typeFlag));
  // Archives older than ustar mark a directory by its trailing slash alone.
  const isOldDirectory = flagged === 'file' && rawName.at(-1) === 0x2f;
  const type = isOldDirectory ? 'directory' : flagged;
  const hasList = header.typeFlag === DIRECTORY_WITH_LIST;
  // GNU tar finds no content behind a link or directory, whatever size the header has: that of the link's target, say.
  const size = type !== 'file' && reading.isSource && !hasList ? 0 : written;
  if (type !== 'file' && size !== 0 && !hasList) {
    throw new TarHeaderFault(`a ${type} without content`, `${size} bytes`);
  }
  if (pax.capabilities !== undefined && type !== 'file') {
    throw new TarHeaderFault(`a ${type} without capabilities`, pax.capabilities.join(', '));
  }
  count(reading, size);
  const path = cleanTarPath(rawName, reading.names);
  const skippedBytes = hasList ? size : 0;
  if (path === '') {
    if (type !== 'directory') throw new TarHeaderFault('a name', 'none');
    return { member: undefined, skippedBytes };
  }
  const member: TarMember = {
    type,
    path,
    mode: header.mode,
    uid: pax.uid ?? reading.global.uid ?? header.uid,
    gid: pax.gid ?? reading.global.gid ?? header.gid,
    mtime: pax.mtime ?? reading.global.mtime ?? header.mtime,
    size: hasList ? 0 : size,
    target: targetOf(type, pax.linkPath ?? longLink ?? header.linkName, reading.names),
    ...(pax.capabilities === undefined ? {} : { capabilities: pax.capabilities }),
    content: noContent,
  };
  return { member, skippedBytes };
}

const VOLUME_LABEL = 'V';
/** Of GNU's incremental archives: the names in the directory are its content. */
const DIRECTORY_WITH_LIST = 'D';
/** Their content is more or less than a file. */
const PARTIAL_TYPES = new Set(['S', 'M', 'N']);

/** Of a source a type that nobody knows is a file, as POSIX has it (pax, "ustar Interchange Format", typeflag). */
function otherTypeOf(flag: string, { isSource }: Reading): TarMember['type'] | undefined {
  if (!isSource || PARTIAL_TYPES.has(flag)) return undefined;
  return flag === DIRECTORY_WITH_LIST ? 'directory' : 'file';
}

function targetOf(type: TarMember['type'], raw: Buffer, rules: NameRules): string {
  if (type === 'symlink') return linkText(raw, rules);
  if (type !== 'hardlink') return '';
  const target = cleanTarPath(raw, rules);
  if (target === '') throw new TarHeaderFault('the name of another member', 'none');
  return target;
}

function describeFlag(flag: string): string {
  switch (flag) {
    case 'S':
      return 'a sparse file';
    case 'M':
    case 'V':
      return 'a part of a multi-volume archive';
    case 'N':
      return 'a list of long names of an old GNU tar';
    default:
      return `the type ${JSON.stringify(flag)}`;
  }
}

function count(reading: Reading, size: number): void {
  reading.bytes += size;
  reading.entries += 1;
  checkEntries(reading);
  if (reading.bytes > reading.limits.maxBytes) {
    throw reading.refuse(`at most ${reading.limits.maxBytes} bytes of files`, 'more');
  }
}

function checkEntries({ entries, limits }: Reading): void {
  if (entries > limits.maxEntries) throw new TarHeaderFault(`at most ${limits.maxEntries} members`, 'more');
}

/** After the first block of zeros: another one, then at most more zeros, with which GNU tar fills its last record. */
async function readEnd(reader: ByteReader, reading: Reading): Promise<void> {
  if (Object.keys(reading.pending).length > 0) throw new TarHeaderFault('a member after its long name', 'the end');
  if (reading.isSource) {
    while ((await reader.takeSome(2 ** 20)) !== undefined);
    return;
  }
  const second = await reader.take(BLOCK_SIZE);
  if (second.length < BLOCK_SIZE) throw reading.refuse('two blocks of zeros at the end', CUT_OFF);
  for (let chunk: Buffer | undefined = second; chunk !== undefined; chunk = await reader.takeSome(2 ** 20)) {
    if (!isAllZero(chunk)) {
      reading.current = '';
      throw reading.refuse('nothing but zeros after the end', 'other bytes');
    }
  }
}
