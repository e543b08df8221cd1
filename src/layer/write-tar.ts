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
  const batch = new Batch();
  // Plain loops: `yield*` of an array waits for a promise even where the array is empty.
  for (const entry of entries) {
    for (const chunk of batch.add(headerBlocks(entry))) yield chunk;
    if (entry.type === 'file' && entry.size > 0) {
      const content = readContent(entry);
      if (content instanceof Uint8Array) {
        checkSize(entry, content.length);
        for (const chunk of batch.add(content)) yield chunk;
      } else {
        let size = 0;
        for await (const part of content) {
          size += part.length;
          for (const chunk of batch.add(part)) yield chunk;
        }
        checkSize(entry, size);
      }
      for (const chunk of batch.add(padding(entry.size))) yield chunk;
    }
  }
  for (const chunk of batch.add(END)) yield chunk;
  for (const chunk of batch.rest()) yield chunk;
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

const NOTHING: readonly Uint8Array[] = [];

/** Joins small pieces, so that consumers get few chunks. */
class Batch {
  #pieces: Uint8Array[] = [];
  #size = 0;

  /** Takes a piece, and answers what is to be passed on now. */
  add(bytes: Uint8Array): readonly Uint8Array[] {
    if (bytes.length === 0) return NOTHING;
    if (bytes.length >= LARGE_CHUNK_BYTES) return this.#size === 0 ? [bytes] : [...this.rest(), bytes];
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    return this.#size < BATCH_BYTES ? NOTHING : this.rest();
  }

  rest(): readonly Uint8Array[] {
    if (this.#size === 0) return NOTHING;
    const joined = this.#pieces.length === 1 ? this.#pieces : [Buffer.concat(this.#pieces, this.#size)];
    this.#pieces = [];
    this.#size = 0;
    return joined;
  }
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
