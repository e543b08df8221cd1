import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeArchive, inWordsOfRecipe, readSourceArchive } from '../../src/layer/read-source-archive.ts';
import { unpackTree } from '../../src/layer/unpack-tree.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { sharedStore } from '../support/tiny-container.ts';
import { rawHeader, rawMember, rawPax, rawPaxRecord, rawTar } from './raw-tar.ts';
import { rawZip } from './raw-zip.ts';

const place = sharedStore();
let store: Store;
beforeAll(async () => {
  store = await openStore(place.path());
});

/** Kinds, names as bytes, targets, contents and numbers of links. */
function treeText(directory: string): string {
  const lines: string[] = [];
  const waiting = [Buffer.from(directory)];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    for (const entry of readdirSync(parent, { withFileTypes: true, encoding: 'buffer' })) {
      const path = Buffer.concat([parent, Buffer.from('/'), entry.name]);
      const name = path.toString('latin1').slice(directory.length);
      if (entry.isDirectory()) waiting.push(path);
      const target = entry.isSymbolicLink() ? readlinkSync(path, 'buffer').toString('latin1') : '';
      const content = entry.isFile() ? `${readFileSync(path, 'latin1')} ${lstatSync(path).nlink}` : '';
      lines.push(`${entry.isDirectory() ? 'd' : ''} ${name} ${target} ${content}`);
    }
  }
  return lines.sort().join('\n');
}

async function unpack(bytes: Buffer, { isDebian = true, recipe = 'app/x', fileName = 'x-1.tar' } = {}) {
  const directory = join(temporaryDirectory(), 'tree');
  mkdirSync(directory);
  const { digest } = await putBlob(store, bytes);
  const source = { digest, fileName, recipe, isDebian };
  await unpackTree(readSourceArchive(store, source), directory, { duplicates: 'last', what: fileName }).catch(
    (error) => {
      throw inWordsOfRecipe(error, source);
    },
  );
  return directory;
}

function refusalOf(bytes: Buffer, options = {}): Promise<{ code: string; message: string; hint: string }> {
  return unpack(bytes, { isDebian: false, ...options }).then(
    () => expect.unreachable(),
    (error) => error,
  );
}

const a = rawMember({ name: 'a' }, '1');
const again = rawMember({ name: 'a' }, '2');
const directory = (name: string) => rawMember({ name, type: '5', mode: '0000755\0' });
const link = (name: string, target: string) => rawMember({ name, type: '2', link: target });
const hard = (name: string, target: string, fields = {}) => rawMember({ name, type: '1', link: target, ...fields });
const zeros = Buffer.alloc(512);
const latin1 = Buffer.from('caf\u00e9', 'latin1');

/** A checksum as programs made it that added signed bytes. */
const signedSum = rawMember({ name: latin1, checksumError: -256 }, '1');

