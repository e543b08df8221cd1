import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readZip } from '../../src/layer/read-zip.ts';
import { DEFAULT_TAR_LIMITS } from '../../src/layer/tar-limits.ts';
import { BuilditError } from '../../src/model/errors.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type RawZipEntry, rawZip } from './raw-zip.ts';

const members = (archive: Buffer) =>
  [...readZip(archive)].map(({ path, type, mode, mtime, whole }) => ({
    path,
    type,
    mode,
    mtime,
    text: String(whole ?? ''),
  }));

function refusal(archive: Buffer, options: Parameters<typeof readZip>[1] = {}): string {
  try {
    [...readZip(archive, options)];
  } catch (error) {
    expect(error).toBeInstanceOf(BuilditError);
    expect((error as BuilditError).code).toBe('archive-refused');
    return (error as BuilditError).message;
  }
  throw new Error('nothing was refused');
}

describe('a zip archive', () => {
  test('gives files, stored and deflated, and directories', () => {
    const archive = rawZip([
      { name: 'a/' },
      { name: 'a/x', content: 'hello'.repeat(100), mode: 0o100755, date: (40 << 9) | (2 << 5) | 3 },
      { name: 'a/ü', content: 'stored', stored: true },
    ]);
    expect(members(archive)).toEqual([
      { path: 'a', type: 'directory', mode: 0o755, mtime: 0, text: '' },
      { path: 'a/x', type: 'file', mode: 0o755, mtime: Date.UTC(2020, 1, 3) / 1000, text: 'hello'.repeat(100) },
      { path: 'a/ü', type: 'file', mode: 0o644, mtime: 0, text: 'stored' },
    ]);
    expect(members(rawZip([]))).toEqual([]);
  });

  requires('python3').test('of another program is read, with a comment at its end', () => {
    const path = join(temporaryDirectory(), 'x.zip');
    const program =
      'import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED)\nz.comment = b"PK"\nz.writestr("d/e.txt", "text " * 999)\nz.close()';
    execFileSync('python3', ['-c', program, path]);
    expect(members(readFileSync(path))).toMatchObject([{ path: 'd/e.txt', text: 'text '.repeat(999) }]);
  });

  test.each<[string, RawZipEntry, RegExp]>([
    ['a path upwards', { name: '../x' }, /a clean relative path/],
    ['a path upwards in the middle', { name: 'a/../../x' }, /a clean relative path/],
    ['an absolute path', { name: '/etc/passwd' }, /a clean relative path/],
    ['a NUL', { name: 'a\0b' }, /a clean relative path/],
    ['no name', { name: '' }, /a clean relative path/],
    ['two slashes at the end', { name: 'a//' }, /a clean relative path/],
    ['a name that is not UTF-8', { name: Buffer.from([0xff, 0xfe]) }, /names in UTF-8/],
    ['a symbolic link', { name: 'a', content: '/etc', mode: 0o120777 }, /a file or a directory/],
    ['a device', { name: 'a', mode: 0o020666 }, /a file or a directory/],
    ['another name in its own header', { name: 'a', localName: 'b' }, /one name, found also "b"/],
    ['a password', { name: 'a', content: 'x', flags: 1 }, /an encrypted one/],
    ['another compression', { name: 'a', content: 'x', method: 12 }, /compression method 12/],
    ['a wrong CRC', { name: 'a', content: 'x', crc: 1 }, /its CRC/],
    ['more bytes than it says', { name: 'a', content: 'x'.repeat(1000), bytes: 10 }, /10 deflated bytes/],
    ['fewer bytes than it says', { name: 'a', content: 'x', bytes: 10 }, /10 bytes, found 1/],
    ['a size of zip64', { name: 'a', bytes: 0xffffffff }, /zip64/],
    ['a beginning elsewhere', { name: 'a', content: 'xyz', offset: 5 }, /a header/],
    ['a beginning behind the end', { name: 'a', offset: 0xfffffff0 }, /a header/],
    ['a directory with content', { name: 'a/', content: 'x' }, /a directory, found one with content/],
  ])('is refused with %s', (_, entry, message) => {
    expect(refusal(rawZip([entry]))).toMatch(message);
  });

  test('is refused with one member twice, or two in one place', () => {
    expect(refusal(rawZip([{ name: 'a' }, { name: 'a' }]))).toMatch(/each member once/);
    expect(refusal(rawZip([{ name: 'a' }, { name: 'a', localName: 'a', offset: 0 }]))).toMatch(/each member once/);
    const overlapping = rawZip([
      { name: 'a', content: rawZip([{ name: 'b' }]), stored: true },
      { name: 'b', offset: 31 },
    ]);
    expect(refusal(overlapping)).toMatch(/members that lie apart/);
  });

  test('is refused with bytes before it, behind it, or a count that lies', () => {
    expect(refusal(rawZip([{ name: 'a' }], { before: Buffer.from('#!/bin/sh\n') }))).toMatch(
      /a member at its beginning/,
    );
    expect(refusal(rawZip([{ name: 'a' }], { after: Buffer.from('x') }))).toMatch(/found none, or a truncated one/);
    expect(refusal(rawZip([{ name: 'a' }], { count: 2 }))).toMatch(/a directory of members/);
    expect(refusal(rawZip([{ name: 'a' }, { name: 'b' }], { count: 1 }))).toMatch(/1 members in its directory/);
  });

  test('cut anywhere is refused', () => {
    const whole = rawZip([
      { name: 'a', content: 'hello' },
      { name: 'b', content: 'world' },
    ]);
    for (let length = 0; length < whole.length; length += 1) refusal(whole.subarray(0, length));
  });

  test('never gives other content where a byte of it is flipped', () => {
    const whole = rawZip([{ name: 'a', content: 'hello' }]);
    for (let at = 0; at < whole.length; at += 1) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 0x41;
      try {
        for (const { whole: content } of readZip(flipped)) expect(String(content ?? '')).toMatch(/^(?:hello)?$/);
      } catch (error) {
        expect(error).toBeInstanceOf(BuilditError);
      }
    }
  });

  test('keeps within its limits', () => {
    const archive = rawZip([{ name: 'a/b/c', content: 'x'.repeat(1000) }, { name: 'd' }]);
    for (const limits of [{ maxBytes: 999 }, { maxEntries: 1 }, { maxDepth: 2 }, { maxNameBytes: 4 }]) {
      expect(refusal(archive, { limits: { ...DEFAULT_TAR_LIMITS, ...limits } })).toMatch(/bearable size/);
    }
  });
});
