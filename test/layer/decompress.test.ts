import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { compress } from '../../src/layer/compress.ts';
import { sampleText } from '../../src/layer/compress-frame.ts';
import { type Compression, decompress, detectCompression } from '../../src/layer/decompress.ts';
import { requires } from '../support/requires.ts';
import { collect, inChunks } from './raw-tar.ts';

const sample = Buffer.from(sampleText());
const hostPrograms = ['xz', 'bzip2', 'zstd', 'gzip'] as const;
const none = () => undefined;

const packed = (program: string, input: Buffer = sample) =>
  execFileSync(program, ['-c', '-1'], { input, maxBuffer: 2 ** 28 });

describe.each(hostPrograms)('decompress what the program %s made', (program) => {
  requires(program).test('and tell it by its first bytes', async () => {
    const bytes = packed(program);
    expect(detectCompression(bytes)).toBe(program);
    expect((await collect(decompress(inChunks(bytes), program))).equals(sample)).toBe(true);
    expect((await collect(decompress(inChunks(bytes, 100), program))).equals(sample)).toBe(true);
  });

  requires(program).test('also concatenated', async () => {
    const bytes = Buffer.concat([packed(program), packed(program)]);
    expect((await collect(decompress(inChunks(bytes), program))).length).toBe(2 * sample.length);
  });

  requires(program).test('but not cut off', async () => {
    const bytes = packed(program);
    for (const length of [bytes.length - 1, Math.floor(bytes.length / 2), 20]) {
      const cut = collect(decompress(inChunks(bytes.subarray(0, length)), program, { what: 'x.tar' }));
      await expect(cut).rejects.toMatchObject({ code: 'archive-refused', message: expect.stringContaining('"x.tar"') });
    }
  });

  requires(program).test('but not as another compression', async () => {
    const other: Compression = program === 'xz' ? 'gzip' : 'xz';
    await expect(collect(decompress(inChunks(packed(program)), other))).rejects.toMatchObject({
      code: 'archive-refused',
    });
  });

  requires(program).test('no more of it than was allowed', async () => {
    const bytes = packed(program);
    const exact = { maxBytes: sample.length };
    expect((await collect(decompress(inChunks(bytes), program, exact))).length).toBe(sample.length);
    const less = { maxBytes: sample.length - 1 };
    await expect(collect(decompress(inChunks(bytes), program, less))).rejects.toMatchObject({
      code: 'archive-refused',
    });
  });

  requires(program).test('an error of the input is what is told', async () => {
    async function* failing() {
      yield packed(program).subarray(0, 3000);
      throw new Error('the input failed');
    }
    await expect(collect(decompress(failing(), program))).rejects.toThrow('the input failed');
  });

  requires(program).test('a reader can stop early', async () => {
    const bytes = packed(program, Buffer.concat(Array.from({ length: 6 }, () => sample)));
    for await (const _ of decompress(inChunks(bytes), program)) break;
  });
});

describe('small xz data', () => {
  requires('xz').test('with a check that only the program knows are left to it', async () => {
    const bytes = execFileSync('xz', ['-c', '--check=sha256'], { input: sample });
    expect((await collect(decompress(inChunks(bytes), 'xz'))).equals(sample)).toBe(true);
    const without = collect(decompress(inChunks(bytes), 'xz', { findProgram: none }));
    await expect(without).rejects.toMatchObject({ code: 'archive-refused' });
  });

  requires('xz').test('are verified by their own checksum', async () => {
    for (const check of ['crc32', 'crc64']) {
      const bytes = execFileSync('xz', ['-c', `--check=${check}`], { input: 'a short text' });
      for (let at = 0; at < bytes.length; at += 1) {
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= 0x10;
        const reading = collect(decompress(inChunks(damaged), 'xz', { findProgram: none }));
        await expect(reading).rejects.toMatchObject({ code: 'archive-refused' });
      }
    }
  });

  requires('xz').test('many at once are read side by side', async () => {
    const inputs = Array.from({ length: 8 }, (_, i) => Buffer.alloc(100_000 + i, `${i}`));
    const read = await Promise.all(inputs.map((input) => collect(decompress(inChunks(packed('xz', input), 50), 'xz'))));
    expect(read.every((bytes, i) => bytes.equals(inputs[i]!))).toBe(true);
  });
});