const lenient: Readonly<Record<string, Buffer>> = {
  'no block of zeros at its end': a,
  'one block of zeros at its end': Buffer.concat([a, zeros]),
  'some zeros at its end': Buffer.concat([a, zeros.subarray(0, 100)]),
  'a member behind a block of zeros': Buffer.concat([a, zeros, rawTar(again)]),
  'a member behind its end': Buffer.concat([rawTar(a), rawTar(again)]),
  'text behind its end': Buffer.concat([rawTar(a), Buffer.from('x'.repeat(700))]),
  'a file twice': rawTar(a, again),
  'a file twice, once with ./': rawTar(a, rawMember({ name: './a' }, '2')),
  'a file twice with hard links between': rawTar(a, hard('h', 'a'), again, hard('i', 'a')),
  'a hard link, then a file in its place': rawTar(a, hard('h', 'a'), rawMember({ name: 'h' }, '2')),
  'a file, then a hard link in its place': rawTar(a, rawMember({ name: 'h' }, '2'), hard('h', 'a')),
  'a file, then a directory in its place': rawTar(a, directory('a/'), rawMember({ name: 'a/b' }, '2')),
  'an empty directory, then a file in its place': rawTar(directory('a/'), a),
  'an empty directory, then a link in its place': rawTar(directory('a/'), link('a', 'b')),
  'an empty directory, then a hard link in its place': rawTar(a, directory('h/'), hard('h', 'a')),
  'a link, then a directory in its place': rawTar(directory('d/'), link('a', 'd'), directory('a/')),
  'a link, then a directory with a file': rawTar(
    directory('d/'),
    link('a', 'd'),
    directory('a/'),
    rawMember({ name: 'a/b' }, '2'),
  ),
  'a link, then a file in its place': rawTar(rawMember({ name: 'd' }, '0'), link('a', 'd'), a),
  'a link twice': rawTar(link('a', 'b'), link('a', 'c')),
  'a hard link to a link': rawTar(rawMember({ name: 'd' }, '0'), link('a', 'd'), hard('h', 'a')),
  'a hard link to itself': rawTar(a, hard('a', 'a')),
  'a hard link with the size of its file': rawTar(a, rawHeader({ name: 'h', type: '1', link: 'a', size: 1 }), again),
  'a hard link through ./': rawTar(rawMember({ name: './a' }, '1'), hard('./h', './a')),
  'a link with a size': rawTar(rawHeader({ name: 'l', type: '2', link: 'a', size: 1 }), a),
  'a directory with a size': rawTar(rawHeader({ name: 'd/', type: '5', mode: '0000755\0', size: 1 }), a),
  'a directory twice with two modes': rawTar(directory('d/'), rawMember({ name: 'd/', type: '5', mode: '0000700\0' })),
  'a link with a slash at its end': rawTar(link('l/', 'a')),
  'a type that nobody knows': rawTar(rawMember({ name: 'z', type: 'Z' }, 'z'), a),
  'a contiguous file': rawTar(rawMember({ name: 'z', type: '7' }, 'z'), a),
  'a volume label': rawTar(rawMember({ name: 'label', type: 'V' }), a),
  'a volume label with content': rawTar(rawMember({ name: 'label', type: 'V' }, 'text'), a),
  'a directory with a list': rawTar(rawMember({ name: 'd/', type: 'D', mode: '0000755\0' }, 'Yb\0\0'), a),
  'a pax header of Solaris': rawTar(rawMember({ name: 'P', type: 'X' }, rawPaxRecord('path', 'named')), a),
  'no magic number': rawTar(rawMember({ name: 'a', magic: '\0'.repeat(8), type: '\0' }, '1')),
  'empty elements in a name': rawTar(rawMember({ name: 'a//b' }, '1')),
  'a . in a name': rawTar(rawMember({ name: 'a/./b' }, '1')),
  'a .// in front': rawTar(rawMember({ name: './/a' }, '1')),
  'several ./ in front': rawTar(rawMember({ name: '././a' }, '1')),
  'a prefix that ends in a slash': rawTar(rawMember({ name: 'a', prefix: 'p/' }, '1')),
  itself: rawTar(directory('.'), directory('./'), directory('.//'), a),
  'a name in Latin-1': rawTar(rawMember({ name: latin1 }, '1')),
  'a name in Latin-1 below another': rawTar(
    directory('d/'),
    rawMember({ name: Buffer.concat([Buffer.from('d/'), latin1, Buffer.from('/x')]) }, '1'),
  ),
  'a link to Latin-1': rawTar(rawMember({ name: 'l', type: '2', link: latin1 })),
  'a hard link to Latin-1': rawTar(rawMember({ name: latin1 }, '1'), rawMember({ name: 'h', type: '1', link: latin1 })),
  'names in Shift-JIS and UTF-8': rawTar(
    rawMember({ name: Buffer.from('83658358836780c3a9', 'hex') }, '1'),
    rawMember({ name: 'é\ud83d\ude00' }, '2'),
  ),
  'names of no known encoding': rawTar(
    rawMember({ type: 'x' }, Buffer.concat([rawPaxRecord('hdrcharset', 'BINARY'), rawPaxRecord('path', latin1)])),
    a,
  ),
  'a checksum of signed bytes': rawTar(signedSum),
  'a size that ends early': rawTar(rawMember({ name: 'a', size: '1\0junkjunkju' }, '1')),
  'a size behind spaces': rawTar(rawMember({ name: 'a', size: '          1 ' }, '1')),
  'a time before 1970': rawTar(rawMember({ name: 'a', mtime: Buffer.from('ffffffffffffffffffffff00', 'hex') }, '1')),
};

requires('tar').describe('a source archive is unpacked as GNU tar does it, with', () => {
  test.each(Object.keys(lenient))('%s', async (name) => {
    const other = join(temporaryDirectory(), 'tree');
    mkdirSync(other);
    const options = ['-xf', '-', '--no-same-owner', '--no-same-permissions', '-C', other];
    expect(spawnSync('tar', options, { input: lenient[name]! }).status).toBe(0);
    expect(treeText(await unpack(lenient[name]!))).toBe(treeText(other));
  });
});

