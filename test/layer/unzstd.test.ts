import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compress } from '../../src/layer/compress.ts';
import { sampleText } from '../../src/layer/compress-frame.ts';
import { unzstd } from '../../src/layer/unzstd.ts';
import { readZstdHeader, zstdHeaderLength } from '../../src/layer/zstd-frame.ts';
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
  const magic = Buffer.from('28b52ffd', 'hex');
  const lastEmptyBlock = Buffer.from('010000', 'hex');
  const frame = (...header: number[]) => Buffer.concat([magic, Buffer.from(header), lastEmptyBlock]);
  const skipped = Buffer.from('502a4d1804000000abcdef01', 'hex');
  const small = () => collect(compress(inChunks(sample.subarray(0, 1000)), 'zstd'));
  const decoded = (bytes: Buffer, size = 1000) => collect(unzstd(inChunks(bytes, size), nothing));

  test('refuses a frame that asks for more memory than the program zstd would give it, wherever it is', async () => {
    expect(await decoded(frame(0x00, 17 << 3))).toHaveLength(0);
    const [large, whole] = [frame(0x00, (17 << 3) + 1), await small()];
    const single = frame(0xa0, 0x01, 0x00, 0x00, 0x08);
    for (const before of [[], [whole], [skipped], [whole, skipped, frame(0x00, 0)]]) {
      for (const bad of [large, single]) {
        await expect(decoded(Buffer.concat([...before, bad]))).rejects.toThrow(/128 MiB/);
      }
    }
  });

  test.each<[string, Buffer, RegExp]>([
    ['a dictionary', frame(0x01, 0x00, 0x07), /needs a dictionary/],
    ['a dictionary with a number of four bytes', frame(0x03, 0x00, 0, 0, 0, 1), /needs a dictionary/],
    ['a reserved bit', frame(0x08, 0x00), /bit that is reserved/],
    ['a reserved block', Buffer.concat([magic, Buffer.from('0000070000', 'hex')]), /type that is reserved/],
    ['a block above 128 KiB', Buffer.concat([magic, Buffer.from('000001001800', 'hex')]), /too large/],
    [
      'the magic number of an old version',
      Buffer.concat([Buffer.from('27b52ffd', 'hex'), Buffer.alloc(9)]),
      /other bytes/,
    ],
    ['text', Buffer.from('text and more'), /other bytes/],
    ['a skippable frame cut off', skipped.subarray(0, 10), /cut off/],
    ['the length of a giant skippable frame', Buffer.from('502a4d18ffffffff00', 'hex'), /cut off/],
    ['a header cut off', Buffer.concat([magic, Buffer.from([0xc0, 0x00, 1])]), /cut off/],
    ['fewer bytes than it says', frame(0xa0, 0, 0, 0x80, 0), /another size|code -20/],
  ])('refuses %s, first and behind another frame', async (_, bytes, message) => {
    await expect(decoded(bytes)).rejects.toThrow(message);
    await expect(decoded(Buffer.concat([await small(), bytes]), 7)).rejects.toThrow(message);
  });

  test('reads empty frames, and frames that say that they need dictionary 0', async () => {
    expect(await decoded(Buffer.concat([frame(0x00, 0x00), frame(0x01, 0x00, 0x00), frame(0x20, 0x00)]))).toHaveLength(
      0,
    );
    expect(await decoded(Buffer.alloc(0))).toHaveLength(0);
  });

  test('takes no longer for windows that are large and blocks that are many', async () => {
    // 256 kB of each: blocks without content, blocks of one byte, frames.
    const window = 17 << 3;
    const many = (unit: string) => Buffer.from(unit.repeat(Math.floor(2 ** 19 / unit.length)), 'hex');
    const start = process.cpuUsage();
    await decoded(Buffer.concat([magic, Buffer.from([0, window]), many('000000'), lastEmptyBlock]), 65_536);
    const ones = Buffer.concat([magic, Buffer.from([0, window]), many('08000041'), lastEmptyBlock]);
    expect((await decoded(ones, 65_536)).length).toBe(2 ** 16);
    await decoded(many(`28b52ffd00${window.toString(16)}010000`), 65_536);
    const { user } = process.cpuUsage(start);
    expect(user / 1e6).toBeLessThan(3);
  }, 60_000);

  test('refuses damaged blocks, or gives some other content, and never reads or writes elsewhere', async () => {
    const whole = Buffer.from(await collect(compress(inChunks(sample.subarray(0, 20_000)), 'zstd')));
    // Without the size of its content it is streamed.
    const { contentBytes } = readZstdHeader(whole.subarray(4));
    expect(contentBytes).toBe(20_000);
    const streamed = Buffer.concat([magic, Buffer.from([0x00, 0x28]), whole.subarray(4 + zstdHeaderLength(whole[4]!))]);
    await fc.assert(
      fc.asyncProperty(fc.nat(streamed.length - 7), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = Buffer.from(streamed);
        damaged[6 + at]! ^= flip;
        await decoded(damaged, 65_536).catch((error) => expect(error).toBeInstanceOf(Error));
      }),
      { numRuns: 200 },
    );
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
    expect(readZstdHeader(bytes.subarray(4))).toMatchObject({ contentBytes: sample.length });
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
