import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decompress } from '../../src/layer/decompress.ts';
import { readTar } from '../../src/layer/read-tar.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { collect, collectMembers, inChunks, rawMember, rawPax, rawTar } from './raw-tar.ts';

/** As a spool is read: every chunk lies where the one before lay. */
async function* inTheSameMemory(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const memory = Buffer.alloc(size);
  for (let start = 0; start < bytes.length; start += size) {
    const chunk = bytes.subarray(start, start + size);
    memory.set(chunk);
    yield memory.subarray(0, chunk.length);
    memory.fill(0xee);
  }
}

/** More than a spool is worth having for, hardly compressible, and never the same twice in a chunk. */
const large = Buffer.concat([randomBytes(3_000_000), Buffer.alloc(2_000_000, 'b'), randomBytes(70_001)]);

async function spooled(compressed: Buffer, spool: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of decompress(inChunks(compressed), 'xz', { spool })) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe('a tar whose bytes come in memory that is used again', () => {
  const long = (name: string) => `${'directory/'.repeat(30)}${name}`;
  const tar = rawTar(
    ...Array.from({ length: 12 }, (_, i) =>
      Buffer.concat([
        rawMember({ type: 'L', name: '././@LongLink' }, `${long(`gnu-${i}`)}\0`),
        rawMember({ name: 'short' }, `gnu ${i} `.repeat(i * 40)),
        rawPax({ path: long(`pax-${i}`), 'SCHILY.xattr.user.note': `${i}`.repeat(700) }),
        rawMember({ name: 'short' }, `pax ${i} `.repeat(i * 90)),
      ]),
    ),
  );

  test.each([512, 513, 1000, 4096, 65_536])('is read as any other, %i bytes at a time', async (size) => {
    const expected = await collectMembers(readTar(inChunks(tar, tar.length), { what: 'a.tar' }));
    expect(expected.length).toBe(24);
    expect(expected[23]!.path.toString()).toBe(long('pax-11'));
    expect(await membersWithCopies(inTheSameMemory(tar, size))).toEqual(expected);
  });

  /** `collectMembers` with a copy of each chunk, as a reader of passing memory makes one. */
  async function membersWithCopies(bytes: AsyncIterable<Uint8Array>) {
    const members = async function* () {
      for await (const member of readTar(bytes, { what: 'a.tar' })) {
        yield member.whole === undefined ? { ...member, content: copies(member.content) } : member;
      }
    };
    return collectMembers(members());
  }

  async function* copies(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) yield Buffer.from(chunk);
  }
});

requires('xz').describe('xz through a spool', () => {
  const compressed = execFileSync('xz', ['-0', '-c'], { input: large, maxBuffer: 2 ** 27 });

  test('gives the same bytes and leaves no file', async () => {
    const directory = temporaryDirectory();
    expect((await spooled(compressed, join(directory, 'spool'))).equals(large)).toBe(true);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('damaged and cut off data are refused, and leave no file', async () => {
    const directory = temporaryDirectory();
    const damaged = Buffer.from(compressed);
    damaged[compressed.length >> 1]! ^= 1;
    for (const bytes of [damaged, compressed.subarray(0, -1000)]) {
      await expect(spooled(bytes, join(directory, 'spool'))).rejects.toMatchObject({ code: 'archive-refused' });
      expect(readdirSync(directory)).toEqual([]);
    }
  });

  test('an error of the input comes through as it is', async () => {
    async function* failing() {
      yield compressed.subarray(0, 1_000_000);
      throw new Error('the input failed');
    }
    const options = { spool: join(temporaryDirectory(), 'spool') };
    await expect(collect(decompress(failing(), 'xz', options))).rejects.toThrow('the input failed');
  });

  test('may be left early', async () => {
    const directory = temporaryDirectory();
    for await (const _ of decompress(inChunks(compressed), 'xz', { spool: join(directory, 'spool') })) break;
    expect(readdirSync(directory)).toEqual([]);
  });

  test('counts what comes out', async () => {
    const bomb = execFileSync('xz', ['-0', '-c'], { input: Buffer.alloc(90_000_000), maxBuffer: 2 ** 27 });
    const options = { spool: join(temporaryDirectory(), 'spool'), maxBytes: 50_000_000 };
    await expect(collect(decompress(inChunks(bomb), 'xz', options))).rejects.toMatchObject({ code: 'archive-refused' });
  });
});