describe('without programs of the host', () => {
  requires('xz').test('xz gives the same bytes', async () => {
    const bytes = packed('xz');
    expect((await collect(decompress(inChunks(bytes), 'xz', { findProgram: none }))).equals(sample)).toBe(true);
  });

  requires('xz').test('damaged and cut off xz data are refused', async () => {
    const bytes = packed('xz');
    const cut = bytes.subarray(0, bytes.length - 30);
    await expect(collect(decompress(inChunks(cut), 'xz', { findProgram: none }))).rejects.toMatchObject({
      code: 'archive-refused',
    });
    const damaged = Buffer.from(bytes);
    damaged[5000]! ^= 1;
    await expect(collect(decompress(inChunks(damaged), 'xz', { findProgram: none }))).rejects.toMatchObject({
      code: 'archive-refused',
    });
  });

  requires('xz').test('an error of the input is what is told', async () => {
    async function* failing() {
      yield packed('xz').subarray(0, 3000);
      throw new Error('the input failed');
    }
    await expect(collect(decompress(failing(), 'xz', { findProgram: none }))).rejects.toThrow('the input failed');
  });

  test('bzip2 says what is missing and what to do', async () => {
    const reading = collect(decompress(inChunks(Buffer.from('BZh9')), 'bzip2', { findProgram: none }));
    await expect(reading).rejects.toMatchObject({
      code: 'input-invalid',
      hint: expect.stringContaining('install bzip2'),
    });
  });
});

describe('bombs', () => {
  const zeros = Buffer.alloc(80 * 2 ** 20);

  requires('xz').test('of xz are refused by their ratio', async () => {
    const bomb = packed('xz', zeros);
    expect(bomb.length * 1100).toBeLessThan(zeros.length);
    await expect(collect(decompress(inChunks(bomb), 'xz'))).rejects.toThrow(/times its size/);
    expect((await collect(decompress(inChunks(bomb), 'xz', { maxRatio: 1e6 }))).length).toBe(zeros.length);
  });

  test('of zstd are refused while one chunk of input is decoded', async () => {
    // Run-length blocks: 4 bytes for 128 KiB each (RFC 8878 3.1.1.2).
    const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]);
    const size = 128 * 1024;
    const block = (last: number) => Buffer.from([((size << 3) & 0xff) | 2 | last, (size >> 5) & 0xff, size >> 13, 0]);
    const bomb = Buffer.concat([header, ...Array.from({ length: 8000 }, () => block(0)), block(1)]);
    const before = process.memoryUsage().arrayBuffers;
    await expect(collect(decompress(inChunks(bomb, bomb.length), 'zstd'))).rejects.toThrow(/times its size/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(256 * 2 ** 20);
  });

  test('of deflate are as large as they may be, and pass up to the limit on bytes', async () => {
    const bomb = gzipSync(zeros);
    expect((await collect(decompress(inChunks(bomb), 'gzip'))).length).toBe(zeros.length);
    await expect(collect(decompress(inChunks(bomb), 'gzip', { maxBytes: 1000 }))).rejects.toThrow(/at most 1000 bytes/);
  });
});

test('bytes that are not compressed pass, up to the limit', async () => {
  expect(detectCompression(sample)).toBe('none');
  expect((await collect(decompress(inChunks(sample), 'none'))).equals(sample)).toBe(true);
  await expect(collect(decompress(inChunks(sample), 'none', { maxBytes: 10 }))).rejects.toMatchObject({
    code: 'archive-refused',
  });
});

test('what compress made of two frames is read whole', async () => {
  const bytes = Buffer.concat(Array.from({ length: 12 }, () => sample));
  const compressed = await collect(compress(inChunks(bytes), 'zstd'));
  expect((await collect(decompress(inChunks(compressed, 777), 'zstd'))).equals(bytes)).toBe(true);
});
