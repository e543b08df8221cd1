import { execFileSync } from 'node:child_process';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { bytesInMemory } from '../../src/layer/archive-bytes.ts';
import { parseCapabilityAttribute } from '../../src/layer/capability-attribute.ts';
import { decompress, detectCompression } from '../../src/layer/decompress.ts';
import { readElf } from '../../src/layer/elf.ts';
import { elfSymbols } from '../../src/layer/elf-symbols.ts';
import { readElfTraits } from '../../src/layer/elf-traits.ts';
import { parsePaxRecords } from '../../src/layer/pax-records.ts';
import { type ReadTarOptions, readTar } from '../../src/layer/read-tar.ts';
import { readZip } from '../../src/layer/read-zip.ts';
import type { TarMember } from '../../src/layer/tar-member.ts';
import { inChunks, rawHeader, rawMember, rawPax, rawPaxRecord } from '../layer/raw-tar.ts';
import { extraField, type RawZipEntry, rawZip } from '../layer/raw-zip.ts';
import { behind, COMMON, type HostileReader, type Pattern, repeated } from './hostile-reader.ts';

/** Whole units of bytes. */
function units(
  name: string,
  unit: (index: number) => Buffer,
  before: Buffer = Buffer.alloc(0),
  after: Buffer = Buffer.alloc(0),
): Pattern {
  return {
    name,
    make(bytes) {
      const parts: Buffer[] = [before];
      for (let length = before.length + after.length, index = 0; ; index += 1) {
        const next = unit(index);
        length += next.length;
        if (length > bytes && index > 0) break;
        parts.push(next);
      }
      return Buffer.concat([...parts, after]);
    },
  };
}

const same = (name: string, unit: Buffer, before?: Buffer, after?: Buffer) => units(name, () => unit, before, after);

async function drained(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}

async function drainedMembers(members: AsyncIterable<TarMember>): Promise<void> {
  for await (const { content } of members) await drained(content);
}

const END = Buffer.alloc(1024);
const padded = (index: number) => String(index).padStart(6, '0');

const TARS: readonly Pattern[] = [
  ...COMMON.slice(0, 30),
  units('empty files', (index) => rawMember({ name: `f${padded(index)}` }), undefined, END),
  same('the same file', rawMember({ name: 'f' }), undefined, END),
  units('directories', (index) => rawMember({ name: `d${padded(index)}/`, type: '5' }), undefined, END),
  units(
    'deep directories',
    (index) => rawMember({ name: `${'a/'.repeat(40)}${padded(index)}`, type: '5' }),
    undefined,
    END,
  ),
  units('deep files', (index) => rawMember({ name: `${padded(index)}/${'a/'.repeat(40)}f` }), undefined, END),
  units(
    'links',
    (index) => rawMember({ name: `l${padded(index)}`, type: '2', link: `l${padded(index + 1)}` }),
    undefined,
    END,
  ),
  units(
    'hard links',
    (index) => rawMember({ name: `h${padded(index)}`, type: '1', link: 'f' }),
    rawMember({ name: 'f' }),
    END,
  ),
  units(
    'pax headers',
    (index) => Buffer.concat([rawPax({ path: `p${padded(index)}` }), rawMember({})]),
    undefined,
    END,
  ),
  same('pax headers alone', rawPax({ path: 'a' }), undefined, END),
  same('global headers', rawPax({ comment: 'a' }, 'g'), undefined, END),
  same(
    'long names',
    Buffer.concat([rawMember({ name: '././@LongLink', type: 'L' }, `${'a'.repeat(200)}\0`), rawMember({ name: 'a' })]),
    undefined,
    END,
  ),
  same('volume labels', rawMember({ name: 'a', type: 'V' }), undefined, END),
  same('a sum that is wrong', rawHeader({ checksumError: 1 })),
  {
    name: 'one pax header of tiny records',
    make: (bytes) =>
      Buffer.concat([
        rawMember(
          { type: 'x', name: 'p' },
          Buffer.concat(Array.from({ length: Math.floor(bytes / 8) }, () => rawPaxRecord('a', 'b'))),
        ),
        rawMember({}),
        END,
      ]),
  },
  {
    name: 'one long name',
    make: (bytes) =>
      Buffer.concat([
        rawMember({ name: '././@LongLink', type: 'L' }, 'a/'.repeat(bytes / 2 - 1000)),
        rawMember({}),
        END,
      ]),
  },
  { name: 'one file', make: (bytes) => Buffer.concat([rawMember({ name: 'a' }, Buffer.alloc(bytes - 2000)), END]) },
];

const tarReader = (name: string, options: ReadTarOptions): HostileReader => ({
  name,
  patterns: TARS,
  feed: (bytes) => drainedMembers(readTar(inChunks(bytes), options)),
});