describe('a source archive is refused with', () => {
  test.each<[string, Buffer, RegExp]>([
    [
      'an end in a header',
      Buffer.concat([a, again.subarray(0, 300)]),
      /a whole tar archive, found an archive that is cut/,
    ],
    ['an end in a content', rawMember({ name: 'a' }, 'x'.repeat(600)).subarray(0, 1024), /600 bytes of content/],
    ['an end in the filling of a content', rawMember({ name: 'a' }, 'x'.repeat(600)).subarray(0, 1200), /600 bytes/],
    ['a name before its end', rawMember({ type: 'L' }, 'long\0'), /a member after its long name/],
    ['a damaged header', rawTar(a, Buffer.alloc(512, 'Q')), /checksum/],
    ['a file below a file', rawTar(a, rawMember({ name: 'a/b' })), /a directory above it, found the file "a"/],
    ['a file in place of a directory with something in it', rawTar(rawMember({ name: 'a/b' }), a), /with members/],
    ['a link in place of such a directory', rawTar(rawMember({ name: 'a/b' }), link('a', 'b')), /with members/],
    ['a file through a link', rawTar(directory('d/'), link('a', 'd'), rawMember({ name: 'a/b' })), /the symlink "a"/],
    [
      'a file through a link that was a directory',
      rawTar(directory('a/'), link('a', '/tmp'), rawMember({ name: 'a/b' })),
      /symlink "a"/,
    ],
    ['a hard link to nothing', rawTar(hard('h', 'a')), /a hard link to an earlier file/],
    ['a hard link to a directory', rawTar(directory('d/'), hard('h', 'd')), /a hard link to an earlier file/],
    ['a hard link through a link', rawTar(directory('d/'), a, link('l', 'd'), hard('h', 'l/a')), /to an earlier file/],
    ['an absolute name', rawTar(rawMember({ name: '/a' })), /a relative name/],
    ['two slashes in front', rawTar(rawMember({ name: '//a' })), /a relative name/],
    ['.. in a name', rawTar(rawMember({ name: 'a/../b' })), /a relative name/],
    ['.. behind ./', rawTar(rawMember({ name: './/../b' })), /a relative name/],
    ['a content behind a link', rawTar(rawMember({ name: 'l', type: '2', link: 'a' }, 'x')), /checksum/],
    ['a sparse file', rawTar(rawMember({ type: 'S' })), /a sparse file/],
    ['a sparse file of pax', rawTar(rawPax({ 'GNU.sparse.major': '1' }), a), /a sparse one/],
    ['a part of another volume', rawTar(rawMember({ type: 'M' })), /multi-volume/],
    ['old long names', rawTar(rawMember({ type: 'N' }, 'x')), /long names of an old GNU tar/],
    ['a device', rawTar(rawMember({ name: 'a', type: '3' })), /found a character-device/],
    ['a fifo', rawTar(rawMember({ name: 'a', type: '6' })), /found a fifo/],
    ['a size that is no number', rawTar(rawHeader({ size: '00000000001x' })), /octal digits/],
    ['a negative size', rawTar(rawHeader({ size: Buffer.from('ffffffffffffffffffffff00', 'hex') })), /not negative/],
    ['bytes behind gzip data', Buffer.concat([gzipSync(rawTar(a)), Buffer.from('x'.repeat(50))]), /whole gzip data/],
    ['gzip data cut off', gzipSync(rawTar(a)).subarray(0, -5), /whole gzip data/],
  ])('%s, and the refusal names the recipe and what to do', async (_, bytes, message) => {
    const error = await refusalOf(bytes);
    expect(error.code).toBe('archive-refused');
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^Cannot unpack "x-1\.tar[^"]*" of app\/x: expected/);
    expect(error.hint).toMatch(/^unpack: false .*phases: \{prepare: tar -xf x-1\.tar --strip-components=1\}/);
  });

  test.each<[string, Buffer, string]>([
    ['lzip', Buffer.from('LZIP\x01\x0c', 'latin1'), 'data compressed by lzip'],
    ['lzma', Buffer.from('5d00008000ffffffffffffffff0030', 'hex'), 'data compressed by lzma'],
    ['compress', Buffer.from('1f9d90', 'hex'), 'data compressed by compress'],
    ['7-Zip', Buffer.from('377abcaf271c0004', 'hex'), 'an archive of 7-Zip'],
    ['RAR', Buffer.from('Rar!\x1a\x07\x01\0', 'latin1'), 'an archive of RAR'],
    ['lrzip', Buffer.from('LRZI\0\x06'), 'data compressed by lrzip'],
    ['zpaq', Buffer.from('7kSt\xa0', 'latin1'), 'an archive of zpaq'],
    ['ar', Buffer.from('!<arch>\ndebian-binary'), 'an archive of ar'],
    ['cpio', Buffer.from('07070100000000'), 'an archive of cpio'],
    ['cpio of old', Buffer.from('c771000000', 'hex'), 'an archive of cpio'],
    ['xar', Buffer.from('xar!\0\x1c'), 'an archive of xar'],
    ['ISO 9660', Buffer.concat([Buffer.alloc(32769), Buffer.from('CD001\x01')]), 'an image of ISO 9660'],
    ['zstd of old', Buffer.from('27b52ffd0000', 'hex'), 'zstd data of a version before 0.8'],
    ['RPM', Buffer.from('edabeedb0300', 'hex'), 'a package of RPM'],
    ['a gzip file that holds no tar', gzipSync('just text\n'.repeat(100)), 'something else compressed by gzip'],
    ['a gzip file of cpio', gzipSync('07070100000000'), 'an archive of cpio compressed by gzip'],
    ['an HTML page', Buffer.from('<!DOCTYPE html><html>'), 'an HTML page'],
    ['an empty file', Buffer.alloc(0), 'no bytes'],
    ['text', Buffer.from('text\n'.repeat(500)), 'something else'],
  ])('what is %s, whatever its name', async (_, bytes, found) => {
    for (const fileName of ['x-1.tar.gz', 'x-1.zip']) {
      const error = await refusalOf(bytes, { fileName });
      expect(error.code).toBe('archive-refused');
      expect(error.message).toContain(
        `Cannot unpack "${fileName}" of app/x: expected a zip archive, or a tar that is plain or compressed by gzip, xz, zstd or bzip2, found ${found}`,
      );
      expect(error.hint).toMatch(/^unpack: false/);
    }
  });

  test('a name that is not UTF-8, shown byte by byte, where a recipe can unpack it otherwise', async () => {
    for (const [bytes, shown] of [
      [rawTar(rawMember({ name: latin1 })), String.raw`caf\xe9`],
      [rawTar(rawMember({ name: Buffer.from('8365835883672e747874', 'hex') })), String.raw`\x83e\x83X\x83g.txt`],
      [rawTar(rawMember({ name: Buffer.from('1b5b331b6dff', 'hex') })), String.raw`\x1b[3\x1bm\xff`],
    ] as const) {
      const error = await refusalOf(bytes);
      expect(error.message).toBe(
        `Cannot unpack "x-1.tar: ${shown}" of app/x: expected a name in UTF-8, found "${shown}"`,
      );
      expect(error.hint).toContain('prepare: tar -xf x-1.tar');
    }
    const zip = await refusalOf(rawZip([{ name: Buffer.from('caf\x82', 'latin1') }]), { fileName: 'x.zip' });
    expect(zip.message).toContain(String.raw`"x.zip: caf\x82" of app/x`);
    expect(zip.hint).toMatch(
      /bsdtar -xf x\.zip --strip-components=1\}, with dependencies: \{build: \[debian\/libarchive-tools\]\}/,
    );
  });
});

