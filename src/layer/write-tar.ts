import type { LayerEntry, LayerListing } from '../model/layer.ts';
import { comparePaths } from './path-order.ts';
import { headerBlocks } from './tar-blocks.ts';
import { BLOCK_SIZE } from './tar-header.ts';

export type LayerFileEntry = LayerEntry & { readonly type: 'file' };
export type ReadContent = (entry: LayerFileEntry) => AsyncIterable<Uint8Array> | Uint8Array;

/**
 * Writes a layer: every entry in the listing's order, which must be that of the bytes of paths, then two blocks of zeros.
 * Nothing but the listing and the contents enters the bytes. Throws where the listing is out of order, a hard link
 * does not point back to a file, or a content is longer or shorter than the listing says.
 *
 * Chunks are at most a few hundred kilobytes more than the largest chunk of `readContent`.
 */
export async function* layerTar(
  entries: LayerListing,
  readContent: ReadContent,
): AsyncGenerator<Uint8Array, void, undefined> {
  checkOrder(entries);
  const batch = startBatch();
  for (const entry of entries) {
    yield* batch.add(headerBlocks(entry));
    if (entry.type === 'file' && entry.size > 0) {
      const content = readContent(entry);
      if (content instanceof Uint8Array) {
        checkSize(entry, content.length);
        yield* batch.add(content);
      } else {
        let size = 0;
        for await (const chunk of content) {
          size += chunk.length;
          yield* batch.add(chunk);
        }
        checkSize(entry, size);
      }
      yield* batch.add(padding(entry.size));
    }
  }
  yield* batch.add(END);
  yield* batch.rest();
}

/** POSIX: at least two blocks of zeros; exactly two here. */
const END = Buffer.alloc(2 * BLOCK_SIZE);
const ZEROS = Buffer.alloc(BLOCK_SIZE);
const BATCH_BYTES = 256 * 1024;
/** Passed on as it is: copying it costs more than one chunk more. */
const LARGE_CHUNK_BYTES = 16 * 1024;

function padding(size: number): Buffer {
  return ZEROS.subarray(0, (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE);
}

interface Batch {
  /** Takes a piece, and answers what is to be passed on now. */
  add(bytes: Uint8Array): readonly Uint8Array[];
  rest(): readonly Uint8Array[];
}

const NOTHING: readonly Uint8Array[] = [];

/** Joins small pieces, so that consumers get few chunks. */
function startBatch(): Batch {
  let pieces: Uint8Array[] = [];
  let size = 0;
  function rest(): readonly Uint8Array[] {
    if (size === 0) return NOTHING;
    const joined = pieces.length === 1 ? pieces : [Buffer.concat(pieces, size)];
    pieces = [];
    size = 0;
    return joined;
  }
  return {
    add(bytes) {
      if (bytes.length === 0) return NOTHING;
      if (bytes.length >= LARGE_CHUNK_BYTES) return [...rest(), bytes];
      pieces.push(bytes);
      size += bytes.length;
      return size < BATCH_BYTES ? NOTHING : rest();
    },
    rest,
  };
}

function checkOrder(entries: LayerListing): void {
  const files = new Set<string>();
  let previous = '';
  for (const entry of entries) {
    if (comparePaths(previous, entry.path) >= 0) {
      throw new TypeError(`Cannot write a layer: "${entry.path}" comes after "${previous}"`);
    }
    previous = entry.path;
    if (entry.type === 'file') files.add(entry.path);
    if (entry.type === 'hardlink' && !files.has(entry.target)) {
      throw new TypeError(`Cannot write a layer: no file "${entry.target}" before the hard link "${entry.path}"`);
    }
  }
}

function checkSize(entry: LayerFileEntry, size: number): void {
  if (size !== entry.size) {
    throw new TypeError(`Cannot write a layer: "${entry.path}" has ${size} bytes, its listing says ${entry.size}`);
  }
}