function zips(name: string, entry: (index: number) => RawZipEntry): Pattern {
  return {
    name,
    make(bytes) {
      const one = rawZip([entry(0)]).length - 22;
      return rawZip(
        Array.from({ length: Math.max(1, Math.min(65_535, Math.floor(bytes / one))) }, (_, index) => entry(index)),
      );
    },
  };
}

const zeros = deflateRawSync(Buffer.alloc(16 * 2 ** 20), { level: 9 });

const ZIPS: readonly Pattern[] = [
  ...COMMON.slice(0, 30),
  zips('empty files', (index) => ({ name: `f${padded(index)}`, stored: true })),
  zips('small files', (index) => ({ name: `f${padded(index)}`, content: 'a' })),
  zips('directories', (index) => ({ name: `d${padded(index)}/`, stored: true })),
  zips('deep files', (index) => ({ name: `${padded(index)}/${'a/'.repeat(60)}f`, stored: true })),
  zips('the same file', () => ({ name: 'f', stored: true })),
  zips('extra fields', (index) => ({
    name: `f${padded(index)}`,
    stored: true,
    extra: Buffer.concat(Array.from({ length: 100 }, () => extraField(0x9999, Buffer.alloc(0)))),
  })),
  zips('links', (index) => ({
    name: `l${padded(index)}`,
    content: `l${padded(index + 1)}`,
    stored: true,
    mode: 0o120777,
  })),
  zips('members at one place', (index) => ({ name: `f${padded(index)}`, content: 'a'.repeat(1000), offset: 0 })),
  zips('zeros', (index) => ({ name: `f${padded(index)}`, packed: zeros, bytes: 16 * 2 ** 20 })),
  repeated('PK\x05\x06'),
  repeated('PK\x03\x04'),
  repeated('PK\x01\x02'),
  repeated('PK\x05\x06\0\0\0\0'),
];

const MAGIC = Buffer.from('28b52ffd', 'hex');
/** A frame with a window of 128 MiB and no size. */
const FRAME = Buffer.concat([MAGIC, Buffer.from([0, 17 << 3])]);
const LAST = Buffer.from([1, 0, 0]);
const SMALL_FRAME = Buffer.concat([MAGIC, Buffer.from([0x00, 0x00]), LAST]);

/** RFC 8878, 3.1.1.2: type and size of a block, then its bytes. */
function block(type: 'raw' | 'run' | 'compressed', bytes: Buffer, size = bytes.length): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (['raw', 'run', 'compressed'].indexOf(type) << 1), 0, 3);
  return Buffer.concat([header, bytes]);
}

/** Literals of one byte `size` times (3.1.1.3.1). */
function run(size: number): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size * 16) | 1 | 12, 0, 3);
  return Buffer.concat([header, Buffer.from('a')]);
}

/** `count` sequences of tables with one symbol each, which take no bits at all (3.1.1.3.2). */
function sequences(count: number, literals: number, offset: number, match: number): Buffer {
  const number = Buffer.from([255, (count - 0x7f00) & 255, (count - 0x7f00) >> 8]);
  return Buffer.concat([
    count < 0x7f00 ? Buffer.from([(count >> 8) + 128, count & 255]) : number,
    Buffer.from([0x54, literals, offset, match]),
    Buffer.from([1]),
  ]);
}

const raw = (length: number) => Buffer.concat([Buffer.from([(length & 31) << 3]), Buffer.alloc(length, 'a')]);
const HEAD = block('raw', Buffer.alloc(1000, 'b'));

const LONG_LITERALS = Buffer.concat([run(43_690)]);

/** Frames that say how large they are go to another decoder. */
function sized(...blocks: readonly Buffer[]): Buffer {
  const last = Buffer.from(blocks.at(-1)!);
  last[0]! |= 1;
  const size = Buffer.alloc(4);
  size.writeUInt32LE(blocks.length * 131_072);
  return Buffer.concat([MAGIC, Buffer.from([0xa0]), size, ...blocks.slice(0, -1), last]);
}