describe('an archive is known by its bytes', () => {
  const tar = rawTar(rawMember({ name: 'v7', magic: '\0'.repeat(8) }, 'x'.repeat(100)));
  const compressed = (program: string) => execFileSync(program, ['-c'], { input: tar });

  test.each(['gzip', 'xz', 'zstd', 'bzip2'] as const)('a tar in %s', async (program) => {
    const { digest } = await putBlob(store, compressed(program));
    expect(await describeArchive(store, digest)).toBe(`a tar archive compressed by ${program}`);
    expect(treeText(await unpack(compressed(program), { fileName: 'download' }))).toBe(treeText(await unpack(tar)));
  });

  test.each<[string, Buffer, string | undefined]>([
    ['a tar', tar, 'a tar archive'],
    ['a zip', rawZip([{ name: 'a' }]), 'a zip archive'],
    ['lzip', Buffer.from('LZIP\x01'), 'data compressed by lzip'],
    ['compressed text', gzipSync('text'), undefined],
    ['damaged gzip data', Buffer.from('1f8bffffffffffff', 'hex'), undefined],
    ['text', Buffer.from('text'), undefined],
    ['zeros', Buffer.alloc(2000), undefined],
    ['nothing', Buffer.alloc(0), undefined],
  ])('%s', async (_, bytes, expected) => {
    const { digest } = await putBlob(store, bytes);
    expect(await describeArchive(store, digest)).toBe(expected);
  });
});
