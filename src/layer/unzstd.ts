import { ByteReader } from './byte-reader.ts';
import { loadZstd } from './load-zstd.ts';
import { decodeZstdBlock, MOST_BLOCK_BYTES, newZstdState } from './zstd-block.ts';
import { readZstdHeader, type ZstdFrameHeader, zstdHeaderLength } from './zstd-frame.ts';
import { ZstdFault } from './zstd-tables.ts';

/** Frames of our own have 4 MiB; larger ones are streamed. */
const MOST_FRAME_BYTES = 8 * 1024 * 1024;

const MAGIC = 0xfd2fb528;
/** The last four bits are free. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const RAW = 0;
const RUN_LENGTH = 1;
const RESERVED = 3;

/**
 * Decompresses zstd frames (RFC 8878), one after the other. Each frame's header is checked before its content is decoded.
 * Small frames are decoded at once by the wasm codec, four times as fast; others are streamed block by block, their
 * checksum left aside: who needs to be sure of bytes has a digest of them. `onBlock` is told of each piece before there
 * are more, and may throw. Memory is bounded by the largest window, and time is linear in input and output.
 *
 * @throws ZstdFault or an `Error` of the codec for damaged data
 */
export async function* unzstd(
  input: AsyncIterable<Uint8Array>,
  onBlock: (length: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new ByteReader(input);
  const window = new SlidingWindow();
  try {
    for (;;) {
      const magic = await reader.take(4);
      if (magic.length === 0) return;
      if (magic.length < 4) throw new ZstdFault('data that are cut off');
      const number = magic.readUInt32LE(0);
      if (number === MAGIC) yield* decodeFrame(reader, window, onBlock);
      else if ((number & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) await skipFrame(reader);
      else throw new ZstdFault('other bytes in place of a frame');
    }
  } finally {
    await reader.close();
  }
}

async function skipFrame(reader: ByteReader): Promise<void> {
  let left = (await taken(reader, 4)).readUInt32LE(0);
  while (left > 0) {
    const chunk = await reader.takeSome(left);
    if (chunk === undefined) throw new ZstdFault('data that are cut off');
    left -= chunk.length;
  }
}

async function* decodeFrame(
  reader: ByteReader,
  window: SlidingWindow,
  onBlock: (length: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const first = Buffer.from(await taken(reader, 1));
  const header = Buffer.concat([first, await taken(reader, zstdHeaderLength(first[0]!) - 1)]);
  const facts = readZstdHeader(header);
  const { contentBytes, hasChecksum } = facts;
  const isSmall = contentBytes !== undefined && contentBytes <= MOST_FRAME_BYTES;
  const gathered = isSmall ? await gather(reader) : undefined;
  if (gathered?.isWhole) {
    const checksum = hasChecksum ? [Buffer.from(await taken(reader, 4))] : [];
    const frame = Buffer.concat([MAGIC_BYTES, header, ...gathered.parts, ...checksum]);
    const content = (await loadZstd()).decompress(frame);
    if (content.length !== contentBytes) throw otherSize();
    onBlock(content.length);
    if (content.length > 0) yield content;
    return;
  }
  window.begin(facts);
  const before = gathered?.blocks ?? [];
  let length = 0;
  let isLast = false;
  for (let index = 0; !isLast; index += 1) {
    const found = before[index] ?? readBlock(reader);
    const block = found instanceof Promise ? await found : found;
    if (window.isFull) yield* window.take();
    const size = window.decode(block);
    length += size;
    onBlock(size);
    if (contentBytes !== undefined && length > contentBytes) throw otherSize();
    if (window.pendingBytes >= MOST_BLOCK_BYTES) yield* window.take();
    isLast = block.isLast;
  }
  yield* window.take();
  if (contentBytes !== undefined && length !== contentBytes) throw otherSize();
  if (hasChecksum) await taken(reader, 4);
}

function otherSize(): ZstdFault {
  return new ZstdFault('a frame of another size than it says');
}

const MAGIC_BYTES = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

interface BlockFacts {
  readonly isLast: boolean;
  readonly type: number;
  /** Of the content for a run, else of its bytes. */
  readonly size: number;
  /** Of its bytes, the header aside. */
  readonly length: number;
  readonly header: Buffer;
}

interface Block extends BlockFacts {
  readonly bytes: Buffer;
}

interface Gathered {
  readonly isWhole: boolean;
  readonly blocks: readonly Block[];
  readonly parts: readonly Buffer[];
}

/** Reads blocks until the last one of a frame, or until they are too many for a small frame. */
async function gather(reader: ByteReader): Promise<Gathered> {
  const blocks: Block[] = [];
  const parts: Buffer[] = [];
  let size = 0;
  let isWhole = false;
  while (!isWhole && size < MOST_FRAME_BYTES && blocks.length < MOST_GATHERED_BLOCKS) {
    const found = readBlock(reader);
    const block = found instanceof Promise ? await found : found;
    blocks.push(block);
    parts.push(block.header, block.bytes);
    size += block.bytes.length;
    isWhole = block.isLast;
  }
  return { isWhole, blocks, parts };
}

/** A frame of our own has 32 blocks or a few more; empty ones are without end. */
const MOST_GATHERED_BLOCKS = 4096;

/** At once where the bytes are there: there may be very many blocks. */
function readBlock(reader: ByteReader): Block | Promise<Block> {
  const header = reader.takeNow(BLOCK_HEADER_BYTES);
  if (header === undefined) return readBlockLater(reader);
  const facts = readBlockHeader(header);
  const bytes = reader.takeNow(facts.length);
  return bytes === undefined ? readBlockBytes(reader, facts) : { ...facts, bytes: Buffer.from(bytes) };
}

async function readBlockLater(reader: ByteReader): Promise<Block> {
  return readBlockBytes(reader, readBlockHeader(await taken(reader, BLOCK_HEADER_BYTES)));
}

/** A copy: the memory of a chunk may be used again for the next. */
async function readBlockBytes(reader: ByteReader, facts: BlockFacts): Promise<Block> {
  return { ...facts, bytes: Buffer.from(await taken(reader, facts.length)) };
}

const BLOCK_HEADER_BYTES = 3;

function readBlockHeader(bytes: Buffer): BlockFacts {
  const value = bytes.readUIntLE(0, BLOCK_HEADER_BYTES);
  const [type, size] = [(value >> 1) & 3, value >> 3];
  if (type === RESERVED) throw new ZstdFault('a block of a type that is reserved');
  if (size > MOST_BLOCK_BYTES) throw new ZstdFault('a block that is too large');
  const length = type === RUN_LENGTH ? 1 : size;
  return { isLast: (value & 1) !== 0, type, size, length, header: Buffer.from(bytes) };
}

async function taken(reader: ByteReader, length: number): Promise<Buffer> {
  const bytes = await reader.take(length);
  if (bytes.length < length) throw new ZstdFault('data that are cut off');
  return bytes;
}

/**
 * The last bytes of a frame's content. Memory is taken for the largest window that came by, and the system gives it page
 * by page as it is filled. When it is full, the window moves to its beginning, after at least a quarter of its size.
 */
class SlidingWindow {
  #bytes = new Uint8Array(0);
  #end = 0;
  #taken = 0;
  #window = 0;
  #capacity = 0;
  #state = newZstdState();

  begin({ windowBytes, contentBytes }: ZstdFrameHeader): void {
    const room = Math.max(windowBytes >> 2, 2 * MOST_BLOCK_BYTES);
    const needed = windowBytes + room;
    this.#capacity = contentBytes === undefined ? needed : Math.min(needed, contentBytes + 2 * MOST_BLOCK_BYTES);
    if (this.#bytes.length < this.#capacity) this.#bytes = new Uint8Array(this.#capacity);
    this.#window = windowBytes;
    this.#end = 0;
    this.#taken = 0;
    this.#state = newZstdState();
  }

  /** Content that was decoded and not taken yet. */
  get pendingBytes(): number {
    return this.#end - this.#taken;
  }

  /** Everything is to be taken before the next block. */
  get isFull(): boolean {
    return this.#end + MOST_BLOCK_BYTES > this.#capacity;
  }

  /** A copy of what is pending; none where that is nothing. */
  *take(): Generator<Uint8Array, void, undefined> {
    const content = this.#bytes.slice(this.#taken, this.#end);
    this.#taken = this.#end;
    if (content.length > 0) yield content;
  }

  /** Answers how long the block's content is. */
  decode({ type, size, bytes }: Block): number {
    if (this.isFull) this.#slide();
    const start = this.#end;
    if (type === RAW) {
      this.#bytes.set(bytes, start);
      this.#end += size;
    } else if (type === RUN_LENGTH) {
      this.#bytes.fill(bytes[0]!, start, start + size);
      this.#end += size;
    } else {
      this.#end = decodeZstdBlock(bytes, this.#state, { bytes: this.#bytes, start, window: this.#window });
    }
    return this.#end - start;
  }

  #slide(): void {
    const kept = Math.min(this.#window, this.#end);
    this.#bytes.copyWithin(0, this.#end - kept, this.#end);
    this.#end = kept;
    this.#taken = kept;
  }
}