const ZSTDS: readonly Pattern[] = [
  ...behind('\x28\xb5\x2f\xfd'),
  ...behind('\x28\xb5\x2f\xfd\0\x88'),
  same('empty frames', SMALL_FRAME),
  same('empty frames with a large window', Buffer.concat([FRAME, LAST])),
  same('frames of one byte that say so', Buffer.concat([MAGIC, Buffer.from([0x20, 1, 9, 0, 0, 97])])),
  same('frames to be skipped', Buffer.from('502a4d1800000000', 'hex')),
  same('empty blocks', block('raw', Buffer.alloc(0)), FRAME),
  same('blocks of one byte', block('raw', Buffer.from('a')), FRAME),
  same('runs of one byte', block('run', Buffer.from('a'), 1), FRAME),
  same('runs of 128 KiB', block('run', Buffer.from('a'), 131_072), FRAME),
  same('runs of literals', block('compressed', Buffer.concat([run(131_072), Buffer.from([0])])), FRAME),
  same(
    'sequences that take no bits',
    block('compressed', Buffer.concat([raw(0), sequences(43_690, 0, 0, 0)])),
    Buffer.concat([FRAME, HEAD]),
  ),
  same(
    'sequences of one literal that take no bits',
    block('compressed', Buffer.concat([run(32_768), sequences(32_768, 1, 0, 0)])),
    Buffer.concat([FRAME, HEAD]),
  ),
  same(
    'one such block a frame',
    Buffer.concat([FRAME, HEAD, block('compressed', Buffer.concat([LONG_LITERALS, sequences(29_126, 1, 0, 0)])), LAST]),
  ),
  same(
    'frames of runs that say their size',
    sized(...Array.from({ length: 64 }, () => block('run', Buffer.from('a'), 131_072))),
  ),
  same(
    'blocks with tables of their own',
    block('compressed', Buffer.concat([raw(0), Buffer.from([1, 0x00, 0xff, 0xff, 0xff, 0xff])])),
    Buffer.concat([FRAME, HEAD]),
  ),
  {
    name: 'zeros',
    make: (bytes) =>
      Buffer.concat([
        FRAME,
        ...Array.from({ length: Math.floor((bytes - 9) / 4) }, () => block('run', Buffer.from([0]), 131_072)),
        LAST,
      ]),
  },
];

const emptyGzip = gzipSync('', { level: 9 });
const gzipped = gzipSync(Buffer.alloc(64 * 2 ** 20), { level: 9 });

const GZIPS: readonly Pattern[] = [
  ...behind('\x1f\x8b\x08'),
  ...behind('\x1f\x8b\x08\x08\0\0\0\0\0\0'),
  same('empty members', emptyGzip),
  same('members of one byte', gzipSync('a')),
  same('empty blocks', Buffer.from('000000ffff', 'hex'), emptyGzip.subarray(0, 10)),
  same('zeros', gzipped),
  same('empty blocks with tables', Buffer.from('04c081080000000020b6fdc3', 'hex'), emptyGzip.subarray(0, 10)),
];

function packed(program: string, input: Buffer): Buffer {
  return execFileSync(program, ['-c', '-9'], { input, maxBuffer: 2 ** 28 });
}

const lazily = (name: string, make: () => Buffer): Pattern => {
  let made: Buffer | undefined;
  return {
    name,
    make(bytes) {
      made ??= make();
      return Buffer.concat(Array.from({ length: Math.max(1, Math.floor(bytes / made.length)) }, () => made!));
    },
  };
};

const XZS: readonly Pattern[] = [
  ...behind('\xfd7zXZ\0\0\x04'),
  lazily('empty streams', () => packed('xz', Buffer.alloc(0))),
  lazily('streams of one byte', () => packed('xz', Buffer.from('a'))),
  lazily('zeros', () => packed('xz', Buffer.alloc(32 * 2 ** 20))),
];

const BZIP2S: readonly Pattern[] = [
  ...behind('BZh9'),
  lazily('empty streams', () => packed('bzip2', Buffer.alloc(0))),
  lazily('streams of one byte', () => packed('bzip2', Buffer.from('a'))),
  lazily('zeros', () => packed('bzip2', Buffer.alloc(32 * 2 ** 20))),
];

function decoder(
  name: string,
  kind: 'gzip' | 'xz' | 'zstd' | 'bzip2',
  patterns: readonly Pattern[],
  hasProgram = true,
): HostileReader {
  return {
    name,
    patterns: [...COMMON.slice(0, 20), ...patterns],
    feed: (bytes) => {
      detectCompression(bytes);
      return drained(decompress(inChunks(bytes), kind, hasProgram ? {} : { findProgram: () => undefined }));
    },
  };
}

/** An ELF file for x86_64 with one segment of a kind that is all of the file. */
function elf(
  ...segments: readonly { readonly kind: number; readonly offset: number; readonly size: number }[]
): Buffer {
  const header = Buffer.alloc(64 + 56 * segments.length);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(3, 16);
  header.writeUInt16LE(62, 18);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(segments.length, 56);
  for (const [index, { kind, offset, size }] of segments.entries()) {
    const at = 64 + 56 * index;
    header.writeUInt32LE(kind, at);
    header.writeBigUInt64LE(BigInt(offset), at + 8);
    header.writeBigUInt64LE(BigInt(offset), at + 16);
    header.writeBigUInt64LE(BigInt(size), at + 32);
    header.writeBigUInt64LE(BigInt(size), at + 40);
  }
  return header;
}

