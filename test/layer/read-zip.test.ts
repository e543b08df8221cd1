import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesInMemory } from '../../src/layer/archive-bytes.ts';
import { readZip } from '../../src/layer/read-zip.ts';
import { DEFAULT_TAR_LIMITS } from '../../src/layer/tar-limits.ts';
import { BuilditError } from '../../src/model/errors.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { collect } from './raw-tar.ts';
import { dataDescriptor, extraField, type RawZipEntry, rawZip, zip64Field } from './raw-zip.ts';

const members = async (archive: Buffer, options: Parameters<typeof readZip>[1] = {}) => {
  const found = [];
  for await (const { path, type, mode, mtime, content, target } of readZip(bytesInMemory(archive), options)) {
    const text = type === 'symlink' ? target : (await collect(content)).toString();
    found.push({ path, type, mode, mtime, text });
  }
  return found;
};

async function refusal(archive: Buffer, options: Parameters<typeof readZip>[1] = {}): Promise<string> {
  try {
    await members(archive, options);
  } catch (error) {
    expect(error).toBeInstanceOf(BuilditError);
    expect((error as BuilditError).code).toBe('archive-refused');
    return (error as BuilditError).message;
  }
  throw new Error('nothing was refused');
}

/** Larger than what is handed out whole. */
const large = 'large '.repeat(50_000);

const open: RawZipEntry = { name: 'a', content: 'hello', flags: 8, local: { crc: 0, bytes: 0, packedBytes: 0 } };

const unicodePath = (name: string) =>
  extraField(0x7075, Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), Buffer.from(name)]));

