import { describe, expect, test } from 'vitest';
import {
  foreignFormatOf,
  foreignFormatOfName,
  isWholeFileName,
  plainArchiveOf,
  unpackingHint,
} from '../../src/model/archive-format.ts';

describe('a name tells', () => {
  test.each([
    ['x-1.tar.lz', 'data compressed by lzip'],
    ['x-1.tlz', 'data compressed by lzip'],
    ['x-1.tar.lzma', 'data compressed by lzma'],
    ['x-1.tar.Z', 'data compressed by compress'],
    ['x-1.7z', 'an archive of 7-Zip'],
    ['X-1.RAR', 'an archive of RAR'],
    ['x-1.tar.gz', undefined],
    ['x.gz', undefined],
    ['v1.0', undefined],
    ['a7z', undefined],
  ])('of %s whether it is an archive that is not unpacked', (name, description) => {
    expect(foreignFormatOfName(name)?.description).toBe(description);
  });

  test('of what is kept as it is, although it is an archive inside', () => {
    expect(['x.jar', 'x.whl', 'x.deb', 'data.csv.gz', 'x.iso'].filter((name) => !isWholeFileName(name))).toEqual([]);
    expect(['download', 'v1.0', 'index.php', 'x.bin'].filter(isWholeFileName)).toEqual([]);
  });
});

test('the first bytes tell an archive, and text and cut off ones do not', () => {
  const tar = Buffer.concat([Buffer.alloc(257), Buffer.from('ustar\x0000')]);
  expect(plainArchiveOf(tar)).toBe('a tar archive');
  expect(plainArchiveOf(Buffer.from('PK\x03\x04'))).toBe('a zip archive');
  expect(plainArchiveOf(Buffer.from('LZIP\x01'))).toBe('data compressed by lzip');
  for (const bytes of [Buffer.alloc(0), Buffer.from('L'), Buffer.from('int main;'), Buffer.from('] text', 'latin1')]) {
    expect(foreignFormatOf(bytes)).toBeUndefined();
    expect(plainArchiveOf(bytes)).toBeUndefined();
  }
});

test('the hint is a recipe line with the program that it needs', () => {
  expect(unpackingHint('x-1.tar.lz', foreignFormatOfName('x-1.tar.lz')!)).toBe(
    'unpack: false in the source keeps the file; unpack it in phases: {prepare: tar -xf x-1.tar.lz --strip-components=1 --use-compress-program=lzip.lzip}, with dependencies: {build: [debian/lzip]}',
  );
});
