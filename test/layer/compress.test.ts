import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { gzip } from 'pako';
import { describe, expect, test } from 'vitest';
import { compress, encoderOf, mediaTypeOf } from '../../src/layer/compress.ts';
import { loadFrameCompressor, sampleText } from '../../src/layer/compress-frame.ts';
import { decompress } from '../../src/layer/decompress.ts';
import { FRAME_BYTES } from '../../src/layer/frame-memory.ts';
import { loadZstd } from '../../src/layer/load-zstd.ts';
import { sha256 } from '../../src/model/digest.ts';
import { requires } from '../support/requires.ts';
import { collect, inChunks } from './raw-tar.ts';

const sample = sampleText();

/** Three frames, the last one short. */
const large = Buffer.concat(Array.from({ length: 26 }, (_, i) => Buffer.concat([Buffer.from(`${i}`), sample])));

const golden = {
  zstd: {
    name: 'zstd-3-4m-1',
    small: '0880b67961cb6353bca9ad3a422f327603125d7289788c6ba50a624384939bd7',
    large: '142d07e488ccd0bbce2da3f342f02edba4609f13f44e418b073eff6904a9e610',
  },
  gzip: {
    name: 'gzip-6-4m-1',
    small: 'e7f31d155591d0066d85f92ef8c902e42eb5dbd7a7d3abd413d11bb11652f7b8',
    large: '702c6799445c7087f9d903cdc3c4595a3f8972dab711ef86e86085fdfff80cd2',
  },
} as const;

describe.each(['zstd', 'gzip'] as const)('compress with %s', (compression) => {
  test('gives the bytes that its encoder name stands for', async () => {
    expect(encoderOf(compression)).toBe(golden[compression].name);
    expect(sha256(await collect(compress(inChunks(sample), compression)))).toBe(golden[compression].small);
    expect(sha256(await collect(compress(inChunks(large), compression)))).toBe(golden[compression].large);
  });

  test('does not depend on how the input is cut, nor on the threads that do it', async () => {
    const compressFrame = await loadFrameCompressor(compression);
    const frames: Uint8Array[] = [];
    for (let start = 0; start < large.length; start += FRAME_BYTES) {
      frames.push(compressFrame(large.subarray(start, start + FRAME_BYTES)));
    }
    const expected = Buffer.concat(frames);
    for (const size of [1000, FRAME_BYTES, large.length]) {
      expect((await collect(compress(inChunks(large, size), compression))).equals(expected)).toBe(true);
    }
  });

  test('many streams at once do not disturb each other', async () => {
    const inputs = Array.from({ length: 6 }, (_, i) =>
      Buffer.concat([Buffer.from(`${i}`), large.subarray(0, 5_000_000)]),
    );
    const together = await Promise.all(inputs.map((input) => collect(compress(inChunks(input), compression))));
    for (const [i, input] of inputs.entries()) {
      expect(together[i]!.equals(await collect(compress(inChunks(input), compression)))).toBe(true);
    }
  });

  test('gives back what went in, also nothing at all', async () => {
    for (const bytes of [large, sample, Buffer.alloc(0), Buffer.alloc(FRAME_BYTES)]) {
      const compressed = await collect(compress(inChunks(bytes), compression));
      expect(compressed.length).toBeGreaterThan(0);
      expect((await collect(decompress(inChunks(compressed), compression))).equals(bytes)).toBe(true);
    }
  });

  requires(compression).test('the common program decompresses it', async () => {
    const compressed = await collect(compress(inChunks(large), compression));
    const output = execFileSync(compression, ['-dc'], { input: compressed, maxBuffer: 2 ** 27 });
    expect(output.equals(large)).toBe(true);
  });

  test('lets an error of its input through', async () => {
    async function* failing() {
      yield large;
      throw new Error('the input failed');
    }
    await expect(collect(compress(failing(), compression))).rejects.toThrow('the input failed');
  });

  test('can be stopped early', async () => {
    for await (const _ of compress(inChunks(large), compression)) break;
  });
});

test('gzip gives what the frozen compressor gives, native or not', async () => {
  const compressFrame = await loadFrameCompressor('gzip');
  const bytes = large.subarray(0, 3_000_000);
  expect(Buffer.from(compressFrame(bytes)).equals(Buffer.from(gzip(bytes, { level: 6 })))).toBe(true);
});

test('zstd gives what the wasm codec gives, native or not, for frames of every size', async () => {
  const compressFrame = await loadFrameCompressor('zstd');
  const wasm = await loadZstd();
  const sizes = [0, 1, 255, 256, 16_383, 131_072, 131_073, 262_144, 1_000_003, FRAME_BYTES - 1, FRAME_BYTES];
  for (const input of [large, randomBytes(FRAME_BYTES), Buffer.alloc(FRAME_BYTES)]) {
    for (const size of sizes) {
      const bytes = input.subarray(0, size);
      expect(Buffer.from(compressFrame(bytes)).equals(Buffer.from(wasm.compress(bytes, 3))), `${size} bytes`).toBe(
        true,
      );
    }
  }
});

test('the sample tells another compressor apart', () => {
  const frozen = Buffer.from(gzip(sample, { level: 6 }));
  for (const other of [{ level: 5 }, { level: 7 }, { level: 6, memLevel: 9 }, { level: 6, windowBits: 14 }]) {
    expect(gzipSync(sample, other).equals(frozen)).toBe(false);
  }
});

test('none passes the bytes on', async () => {
  expect((await collect(compress(inChunks(sample), 'none'))).equals(sample)).toBe(true);
  expect(mediaTypeOf('none')).toBe('application/vnd.oci.image.layer.v1.tar');
});

test('a gzip header says nothing of the time or the machine', async () => {
  const compressed = await collect(compress(inChunks(sample), 'gzip'));
  expect(compressed.subarray(0, 10).toString('hex')).toBe('1f8b0800000000000003');
  expect(gunzipSync(compressed).equals(sample)).toBe(true);
});
