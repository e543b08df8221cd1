import { archiveRefusal } from '../layer/archive-refusal.ts';
import { ByteReader } from '../layer/byte-reader.ts';
import type { Compression } from '../layer/decompress.ts';
import { once } from '../layer/tar-member.ts';

/** A member of the package whose bytes are still compressed. */
export interface DebPart {
  readonly compression: Compression;
  /** Read once. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface OpenedDeb {
  readonly control: DebPart;
  readonly data: DebPart;
  /** To be called when `data` was read: makes sure that nothing was left out and nothing follows. */
  finish(): Promise<void>;
  /** To be called in any case: nothing more will be read. */
  close(): Promise<void>;
}

const MAGIC = '!<arch>\n';
const HEADER_BYTES = 60;
const MAXIMUM_CONTROL_BYTES = 16 << 20;

/** What follows `control.tar` and `data.tar`, deb(5); lzma alone has left the archive long ago. */
const COMPRESSIONS: Readonly<Record<string, Compression>> = {
  '': 'none',
  '.gz': 'gzip',
  '.xz': 'xz',
  '.zst': 'zstd',
  '.bz2': 'bzip2',
};

/**
 * Opens a binary package, deb(5): an `ar` archive of exactly `debian-binary`, `control.tar` and `data.tar` in this
 * order. Everything else, also what dpkg would pass over, is refused: two readers must not see two packages.
 */
export async function openDeb(bytes: AsyncIterable<Uint8Array>, what: string): Promise<OpenedDeb> {
  const reader = new ByteReader(bytes);
  try {
    return await openMembers(reader, what);
  } catch (error) {
    await reader.close();
    throw error;
  }
}

async function openMembers(reader: ByteReader, what: string): Promise<OpenedDeb> {
  if ((await reader.take(MAGIC.length)).toString('latin1') !== MAGIC) {
    throw archiveRefusal(what, 'an ar archive', 'other bytes');
  }
  await readFormatVersion(reader, what);
  const control = await readControl(reader, what);
  const { size, compression } = await readHeader(reader, 'data.tar', what);
  const data = new DataMember(reader, size, what);
  return { control, data: { compression, bytes: data }, finish: () => data.finish(), close: () => reader.close() };
}

async function readFormatVersion(reader: ByteReader, what: string): Promise<void> {
  const { size } = await readHeader(reader, 'debian-binary', what);
  const text = size > 100 ? '' : (await takePadded(reader, size, what)).toString('latin1');
  if (/^2\.[0-9]{1,9}\n/.test(text)) return;
  throw archiveRefusal(what, 'format 2.0 in debian-binary', JSON.stringify(text));
}

async function readControl(reader: ByteReader, what: string): Promise<DebPart> {
  const { size, compression } = await readHeader(reader, 'control.tar', what);
  if (size > MAXIMUM_CONTROL_BYTES) {
    throw archiveRefusal(what, `at most ${MAXIMUM_CONTROL_BYTES} bytes of control.tar`, `${size}`);
  }
  return { compression, bytes: once(await takePadded(reader, size, what)) };
}

interface MemberHeader {
  readonly size: number;
  readonly compression: Compression;
}

/** ar(5) as Debian uses it: 16 bytes of name, 12 of time, 6 and 6 of owner, 8 of mode, 10 of size, two that end it. */
async function readHeader(reader: ByteReader, expected: string, what: string): Promise<MemberHeader> {
  const header = (await reader.take(HEADER_BYTES)).toString('latin1');
  if (header.length !== HEADER_BYTES || !header.endsWith('`\n')) {
    throw archiveRefusal(what, `the member ${expected}`, header === '' ? 'the end' : 'no header of a member');
  }
  const name = header.slice(0, 16).trimEnd().replace(/\/$/, '');
  const sizeText = header.slice(48, 58).trimEnd();
  if (!/^[0-9]{1,10}$/.test(sizeText)) {
    throw archiveRefusal(what, 'a decimal size', JSON.stringify(sizeText));
  }
  const suffix = name.startsWith(expected) ? name.slice(expected.length) : undefined;
  const compression =
    suffix === undefined || (expected === 'debian-binary' && suffix !== '') || !Object.hasOwn(COMPRESSIONS, suffix)
      ? undefined
      : COMPRESSIONS[suffix];
  if (compression === undefined) throw archiveRefusal(what, `the member ${expected}`, JSON.stringify(name));
  return { size: Number(sizeText), compression };
}

async function takePadded(reader: ByteReader, size: number, what: string): Promise<Buffer> {
  const bytes = await reader.take(size);
  if (bytes.length !== size) throw archiveRefusal(what, `${size} bytes of a member`, `${bytes.length}`);
  await readPadding(reader, size, what);
  return bytes;
}

/** Members begin at even places. */
async function readPadding(reader: ByteReader, size: number, what: string): Promise<void> {
  if (size % 2 === 0) return;
  const padding = (await reader.take(1)).toString('latin1');
  if (padding !== '\n') throw archiveRefusal(what, 'a newline after a member of odd size', JSON.stringify(padding));
}

/** The last member: its bytes, and what has to be true after them. */
class DataMember {
  readonly #reader: ByteReader;
  readonly #size: number;
  readonly #what: string;
  #left: number;

  constructor(reader: ByteReader, size: number, what: string) {
    this.#reader = reader;
    this.#size = size;
    this.#what = what;
    this.#left = size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    while (this.#left > 0) {
      const part = await this.#reader.takeSome(this.#left);
      if (part === undefined) {
        throw archiveRefusal(this.#what, `${this.#size} bytes of data.tar`, `${this.#size - this.#left}`);
      }
      this.#left -= part.length;
      yield part;
    }
  }

  async finish(): Promise<void> {
    const what = this.#what;
    if (this.#left > 0) throw archiveRefusal(what, 'data.tar to be one compressed archive', 'more bytes after its end');
    await readPadding(this.#reader, this.#size, what);
    const after = await this.#reader.takeSome(1);
    if (after !== undefined) throw archiveRefusal(what, 'nothing after data.tar', 'more bytes');
  }
}
