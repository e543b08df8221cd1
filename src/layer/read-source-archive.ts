import { FORMAT_BYTES, foreignFormatOf, unpackingHint, unpackingHintFor } from '../model/archive-format.ts';
import type { Digest } from '../model/digest.ts';
import { openBlobFile } from '../store/open-blob-file.ts';
import { openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { bytesOfFile } from './archive-bytes.ts';
import { ArchiveRefusal, archiveRefusal } from './archive-refusal.ts';
import { ByteReader } from './byte-reader.ts';
import { type Compression, decompress, detectCompression } from './decompress.ts';
import { readTar } from './read-tar.ts';
import { EMPTY_ZIP_MAGIC, readZip, ZIP_MAGIC } from './read-zip.ts';
import { BLOCK_SIZE, parseTarHeader } from './tar-header.ts';
import type { TarMember } from './tar-member.ts';

export interface SourceArchive {
  readonly digest: Digest;
  readonly fileName: string;
  /** The name of its recipe, for messages. */
  readonly recipe?: string | undefined;
  /** Names in any encoding are kept, as dpkg-source(1) does; there is no recipe that could unpack it otherwise. */
  readonly isDebian?: boolean | undefined;
}

/**
 * The members of a source archive in the store: a zip, or a tar that may be compressed by gzip, xz, zstd or bzip2. Its
 * bytes tell which; its name does not count. It is read as leniently as is safe (`readTar`, `readZip`). A refusal names
 * the recipe and tells how to do without.
 *
 * @throws ArchiveRefusal
 */
export async function* readSourceArchive(
  store: Store,
  source: SourceArchive,
  throwIfInterrupted: () => void = () => undefined,
): AsyncGenerator<TarMember, void, undefined> {
  let isZip = false;
  const blob = openBlob(store, source.digest);
  try {
    const { start, whole } = await peeked(blob);
    isZip = isZipStart(start);
    const members = isZip
      ? zipMembers(store, source, throwIfInterrupted)
      : tarMembers(checked(whole, throwIfInterrupted), start, source);
    for await (const member of members) {
      yield member.whole === undefined && member.size > 0
        ? { ...member, content: refusing(member.content, source, isZip) }
        : member;
    }
  } catch (error) {
    throw inWordsOfRecipe(error, source, isZip);
  } finally {
    await blob.return();
  }
}

async function* zipMembers(
  store: Store,
  { digest, fileName }: SourceArchive,
  throwIfInterrupted: () => void,
): AsyncGenerator<TarMember, void, undefined> {
  const { file, size, close } = await openBlobFile(store, digest);
  try {
    const archive = bytesOfFile(file, size);
    const read = (offset: number, length: number) => {
      throwIfInterrupted();
      return archive.read(offset, length);
    };
    yield* readZip({ size, read }, { what: fileName, isSource: true });
  } finally {
    close();
  }
}

async function* tarMembers(
  whole: AsyncIterable<Uint8Array>,
  start: Buffer,
  { fileName: what, isDebian = false }: SourceArchive,
): AsyncGenerator<TarMember, void, undefined> {
  const compression = detectCompression(start);
  if (compression === 'none') refuseOthers(start, what);
  const reader = new ByteReader(decompress(whole, compression, { what }));
  try {
    const beginning = Buffer.from(await reader.take(FORMAT_BYTES));
    if (!isTarStart(beginning) && !isEmptyTar(beginning)) refuseContent(beginning, compression, what);
    yield* readTar(sequence(beginning, reader), { what, isSource: true, names: isDebian ? 'bytes' : 'utf-8' });
  } finally {
    await reader.close();
  }
}

function refuseOthers(start: Buffer, what: string): void {
  const format = isTarStart(start) ? undefined : foreignFormatOf(start);
  if (format === undefined) return;
  const refusal = archiveRefusal(what, READABLE, format.description);
  throw new ArchiveRefusal(what, refusal.reason, { hint: unpackingHint(what, format) });
}

const READABLE = 'a zip archive, or a tar that is plain or compressed by gzip, xz, zstd or bzip2';

function refuseContent(beginning: Buffer, compression: Compression, what: string): void {
  // A tar whose first header is damaged has its magic number still.
  if (beginning.toString('latin1', 257, 262) === 'ustar') return;
  if (beginning.length === 0) throw archiveRefusal(what, READABLE, 'no bytes');
  const inside = compression === 'none' ? '' : ` compressed by ${compression}`;
  const format = foreignFormatOf(beginning);
  throw archiveRefusal(what, READABLE, `${format?.description ?? describe(beginning)}${inside}`);
}

function describe(beginning: Buffer): string {
  if (isZipStart(beginning)) return 'a zip archive';
  if (/^\s*<(?:!doctype|html)/i.test(beginning.toString('latin1', 0, 100))) return 'an HTML page';
  return isAllZeros(beginning) ? 'zeros' : 'something else';
}

function isAllZeros(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

async function* sequence(beginning: Buffer, rest: ByteReader): AsyncGenerator<Uint8Array, void, undefined> {
  yield beginning;
  for (let chunk = await rest.takeSome(2 ** 20); chunk !== undefined; chunk = await rest.takeSome(2 ** 20)) yield chunk;
}

function isZipStart(start: Buffer): boolean {
  const magic = start.subarray(0, ZIP_MAGIC.length);
  return magic.equals(ZIP_MAGIC) || magic.equals(EMPTY_ZIP_MAGIC);
}

/** Whether the zeros come first that end a tar. */
function isEmptyTar(bytes: Buffer): boolean {
  return bytes.length >= BLOCK_SIZE && isAllZeros(bytes.subarray(0, 2 * BLOCK_SIZE));
}

/** Whether a header of tar comes first. */
function isTarStart(bytes: Buffer): boolean {
  if (bytes.length < BLOCK_SIZE) return false;
  try {
    return parseTarHeader(bytes.subarray(0, BLOCK_SIZE), true) !== undefined;
  } catch {
    return false;
  }
}

/** What a blob is by its bytes, for one that nobody has decided to keep or to unpack; undefined for a file like others. */
export async function describeArchive(store: Store, digest: Digest): Promise<string | undefined> {
  const blob = openBlob(store, digest);
  try {
    const { start, whole } = await peeked(blob);
    if (isZipStart(start)) return 'a zip archive';
    const compression = detectCompression(start);
    if (compression === 'none') {
      if (isTarStart(start)) return 'a tar archive';
      return foreignFormatOf(start)?.description;
    }
    const reader = new ByteReader(decompress(whole, compression));
    try {
      const block = await reader.take(BLOCK_SIZE);
      return isTarStart(block) ? `a tar archive compressed by ${compression}` : undefined;
    } catch {
      return undefined;
    } finally {
      await reader.close();
    }
  } finally {
    await blob.return();
  }
}

/** A blob decompressed, by whatever its bytes say that it is compressed by. */
export async function* decompressBlob(
  store: Store,
  digest: Digest,
  what: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const blob = openBlob(store, digest);
  try {
    const { start, whole } = await peeked(blob);
    yield* decompress(whole, detectCompression(start), { what });
  } finally {
    await blob.return();
  }
}

/** The first bytes, by which a kind is told, and all of them. A caller that stops early closes `bytes` itself. */
async function peeked(bytes: AsyncGenerator<Uint8Array>) {
  let start = Buffer.alloc(0);
  while (start.length < FORMAT_BYTES) {
    const next = await bytes.next();
    if (next.done === true) break;
    start = Buffer.concat([start, next.value]);
  }
  async function* whole(): AsyncGenerator<Uint8Array, void, undefined> {
    if (start.length > 0) yield start;
    yield* bytes;
  }
  return { start, whole: whole() };
}

async function* checked(
  bytes: AsyncIterable<Uint8Array>,
  throwIfInterrupted: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of bytes) {
    throwIfInterrupted();
    yield chunk;
  }
}

async function* refusing(
  content: AsyncIterable<Uint8Array>,
  source: SourceArchive,
  isZip: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* content;
  } catch (error) {
    throw inWordsOfRecipe(error, source, isZip);
  }
}

/** Adds the recipe and a way out to a refusal that has neither. */
export function inWordsOfRecipe(
  error: unknown,
  { fileName, recipe, isDebian = false }: SourceArchive,
  isZip = /\.zip$/i.test(fileName),
): unknown {
  if (!(error instanceof ArchiveRefusal) || recipe === undefined || error.isOfRecipe) return error;
  return error.ofRecipe(recipe, isDebian ? undefined : unpackingHintFor(fileName, isZip));
}
