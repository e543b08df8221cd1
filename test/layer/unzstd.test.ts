import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compress } from '../../src/layer/compress.ts';
import { sampleText } from '../../src/layer/compress-frame.ts';
import { unzstd } from '../../src/layer/unzstd.ts';
import { measureZstdFrame } from '../../src/layer/zstd-frame.ts';
import { requires } from '../support/requires.ts';
import { collect, inChunks } from './raw-tar.ts';

const sample = Buffer.from(sampleText());
const nothing = () => undefined;

requires('zstd').describe('unzstd reads what the program zstd makes', () => {
  const zstd = (input: Buffer, ...options: string[]) =>
    execFileSync('zstd', ['-q', '-c', ...options], { input, maxBuffer: 2 ** 28 });

  test.each([
    ['without the size of its content', []],
    ['with it', [`--stream-size=${sample.length}`]],
    ['with no checksum', ['--no-check']],
    ['at another level', ['-19']],
    ['with a long window', ['--long=27']],
  ])('%s', async (_, options) => {
    const bytes = zstd(sample, ...options);
    for (const size of [bytes.length, 1000, 7]) {
      expect((await collect(unzstd(inChunks(bytes, size), nothing))).equals(sample)).toBe(true);
    }
  });

  test('of every small size', async () => {
    for (const size of [0, 1, 5, 255, 256, 257, 65_791, 65_792]) {
      const content = sample.subarray(0, size);
      const bytes = zstd(content, ...(size === 0 ? [] : [`--stream-size=${size}`]));
      expect((await collect(unzstd(inChunks(bytes), nothing))).equals(content)).toBe(true);
    }
  });

  test('frames with and without sizes, and frames to be skipped, in one stream', async () => {
    const skipped = Buffer.from('502a4d1804000000abcdef01', 'hex');
    const sized = zstd(sample, `--stream-size=${sample.length}`);
    const bytes = Buffer.concat([sized, skipped, zstd(sample), sized]);
    expect((await collect(unzstd(inChunks(bytes, 999), nothing))).length).toBe(3 * sample.length);
  });
});

describe('unzstd', () => {
  test('refuses a frame that asks for more memory than the program zstd would give it', async () => {
    const frame = (window: number) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, window, 0x01, 0x00, 0x00]);
    expect(await collect(unzstd(inChunks(frame(17 << 3)), nothing))).toHaveLength(0);
    await expect(collect(unzstd(inChunks(frame((17 << 3) + 1)), nothing))).rejects.toThrow(/128 MiB/);
  });

  test('is told of each piece, and stops when that throws', async () => {
    const bytes = await collect(compress(inChunks(Buffer.concat(Array.from({ length: 12 }, () => sample))), 'zstd'));
    let told = 0;
    await collect(unzstd(inChunks(bytes), (length) => (told += length)));
    expect(told).toBe(12 * sample.length);
    const stopped = collect(
      unzstd(inChunks(bytes), () => {
        throw new Error('enough');
      }),
    );
    await expect(stopped).rejects.toThrow('enough');
  });

  test('refuses every stream that is cut off', async () => {
    const bytes = await collect(compress(inChunks(sample), 'zstd'));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: bytes.length - 1 }), async (length) => {
        await expect(collect(unzstd(inChunks(bytes.subarray(0, length)), nothing))).rejects.toThrow(Error);
      }),
      { numRuns: 50 },
    );
  });

  test('refuses a frame whose content is not as long as it says', async () => {
    const bytes = Buffer.from(await collect(compress(inChunks(sample), 'zstd')));
    const frame = measureZstdFrame(bytes);
    expect(frame).toMatchObject({ length: bytes.length, contentSize: sample.length });
    bytes.writeUInt32LE(sample.length - 1, 5 + ((bytes[4]! & 0x20) === 0 ? 1 : 0));
    await expect(collect(unzstd(inChunks(bytes), nothing))).rejects.toThrow(Error);
  });

  test('closes its input when its consumer stops', async () => {
    let isClosed = false;
    async function* input() {
      try {
        yield* inChunks(await collect(compress(inChunks(sample), 'zstd')), 1000);
        yield* inChunks(sample);
      } finally {
        isClosed = true;
      }
    }
    for await (const _ of unzstd(input(), nothing)) break;
    expect(isClosed).toBe(true);
  });
});

test('measureZstdFrame never reads past the end, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const frame = measureZstdFrame(Buffer.concat([Buffer.from('28b52ffd', 'hex'), bytes]));
      if (typeof frame === 'object') expect(frame.length).toBeLessThanOrEqual(bytes.length + 4);
    }),
  );
});