function dynamic(tag: number, value: number): Buffer {
  const entry = Buffer.alloc(16);
  entry.writeBigUInt64LE(BigInt(tag), 0);
  entry.writeBigUInt64LE(BigInt(value), 8);
  return entry;
}

const LIBRARY = elf({ kind: 2, offset: 176, size: 65_536 }, { kind: 1, offset: 0, size: 1_000_000 });
const strings = [dynamic(5, 0), dynamic(10, 1_000_000)];
const tables = (needs: number) =>
  Buffer.concat([
    ...strings,
    dynamic(0x6ffffffe, needs),
    dynamic(0x6fffffff, 65_535),
    dynamic(0x6ffffffc, needs),
    dynamic(0x6ffffffd, 65_535),
  ]);
/** Elf64_Verneed that leads to itself, or a little further. */
const need = (next: number, aux: number, count: number) => {
  const entry = Buffer.alloc(16);
  entry.writeUInt16LE(1, 0);
  entry.writeUInt16LE(count, 2);
  entry.writeUInt32LE(100, 4);
  entry.writeUInt32LE(aux, 8);
  entry.writeUInt32LE(next, 12);
  return entry;
};

const ELFS: readonly Pattern[] = [
  ...COMMON.slice(0, 20),
  ...behind('\x7fELF\x02\x01\x01'),
  same(
    'segments',
    elf({ kind: 2, offset: 64, size: 1_000_000 }).subarray(64),
    (() => {
      const header = elf();
      header.writeUInt16LE(65_535, 56);
      return header;
    })(),
  ),
  same('needed libraries', dynamic(1, 64), Buffer.concat([LIBRARY, ...strings])),
  units(
    'needed libraries, each another',
    (index) => dynamic(1, 1000 + index * 7),
    Buffer.concat([LIBRARY, ...strings]),
  ),
  same('run paths', dynamic(29, 64), Buffer.concat([LIBRARY, ...strings])),
  same(
    'one long name',
    Buffer.from('a'),
    Buffer.concat([LIBRARY, ...strings, ...Array.from({ length: 4000 }, (_, index) => dynamic(1, 64_500 + index))]),
  ),
  same('versions that lead to themselves', need(0, 16, 65_535), Buffer.concat([LIBRARY, tables(400)])),
  same('versions of versions', need(16, 16, 65_535), Buffer.concat([LIBRARY, tables(400)])),
  same('versions next to each other', need(1, 1, 65_535), Buffer.concat([LIBRARY, tables(400)])),
  repeated('/', { before: elf({ kind: 3, offset: 120, size: 1_000_000 }).toString('latin1') }),
  same(
    'sections',
    Buffer.alloc(64, 2),
    (() => {
      const header = elf({ kind: 2, offset: 64, size: 1000 });
      header.writeBigUInt64LE(120n, 40);
      header.writeUInt16LE(64, 58);
      header.writeUInt16LE(65_535, 60);
      return header;
    })(),
  ),
];

export const ARCHIVE_READERS: readonly HostileReader[] = [
  tarReader('tar, strictly', {}),
  tarReader('tar of a source', { isSource: true }),
  tarReader('tar of a source of Debian', { isSource: true, names: 'bytes' }),
  {
    name: 'records of a pax header',
    patterns: [
      ...COMMON.slice(0, 50),
      repeated('6 a=b\n'),
      repeated('5 a=\n'),
      repeated('9', { after: ' a=b\n' }),
      repeated('10 path=a\n'),
      repeated('a', { before: '999999 ' }),
    ],
    feed: (bytes) => [parsePaxRecords(bytes), parseCapabilityAttribute(bytes)],
  },
  { name: 'zip', patterns: ZIPS, feed: (bytes) => drainedMembers(readZip(bytesInMemory(bytes))) },
  {
    name: 'zip of a source',
    patterns: ZIPS,
    feed: (bytes) => drainedMembers(readZip(bytesInMemory(bytes), { isSource: true })),
  },
  decoder('gzip', 'gzip', GZIPS),
  decoder('zstd', 'zstd', ZSTDS),
  decoder('xz', 'xz', XZS),
  decoder('xz, without the program', 'xz', XZS, false),
  decoder('bzip2', 'bzip2', BZIP2S),
  {
    name: 'ELF',
    patterns: ELFS,
    feed: (bytes) => {
      const source = {
        size: bytes.length,
        read: (offset: number, length: number) => bytes.subarray(offset, offset + length),
      };
      return [readElf('a', bytes), readElfTraits(source), elfSymbols(source, ['system', 'popen', 'execvp'])];
    },
  },
];
