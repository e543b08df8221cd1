import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readTar } from '../../src/layer/read-tar.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { collectMembers, inChunks, rawEnd, rawHeader, rawMember, rawPax, rawPaxRecord, rawTar } from './raw-tar.ts';

const read = (bytes: Buffer, options = {}, chunkSize = 64 * 1024) =>
  collectMembers(readTar(inChunks(bytes, chunkSize), options));

const pathsOf = async (bytes: Buffer) => (await read(bytes)).map(({ path }) => path);

const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}`;

const refused: Readonly<Record<string, Buffer>> = {
  'an absolute name': rawTar(rawMember({ name: '/etc/passwd' })),
  'a name that is a slash': rawTar(rawMember({ name: '/', type: '5' })),
  'a name with ..': rawTar(rawMember({ name: 'a/../../b' })),
  'the name ..': rawTar(rawMember({ name: '..', type: '5' })),
  'a name that ends in ..': rawTar(rawMember({ name: 'a/..', type: '5' })),
  'an absolute name behind ./': rawTar(rawMember({ name: './/etc/passwd' })),
  'a name with an empty element': rawTar(rawMember({ name: 'a//b' })),
  'a name with a . inside': rawTar(rawMember({ name: 'a/./b' })),
  'an empty name': rawTar(rawMember({ name: '' })),
  'a name that is not UTF-8': rawTar(rawMember({ name: Buffer.from([0x61, 0xff, 0x62]) })),
  'an absolute name in the prefix': rawTar(rawMember({ prefix: '/etc', name: 'passwd' })),
  '.. split between prefix and name': rawTar(rawMember({ prefix: '..', name: 'passwd' })),
  'a wrong checksum': rawTar(rawMember({ checksumError: 1 })),
  'a checksum of signed bytes': rawTar(rawMember({ name: 'ä', checksumError: -512 })),
  'letters as size': rawTar(rawHeader({ size: '0000000001x\0' })),
  'a negative size': rawTar(rawHeader({ size: Buffer.from('ffffffffffffffffffffff00', 'hex') })),
  'a size above 2^53': rawTar(rawHeader({ size: Buffer.from('800000ffffffffffffffffff', 'hex') })),
  'a negative uid': rawTar(rawHeader({ uid: Buffer.from('ffffffffffffff01', 'hex') })),
  'a sparse file of GNU': rawTar(rawMember({ type: 'S' })),
  'a sparse file of pax': rawTar(rawPax({ 'GNU.sparse.major': '1' }), rawMember({})),
  'a sparse file of old pax': rawTar(rawPax({ 'GNU.sparse.map': '0,1' }), rawMember({})),
  'a part of another volume': rawTar(rawMember({ type: 'M' })),
  'a volume label': rawTar(rawMember({ type: 'V' })),
  'an unknown type': rawTar(rawMember({ type: 'Z' })),
  'a directory with content': rawTar(rawMember({ name: 'd/', type: '5' }, 'x')),
  'a symbolic link with content': rawTar(rawMember({ type: '2', link: 'a' }, 'x')),
  'a hard link with content': rawTar(rawMember({ type: '1', link: 'a' }, 'x')),
  'a file whose name says directory': rawTar(rawMember({ name: 'd/', type: '0' }, 'x')),
  'a symbolic link to nothing': rawTar(rawMember({ type: '2', link: '' })),
  'a hard link to nothing': rawTar(rawMember({ type: '1', link: '' })),
  'a hard link to ..': rawTar(rawMember({ type: '1', link: '../etc/passwd' })),
  'a hard link to an absolute name': rawTar(rawMember({ type: '1', link: '/etc/passwd' })),
  'a name with NUL in pax': rawTar(rawPax({ path: 'a\0b' }), rawMember({})),
  'an absolute name in pax': rawTar(rawPax({ path: '/etc/passwd' }), rawMember({})),
  'an empty name in pax': rawTar(rawPax({ path: '' }), rawMember({})),
  'two names in one pax header': rawTar(
    rawMember({ type: 'x' }, Buffer.concat([rawPaxRecord('path', 'a'), rawPaxRecord('path', 'b')])),
    rawMember({}),
  ),
  'two pax headers in a row': rawTar(rawPax({ path: 'a' }), rawPax({ path: 'b' }), rawMember({})),
  'a pax length that is too long': rawTar(rawMember({ type: 'x' }, '99 path=a\n'), rawMember({})),
  'a pax length that is too short': rawTar(rawMember({ type: 'x' }, '5 path=a\n'), rawMember({})),
  'a pax length of nothing': rawTar(rawMember({ type: 'x' }, ' path=a\n'), rawMember({})),
  'a pax length of 0': rawTar(rawMember({ type: 'x' }, '0 path=a\n'), rawMember({})),
  'a pax record without newline': rawTar(rawMember({ type: 'x' }, '10 path=ab'), rawMember({})),
  'a negative size in pax': rawTar(rawPax({ size: '-1' }), rawMember({})),
  'a huge size in pax': rawTar(rawPax({ size: '9999999999999999' }), rawMember({})),
  'a size in pax beyond the end': rawTar(rawPax({ size: '4096' }), rawMember({}, 'x')),
  'a path in a global header': rawTar(rawPax({ path: 'a' }, 'g'), rawMember({})),
  'names of unknown encoding': rawTar(rawPax({ hdrcharset: 'BINARY' }), rawMember({})),
  'a long name with NUL inside': rawTar(rawMember({ type: 'L' }, 'a\0b\0'), rawMember({})),
  'two long names in a row': rawTar(rawMember({ type: 'L' }, 'a\0'), rawMember({ type: 'L' }, 'b\0'), rawMember({})),
  'a long name of GNU and one of pax': rawTar(rawMember({ type: 'L' }, 'a\0'), rawPax({ path: 'b' }), rawMember({})),
  'a long name without a member': rawTar(rawMember({ type: 'L' }, 'a\0')),
  'an absolute long name': rawTar(rawMember({ type: 'L' }, '/etc/passwd\0'), rawMember({})),
  'a long name of two megabytes': rawTar(rawMember({ type: 'L' }, 'a'.repeat(2 ** 21)), rawMember({})),
  'no bytes at all': Buffer.alloc(0),
  'an archive cut off in a header': rawTar(rawMember({})).subarray(0, 300),
  'an archive cut off in a content': rawTar(rawMember({}, 'x'.repeat(3000))).subarray(0, 2000),
  'an archive cut off in a large content': rawTar(rawMember({}, 'x'.repeat(300_000))).subarray(0, 200_000),
  'an archive cut off between members': rawMember({}),
  'an archive with one block of zeros at its end': rawTar(rawMember({})).subarray(0, 1024),
  'another member after one block of zeros': Buffer.concat([Buffer.alloc(512), rawTar(rawMember({}))]),
  'bytes after the end': Buffer.concat([rawTar(rawMember({})), Buffer.from('x')]),
  'another archive after the end': Buffer.concat([rawTar(rawMember({})), rawTar(rawMember({ name: 'other' }))]),
  'something else altogether': Buffer.from('<html>not found</html>'.repeat(100)),
};

describe('readTar refuses', () => {
  test.each(Object.keys(refused))('%s', async (name) => {
    await expect(read(refused[name]!)).rejects.toMatchObject({ code: 'archive-refused' });
  });

  test('more bytes, members, levels or longer names than its limits', async () => {
    const tar = rawTar(rawMember({ name: 'a/b/c' }, 'x'.repeat(1000)), rawMember({ name: 'second' }));
    expect(await read(tar, { maxBytes: 1000, maxEntries: 2, maxDepth: 3, maxNameBytes: 6 })).toHaveLength(2);
    for (const limit of [{ maxBytes: 999 }, { maxEntries: 1 }, { maxDepth: 2 }, { maxNameBytes: 5 }]) {
      await expect(read(tar, limit)).rejects.toMatchObject({ code: 'archive-refused' });
    }
  });

  test('a size beyond its limit before reading any of it', async () => {
    const claims = rawHeader({ size: Buffer.from('800000000000100000000000', 'hex') });
    await expect(read(Buffer.concat([claims, rawEnd]))).rejects.toThrow(/bytes of files/);
  });

  test('endless headers that are no members', async () => {
    const tar = rawTar(...Array.from({ length: 200 }, () => rawPax({ comment: 'x' }, 'g')), rawMember({}));
    await expect(read(tar, { maxEntries: 100 })).rejects.toMatchObject({ code: 'archive-refused' });
  });

  test('an element of a name that no file system takes', async () => {
    const tar = rawTar(rawPax({ path: `a/${'x'.repeat(256)}` }), rawMember({}));
    await expect(read(tar)).rejects.toThrow(/255 bytes/);
  });

  test('and names the member, with control characters made visible', async () => {
    await expect(read(rawTar(rawMember({ name: 'a\u001b[31m/../b' })), { what: 'x.tar' })).rejects.toThrow(
      /^Cannot unpack "x\.tar: a\\u001b\[31m\/\.\.\/b": expected a relative name/,
    );
  });
});

describe('readTar', () => {
  test('removes a leading ./ and leaves out ./ itself', async () => {
    const tar = rawTar(
      rawMember({ name: './', type: '5' }),
      rawMember({ name: './a/', type: '5' }),
      rawMember({ name: './a/b' }),
    );
    expect(await pathsOf(tar)).toEqual(['a', 'a/b']);
  });

  test('joins prefix and name of ustar and not of GNU', async () => {
    const tar = rawTar(
      rawMember({ prefix: 'p/q', name: 'n' }),
      rawMember({ prefix: '13371337', name: 'gnu', magic: 'ustar  \0' }),
      rawMember({ name: 'v7', magic: '\0\0\0\0\0\0\0\0' }),
    );
    expect(await pathsOf(tar)).toEqual(['p/q/n', 'gnu', 'v7']);
  });

  test('takes names, sizes, times and ids from pax headers', async () => {
    const [member] = await read(
      rawTar(
        rawPax({ path: long, size: '3', mtime: '4294967296.75', uid: '2147483648', gid: '3000000', comment: 'x' }),
        rawMember({ size: 0 }, 'abc'),
      ),
    );
    expect(member).toMatchObject({ path: long, size: 3, mtime: 4294967296, uid: 2 ** 31, gid: 3_000_000, text: 'abc' });
  });

  test('cuts fractions of times before 1970 towards the past', async () => {
    const [member] = await read(rawTar(rawPax({ mtime: '-1.5' }), rawMember({})));
    expect(member?.mtime).toBe(-2);
  });

  test('takes long names and links from GNU headers', async () => {
    const [member] = await read(
      rawTar(
        rawMember({ type: 'K' }, `${long}x\0`),
        rawMember({ type: 'L' }, `${long}\0`),
        rawMember({ type: '2', name: long.slice(0, 100), link: long.slice(0, 100) }),
      ),
    );
    expect(member).toMatchObject({ path: long, target: `${long}x`, type: 'symlink' });
  });

  test('reads numbers in base 256', async () => {
    const [member] = await read(
      rawTar(
        rawMember({
          mtime: Buffer.from('800000000000000100000000', 'hex'),
          uid: Buffer.from('8000000080000000', 'hex'),
        }),
      ),
    );
    expect(member).toMatchObject({ mtime: 2 ** 32, uid: 2 ** 31 });
  });

  test('applies an extension to one member only', async () => {
    expect(await pathsOf(rawTar(rawPax({ path: 'long' }), rawMember({}), rawMember({ name: 'next' })))).toEqual([
      'long',
      'next',
    ]);
  });

  test('accepts the comment that git archive writes, and extended attributes without using them', async () => {
    const tar = rawTar(
      rawPax({ comment: '52e4dc2f74fd032dace01acbe5eb29ddf7c1ad96' }, 'g'),
      rawPax({ 'SCHILY.xattr.security.capability': Buffer.from([1, 0, 2, 10]), 'LIBARCHIVE.xattr.x': 'y' }),
      rawMember({ name: 'a' }),
    );
    expect(await pathsOf(tar)).toEqual(['a']);
  });

  test('takes the capabilities of a file in a layer of buildit’s own, and nowhere else', async () => {
    const attribute = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    const tar = rawTar(
      rawPax({ 'SCHILY.xattr.security.capability': attribute, 'SCHILY.xattr.user.note': 'y' }),
      rawMember({ name: 'a' }, 'content'),
      rawMember({ name: 'b' }),
    );
    const [a, b] = await read(tar, { isOwnLayer: true });
    expect(a).toMatchObject({ path: 'a', text: 'content', capabilities: ['cap_net_bind_service'] });
    for (const member of [b, ...(await read(tar))]) expect(member).not.toHaveProperty('capabilities');
  });

  const capability = (hex: string) => rawPax({ 'SCHILY.xattr.security.capability': Buffer.from(hex, 'hex') });
  const sound = '0100000200040000000000000000000000000000';
  test.each<[string, Buffer]>([
    ['revision 1', rawTar(capability('010000010004000000000000'), rawMember({}))],
    ['revision 3, of a user namespace', rawTar(capability(`01000003${sound.slice(8)}e8030000`), rawMember({}))],
    ['revision 2 cut off', rawTar(capability(sound.slice(2)), rawMember({}))],
    ['revision 2 and more', rawTar(capability(`${sound}00`), rawMember({}))],
    ['none that is effective', rawTar(capability(`00000002${sound.slice(8)}`), rawMember({}))],
    ['an inheritable one', rawTar(capability('0100000200040000000400000000000000000000'), rawMember({}))],
    ['one that Linux does not have', rawTar(capability('0100000200040000000000000002000000000000'), rawMember({}))],
    ['no capability in it', rawTar(capability('0100000200000000000000000000000000000000'), rawMember({}))],
    ['no value', rawTar(capability(''), rawMember({}))],
    ['a directory', rawTar(capability(sound), rawMember({ type: '5' }))],
    ['a symbolic link', rawTar(capability(sound), rawMember({ type: '2', link: 'x' }))],
    ['a hard link', rawTar(rawMember({ name: 'a' }), capability(sound), rawMember({ type: '1', link: 'a' }))],
    ['every file', rawTar(rawPax({ 'SCHILY.xattr.security.capability': Buffer.from(sound, 'hex') }, 'g'))],
    [
      'two sets',
      rawTar(
        rawMember(
          { type: 'x' },
          Buffer.concat(
            [sound, sound].map((hex) => rawPaxRecord('SCHILY.xattr.security.capability', Buffer.from(hex, 'hex'))),
          ),
        ),
        rawMember({}),
      ),
    ],
  ])('refuses capabilities of other shapes and members in layers: %s', async (_, tar) => {
    await expect(read(tar, { isOwnLayer: true })).rejects.toMatchObject({ code: 'archive-refused' });
  });

  test('tells devices and fifos, for its consumers to refuse', async () => {
    const tar = rawTar(rawMember({ type: '3' }), rawMember({ type: '4' }), rawMember({ type: '6' }));
    expect((await read(tar)).map(({ type }) => type)).toEqual(['character-device', 'block-device', 'fifo']);
  });

  test('keeps set-id and sticky bits', async () => {
    expect((await read(rawTar(rawMember({ mode: '0107755\0' }))))[0]?.mode).toBe(0o7755);
  });

  test('takes zeros after the end, as GNU tar pads its records', async () => {
    expect(await pathsOf(Buffer.concat([rawTar(rawMember({})), Buffer.alloc(9000)]))).toEqual(['file']);
  });

  test('gives the same members however the bytes are cut', async () => {
    const tar = rawTar(
      rawMember({ name: 'empty' }),
      rawPax({ path: long }),
      rawMember({}, 'abc'.repeat(700)),
      rawMember({ name: 'large' }, 'z'.repeat(200_000)),
      rawMember({ name: 'last' }, 'x'),
    );
    const expected = await read(tar);
    for (const size of [1, 7, 511, 512, 513, 100_000]) expect(await read(tar, {}, size)).toEqual(expected);
  });

  test('skips content that nobody reads, and refuses to give it later', async () => {
    const tar = rawTar(rawMember({ name: 'large' }, 'z'.repeat(200_000)), rawMember({ name: 'next' }, 'x'));
    const members = readTar(inChunks(tar));
    const first = (await members.next()).value!;
    const second = (await members.next()).value!;
    expect(second.path).toBe('next');
    await expect(first.content[Symbol.asyncIterator]().next()).rejects.toThrow(/after the next member/);
  });

  test('skips what is left of a content that was read in part', async () => {
    const tar = rawTar(rawMember({ name: 'large' }, 'z'.repeat(200_000)), rawMember({ name: 'next' }, 'x'));
    const paths: string[] = [];
    for await (const member of readTar(inChunks(tar, 1000))) {
      paths.push(member.path);
      for await (const _ of member.content) break;
    }
    expect(paths).toEqual(['large', 'next']);
  });

  test('closes its source when its consumer stops', async () => {
    let isClosed = false;
    async function* source() {
      try {
        yield* inChunks(rawTar(rawMember({}), rawMember({ name: 'b' })), 512);
      } finally {
        isClosed = true;
      }
    }
    for await (const _ of readTar(source())) break;
    expect(isClosed).toBe(true);
  });

  test('lets errors of its source through', async () => {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield rawMember({});
      throw new Error('the disk is gone');
    }
    await expect(collectMembers(readTar(source()))).rejects.toThrow('the disk is gone');
  });
});

requires('tar').describe('readTar reads what GNU tar writes', () => {
  test.each(['gnu', 'posix', 'ustar', 'v7', 'oldgnu'])('as %s', async (format) => {
    const directory = temporaryDirectory();
    const deep = format === 'v7' ? 'short' : `${'n'.repeat(60)}/${'m'.repeat(60)}`;
    mkdirSync(join(directory, 'top', deep), { recursive: true });
    writeFileSync(join(directory, 'top', deep, 'file'), 'content');
    writeFileSync(join(directory, 'top/große'), 'u'.repeat(70_000));
    linkSync(join(directory, 'top/große'), join(directory, 'top/zweit'));
    symlinkSync('../elsewhere', join(directory, 'top/link'));
    utimesSync(join(directory, 'top/große'), 1_700_000_000, 1_700_000_000);
    const tar = execFileSync('tar', [`--format=${format}`, '--sort=name', '-C', directory, '-cf', '-', './top']);
    const members = await read(tar);
    expect(members.find(({ path }) => path === `top/${deep}/file`)).toMatchObject({ type: 'file', text: 'content' });
    expect(members.find(({ path }) => path === 'top/große')).toMatchObject({ size: 70_000, mtime: 1_700_000_000 });
    expect(members.find(({ path }) => path === 'top/zweit')).toMatchObject({ type: 'hardlink', target: 'top/große' });
    expect(members.find(({ path }) => path === 'top/link')).toMatchObject({ type: 'symlink', target: '../elsewhere' });
    expect(members[0]).toMatchObject({ type: 'directory', path: 'top' });
  });

  test('but not its sparse files', async () => {
    const directory = temporaryDirectory();
    execFileSync('truncate', ['-s', '1M', join(directory, 'holes')]);
    for (const format of ['gnu', 'posix']) {
      const tar = execFileSync('tar', [`--format=${format}`, '--sparse', '-C', directory, '-cf', '-', 'holes']);
      await expect(read(tar)).rejects.toThrow(/sparse/);
    }
  });
});
