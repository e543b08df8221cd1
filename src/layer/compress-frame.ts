import zlib, { gzipSync } from 'node:zlib';
import type { LayerCompression } from '../model/container.ts';
import { loadZstd } from './load-zstd.ts';

/** Compresses one frame: the same bytes on every machine, Node and thread. */
export type CompressFrame = (bytes: Uint8Array) => Uint8Array;

export type FrameCompression = Exclude<LayerCompression, 'none'>;

const ZSTD_LEVEL = 3;
/** Of the wasm codec. */
const ZSTD_RELEASE = '1.5.7';
const GZIP_LEVEL = 6;

/** Makes a codec ready; costs a few milliseconds the first time. */
export async function loadFrameCompressor(compression: FrameCompression): Promise<CompressFrame> {
  loaded[compression] ??= compression === 'zstd' ? zstdCompressor() : gzipCompressor();
  return loaded[compression];
}

const loaded: { [Key in FrameCompression]?: Promise<CompressFrame> } = {};

/** The wasm codec is the frozen compressor; Node's own, twice as fast, takes its place like zlib below. */
async function zstdCompressor(): Promise<CompressFrame> {
  const zstd = await loadZstd();
  const frozen: CompressFrame = (bytes) => zstd.compress(bytes as Buffer, ZSTD_LEVEL);
  const native = nativeZstd();
  return native !== undefined && areEqualOn(sampleText(), frozen, native) ? native : frozen;
}

/** What Node has since 22.15. Only the release that the wasm codec was made of promises its bytes. */
function nativeZstd(): CompressFrame | undefined {
  const { zstdCompressSync, constants } = zlib as unknown as NodeZstd;
  if (zstdCompressSync === undefined || process.versions.zstd !== ZSTD_RELEASE) return undefined;
  return (bytes) =>
    zstdCompressSync(bytes, {
      // With less room than a frame can ever need, libzstd goes through a buffer of its own and splits other blocks.
      chunkSize: bytes.length + (bytes.length >> 8) + 1024,
      pledgedSrcSize: bytes.length,
      params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
    });
}

/** The part of node:zlib that older releases lack. */
interface NodeZstd {
  readonly zstdCompressSync?: (
    bytes: Uint8Array,
    options: { chunkSize: number; pledgedSrcSize: number; params: Record<number, number> },
  ) => Uint8Array;
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
}

/** pako is the frozen compressor; Node's own zlib takes its place where it is seen to give the same bytes. */
async function gzipCompressor(): Promise<CompressFrame> {
  const { gzip } = await import('pako');
  const frozen: CompressFrame = (bytes) => gzip(bytes, { level: GZIP_LEVEL });
  const native: CompressFrame = (bytes) => gzipSync(bytes, { level: GZIP_LEVEL });
  return areEqualOn(sampleText(), frozen, native) ? native : frozen;
}

function areEqualOn(sample: Uint8Array, a: CompressFrame, b: CompressFrame): boolean {
  return Buffer.from(a(sample)).equals(b(sample));
}

/**
 * Something of everything a package holds: words, repeated tables with small changes, runs, and bytes that do not
 * compress. Large enough for several deflate windows and blocks, so that another hash chain, another lazy match or
 * another block boundary shows.
 */
export function sampleText(): Uint8Array {
  const bytes = Buffer.alloc(384 * 1024);
  let state = 12_345;
  const random = (limit: number) => {
    // Numerical Recipes' linear congruential generator; the high bits are the random ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const words = Array.from({ length: 700 }, () =>
    String.fromCharCode(...Array.from({ length: 2 + random(9) }, () => 97 + random(26))),
  );
  for (let offset = 0; offset < bytes.length; ) {
    const kind = random(8);
    if (kind < 4) offset += bytes.write(`${words[Math.min(random(700), random(700))]} `, offset, 'latin1');
    else if (kind === 4) offset += copyWithin(bytes, offset, random(offset + 1), random(300));
    else if (kind === 5) offset = fill(bytes, offset, random(40), () => random(256));
    else if (kind === 6) offset = fill(bytes, offset, random(90), () => 0);
    else offset = fill(bytes, offset, 16, (i) => (i % 4 === 0 ? random(4) : i));
  }
  return bytes;
}

function copyWithin(bytes: Buffer, offset: number, source: number, length: number): number {
  return bytes.copy(bytes, offset, source, Math.min(offset, source + length));
}

function fill(bytes: Buffer, start: number, length: number, byteAt: (index: number) => number): number {
  const end = Math.min(bytes.length, start + length);
  for (let i = start; i < end; i += 1) bytes[i] = byteAt(i - start);
  return end;
}