describe('a zip archive', () => {
  test('gives files, stored and deflated, and directories, and symbolic links with their text', async () => {
    const archive = rawZip([
      { name: 'a/' },
      { name: 'a/x', content: 'hello'.repeat(100), mode: 0o100755, date: (40 << 9) | (2 << 5) | 3 },
      { name: 'a/ü', content: 'stored', stored: true },
      { name: 'a/large', content: large },
      { name: 'l', content: '../../etc/passwd', mode: 0o120777 },
      { name: 's', content: '/a', stored: true, mode: 0o120755 },
    ]);
    expect(await members(archive)).toEqual([
      { path: 'a', type: 'directory', mode: 0o755, mtime: 0, text: '' },
      { path: 'a/x', type: 'file', mode: 0o755, mtime: Date.UTC(2020, 1, 3) / 1000, text: 'hello'.repeat(100) },
      { path: 'a/ü', type: 'file', mode: 0o644, mtime: 0, text: 'stored' },
      { path: 'a/large', type: 'file', mode: 0o644, mtime: 0, text: large },
      { path: 'l', type: 'symlink', mode: 0o777, mtime: 0, text: '../../etc/passwd' },
      { path: 's', type: 'symlink', mode: 0o777, mtime: 0, text: '/a' },
    ]);
    expect(await members(rawZip([]))).toEqual([]);
  });

  requires('python3').test('of another program is read, with a comment at its end', async () => {
    const path = join(temporaryDirectory(), 'x.zip');
    const program =
      'import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED)\nz.comment = b"PK"\nz.writestr("d/e.txt", "text " * 999)\nz.close()';
    execFileSync('python3', ['-c', program, path]);
    expect(await members(readFileSync(path))).toMatchObject([{ path: 'd/e.txt', text: 'text '.repeat(999) }]);
  });

  test.each<[string, RawZipEntry, RegExp]>([
    ['a path upwards', { name: '../x' }, /a relative name/],
    ['a path upwards in the middle', { name: 'a/../../x' }, /a relative name/],
    ['an absolute path', { name: '/etc/passwd' }, /a relative name/],
    ['a NUL', { name: 'a\0b' }, /without NUL/],
    ['no name', { name: '' }, /a relative name/],
    ['a . inside', { name: 'a/./b' }, /without empty/],
    ['a ./ in front', { name: './a' }, /a clean relative path/],
    ['two slashes at the end', { name: 'a//' }, /a relative name/],
    ['a name that is not UTF-8', { name: Buffer.from('caf\x82', 'latin1') }, /a name in UTF-8, found "caf\\x82"/],
    ['a symbolic link to nothing', { name: 'a', content: '', mode: 0o120777 }, /the target of a link/],
    ['a symbolic link with NUL', { name: 'a', content: 'b\0c', mode: 0o120777 }, /without NUL/],
    ['a symbolic link to much', { name: 'a', content: 'b'.repeat(5000), mode: 0o120777 }, /found 5000/],
    ['a symbolic link that is a directory', { name: 'a/', mode: 0o120777 }, /a directory/],
    ['a device', { name: 'a', mode: 0o020666 }, /found a character device/],
    ['a fifo', { name: 'a', mode: 0o010666 }, /found a fifo/],
    ['a socket', { name: 'a', mode: 0o140666 }, /found a socket/],
    ['another name in its own header', { name: 'a', localName: 'b' }, /one name, found also "b"/],
    ['another size in its own header', { name: 'a', content: 'x', local: { bytes: 2 } }, /what the directory says/],
    ['another CRC in its own header', { name: 'a', content: 'x', local: { crc: 2 } }, /what the directory says/],
    ['another method in its own header', { name: 'a', content: 'x', local: { method: 0 } }, /what the directory says/],
    ['other flags in its own header', { name: 'a', content: 'x', local: { flags: 8 } }, /what the directory says/],
    ['a password', { name: 'a', content: 'x', flags: 1 }, /an encrypted one/],
    ['a strong password', { name: 'a', content: 'x', flags: 0x41 }, /an encrypted one/],
    ['an unknown compression', { name: 'a', content: 'x', method: 77 }, /compression method 77/],
    ['Deflate64', { name: 'a', content: 'x', method: 9 }, /compressed by Deflate64/],
    ['bzip2', { name: 'a', content: 'x', method: 12 }, /compressed by bzip2/],
    ['LZMA', { name: 'a', content: 'x', method: 14 }, /compressed by LZMA/],
    ['a wrong CRC', { name: 'a', content: 'x', crc: 1 }, /its CRC/],
    ['a wrong CRC of a large content', { name: 'a', content: large, crc: 1 }, /its CRC/],
    ['more bytes than it says', { name: 'a', content: 'x'.repeat(1000), bytes: 10 }, /10 deflated bytes, found more/],
    ['fewer bytes than it says', { name: 'a', content: 'x', bytes: 10 }, /10 bytes, found 1/],
    ['more large bytes than it says', { name: 'a', content: large, bytes: 70_000 }, /70000 bytes, found more/],
    ['fewer large bytes than it says', { name: 'a', content: large, bytes: 400_000 }, /400000 bytes, found 300000/],
    ['fewer stored bytes than it says', { name: 'a', content: 'x', stored: true, bytes: 2 }, /2 stored bytes, found 1/],
    ['damaged data', { name: 'a', content: 'x', packed: Buffer.from('ffff', 'hex') }, /damaged data/],
    ['bytes behind a content', { name: 'a', content: 'x', hidden: 'HIDDEN' }, /6 hidden bytes/],
    ['bytes behind a large content', { name: 'a', content: large, hidden: 'HIDDEN' }, /6 hidden bytes/],
    ['bytes behind a link', { name: 'a', content: 'x', hidden: 'HIDDEN', mode: 0o120777 }, /6 hidden bytes/],
    ['bytes in a directory', { name: 'a/', hidden: 'HIDDEN' }, /one with content/],
    ['bytes behind a member', { name: 'a', content: 'x', tail: Buffer.from('HIDDEN') }, /6 other bytes at/],
    ['another path in an extra field', { name: 'a', extra: unicodePath('../outside') }, /also "..\/outside"/],
    ['one in its own header alone', { name: 'a', localExtra: unicodePath('b') }, /also "b"/],
    ['an extra field that is cut off', { name: 'a', extra: Buffer.from('7570ff000102', 'hex') }, /cut off/],
    ['a size of zip64 that is not there', { name: 'a', bytes: 0xffffffff }, /the sizes of zip64/],
    [
      'a size of zip64 cut off',
      { name: 'a', bytes: 0xffffffff, extra: extraField(1, Buffer.alloc(4)) },
      /fewer of them/,
    ],
    ['a size of zip64 twice', { name: 'a', extra: Buffer.concat([zip64Field(1), zip64Field(2)]) }, /two of them/],
    ['a beginning elsewhere', { name: 'a', content: 'xyz', offset: 5 }, /a header/],
    ['a beginning behind the end', { name: 'a', offset: 0xfffffff0 }, /a header/],
    ['a directory with content', { name: 'a/', content: 'x' }, /a directory, found one with content/],
  ])('is refused with %s', async (_, entry, message) => {
    expect(await refusal(rawZip([entry]))).toMatch(message);
  });

  test('is refused with one member twice, or two in one place', async () => {
    expect(await refusal(rawZip([{ name: 'a' }, { name: 'a' }]))).toMatch(/each member once/);
    expect(await refusal(rawZip([{ name: 'a' }, { name: 'a', localName: 'a', offset: 0 }]))).toMatch(
      /each member once/,
    );
    const overlapping = rawZip([
      { name: 'a', content: rawZip([{ name: 'b' }]), stored: true },
      { name: 'b', offset: 31 },
    ]);
    expect(await refusal(overlapping)).toMatch(/members that lie apart/);
    // As zip bombs do: many members with one content.
    const content = 'x'.repeat(1000);
    const shared = rawZip([
      { name: 'a', content },
      { name: 'a', content, offset: 0 },
    ]);
    expect(await refusal(shared, { isSource: true })).toMatch(/members that lie apart/);
  });

  test('is refused with bytes before it, behind it, or a count that lies', async () => {
    expect(await refusal(rawZip([{ name: 'a' }], { before: Buffer.from('#!/bin/sh\n') }))).toMatch(
      /a member at its beginning/,
    );
    expect(await refusal(rawZip([{ name: 'a' }], { after: Buffer.from('x') }))).toMatch(/found none, a truncated one/);
    expect(await refusal(rawZip([{ name: 'a' }], { count: 2 }))).toMatch(/a directory of 2 members/);
    expect(await refusal(rawZip([{ name: 'a' }, { name: 'b' }], { count: 1 }))).toMatch(/1 members in its directory/);
  });

  test('of a source may have a member again, and names that lead through . and empty elements', async () => {
    const archive = rawZip([
      { name: './' },
      { name: './a', content: '1' },
      { name: 'a', content: '2' },
      { name: 'b//c/./d', content: '3' },
    ]);
    const found = await members(archive, { isSource: true });
    expect(found.map(({ path, text }) => [path, text])).toEqual([
      ['a', '1'],
      ['a', '2'],
      ['b/c/d', '3'],
    ]);
    for (const name of ['../a', '/a', 'a/../b', '.', 'a/..']) {
      expect(await refusal(rawZip([{ name }]), { isSource: true })).toMatch(/Cannot unpack/);
    }
  });

  test.each<[string, Buffer]>([
    ['a data descriptor', rawZip([{ ...open, tail: dataDescriptor('hello', 7) }])],
    ['one of zip64', rawZip([{ ...open, tail: dataDescriptor('hello', 7, true) }])],
    ['one without signature', rawZip([{ ...open, tail: dataDescriptor('hello', 7).subarray(4) }])],
    ['one of zip64 without signature', rawZip([{ ...open, tail: dataDescriptor('hello', 7, true).subarray(4) }])],
    ['sizes of zip64', rawZip([{ name: 'a', content: 'hello', bytes: 0xffffffff, extra: zip64Field(5) }])],
    ['the end of zip64', rawZip([{ name: 'a', content: 'hello' }], { zip64: true })],
    ['the filling that aligns a content', rawZip([{ name: 'a', content: 'hello', localExtra: Buffer.alloc(3) }])],
    ['its own path in an extra field', rawZip([{ name: 'a', content: 'hello', extra: unicodePath('a') }])],
    ['a comment that looks like its end', rawZip([{ name: 'a', content: 'hello' }], { comment: 'PK\x05\x06 or so' })],
  ])('is read with %s', async (_, archive) => {
    expect((await members(archive)).map(({ path, text }) => [path, text])).toEqual([['a', 'hello']]);
  });

  test('is refused with a data descriptor that says something else, or none', async () => {
    for (const tail of [dataDescriptor('other', 7), Buffer.alloc(0), Buffer.alloc(16)]) {
      expect(await refusal(rawZip([{ ...open, tail }]))).toMatch(/a data descriptor behind the content/);
    }
  });

  test('cut anywhere is refused', async () => {
    const whole = rawZip([
      { name: 'a', content: 'hello' },
      { name: 'b', content: 'world' },
    ]);
    for (let length = 0; length < whole.length; length += 1) await refusal(whole.subarray(0, length));
  });

  test('never gives other content where a byte of it is flipped', async () => {
    const whole = rawZip([{ name: 'a', content: 'hello' }]);
    for (let at = 0; at < whole.length; at += 1) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 0x41;
      try {
        for (const { text } of await members(flipped)) expect(text).toMatch(/^(?:hello)?$/);
      } catch (error) {
        expect(error).toBeInstanceOf(BuilditError);
      }
    }
  });

  test('keeps within its limits', async () => {
    const archive = rawZip([{ name: 'a/b/c', content: 'x'.repeat(1000) }, { name: 'd' }]);
    for (const limits of [{ maxBytes: 999 }, { maxEntries: 1 }, { maxDepth: 2 }, { maxNameBytes: 4 }]) {
      expect(await refusal(archive, { limits: { ...DEFAULT_TAR_LIMITS, ...limits } })).toMatch(/bearable size|at most/);
    }
  });
});
