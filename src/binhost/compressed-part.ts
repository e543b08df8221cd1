import { compress } from '../layer/compress.ts';
import { decompress } from '../layer/decompress.ts';
import { sha256 } from '../model/digest.ts';
import { type IndexContent, indexPartText, parseIndexPart } from './index-part.ts';
import { decodeUtf8, type PartReference } from './pointer.ts';

/** Of a part, uncompressed: two million entries. */
const MOST_PART_BYTES = 512 * 2 ** 20;

/** A part of the index as it lies at a place, and how the pointer refers to it. */
export async function compressPart(
  content: IndexContent,
): Promise<{ readonly reference: PartReference; readonly bytes: Buffer }> {
  const text = indexPartText(content);
  // What readers would refuse must never be committed: it would hide everything else at the place.
  parseIndexPart(text);
  const bytes = await collected(compress(once(Buffer.from(text)), 'zstd'));
  return { reference: { digest: sha256(bytes), size: bytes.length, entries: entryCount(content) }, bytes };
}

/** Bytes whose digest has been verified; a `BuilditError` or a `FieldFault` says why they are no part all the same. */
export async function readPart(bytes: Uint8Array): Promise<IndexContent> {
  const limits = { what: 'index of a binhost', maxBytes: MOST_PART_BYTES, maxRatio: 1000 };
  return parseIndexPart(decodeUtf8(await collected(decompress(once(bytes), 'zstd', limits))));
}

export function entryCount({ packages, containers }: IndexContent): number {
  return packages.length + containers.length;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
