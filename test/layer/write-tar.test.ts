import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sortByPath } from '../../src/layer/path-order.ts';
import { readTar } from '../../src/layer/read-tar.ts';
import { layerTar } from '../../src/layer/write-tar.ts';
import { sha256 } from '../../src/model/digest.ts';
import type { LayerEntry, LayerListing } from '../../src/model/layer.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { collect, collectMembers, inChunks } from './raw-tar.ts';

const facts = { mode: 0o644, uid: 0, gid: 0, mtime: 1_700_000_000 };
const contentOf = (path: string) => Buffer.from(`content of ${path}`);
const file = (path: string, more: Partial<LayerEntry> = {}): LayerEntry =>
  ({
    type: 'file',
    path,
    ...facts,
    size: contentOf(path).length,
    sha256: sha256(contentOf(path)),
    ...more,
  }) as LayerEntry;
const directory = (path: string): LayerEntry => ({ type: 'directory', path, ...facts, mode: 0o755 });
const write = (listing: LayerListing) => collect(layerTar(listing, ({ path }) => contentOf(path)));

const fixed: LayerListing = sortByPath<LayerEntry>([
  directory('usr'),
  directory('usr/bin'),
  file('usr/bin/nginx', { mode: 0o4755 }),
  { type: 'hardlink', path: 'usr/bin/nginx-again', target: 'usr/bin/nginx', ...facts },
  { type: 'symlink', path: 'usr/bin/link', target: 'nginx', ...facts, mode: 0o777 },
  directory(`usr/${'long-'.repeat(30)}`),
  file(`usr/${'long-'.repeat(30)}/${'name-'.repeat(18)}`),
  file(`usr/${'long-'.repeat(30)}/${'name-'.repeat(30)}`),
  file('usr/ümlaut', { mtime: 4_294_967_296, uid: 2 ** 31, gid: 2_097_152 }),
  file('usr/before-1970', { mtime: -1 }),
  { type: 'symlink', path: 'usr/to-ü', target: `ü${'/x'.repeat(60)}`, ...facts, mode: 0o777 },
]);

describe('layerTar', () => {
  test('gives the bytes it has always given', async () => {
    expect(sha256(await write(fixed))).toBe('74ff5e566c45d59c7e77911fd1efe7f70c2a41db781e3128619c4d632ece9834');
  });

  test('writes the capabilities of a file as the first pax record, in bytes that stay the same', async () => {
    const listing = [
      file('a', { capabilities: ['cap_chown', 'cap_setfcap', 'cap_bpf'], gid: 2 ** 21 } as Partial<LayerEntry>),
      file('b'),
    ];
    const tar = await write(listing);
    const keyword = ' SCHILY.xattr.security.capability=';
    const body = Buffer.concat([
      Buffer.from(`57${keyword}`),
      Buffer.from('0100000201000080000000008000000000000000', 'hex'),
      Buffer.from('\n15 gid=2097152\n'),
    ]);
    expect(tar.subarray(512, 512 + body.length)).toEqual(body);
    expect(
      (await collectMembers(readTar(inChunks(tar), { isOwnLayer: true }))).map((member) => member.capabilities),
    ).toEqual([['cap_chown', 'cap_setfcap', 'cap_bpf'], undefined]);
    expect(await write(listing.slice(1))).toEqual(tar.subarray(2048));
  });

  requires('tar', 'root').test('writes capabilities as GNU tar sets them', async () => {
    const target = temporaryDirectory();
    execFileSync('tar', ['-xf', '-', '--xattrs', '--xattrs-include=security.*', '-C', target], {
      input: await write([file('a', { capabilities: ['cap_net_raw'] } as Partial<LayerEntry>)]),
    });
    const repacked = execFileSync('tar', ['-cf', '-', '--xattrs', '--xattrs-include=security.*', '-C', target, 'a']);
    expect(await collectMembers(readTar(inChunks(repacked), { isOwnLayer: true }))).toMatchObject([
      { path: 'a', capabilities: ['cap_net_raw'] },
    ]);
  });

  test('ends after exactly two blocks of zeros', async () => {
    const tar = await write(fixed);
    expect(tar.subarray(-1024).equals(Buffer.alloc(1024))).toBe(true);
    expect(tar.subarray(-1536, -1024).equals(Buffer.alloc(512))).toBe(false);
    expect((await write([])).equals(Buffer.alloc(1024))).toBe(true);
  });

  test('names no user and no group', async () => {
    const tar = await write([file('a')]);
    expect(tar.subarray(265, 329).equals(Buffer.alloc(64))).toBe(true);
  });

  test('gives the same bytes whether a content comes whole or in chunks', async () => {
    const listing = [{ ...file('a'), size: 1000 } as LayerEntry];
    const whole = await collect(layerTar(listing, () => Buffer.alloc(1000, 'x')));
    const parts = await collect(layerTar(listing, () => inChunks(Buffer.alloc(1000, 'x'), 7)));
    expect(parts.equals(whole)).toBe(true);
  });

  test.each([
    ['entries out of order', [file('b'), file('a')]],
    ['a path twice', [file('a'), file('a')]],
    ['a hard link before its file', [{ type: 'hardlink', path: 'a', target: 'b', ...facts }, file('b')]],
    ['a hard link to a directory', [directory('a'), { type: 'hardlink', path: 'b', target: 'a', ...facts }]],
    ['a content that is too short', [{ ...file('a'), size: 500 }]],
    ['a content that is too long', [{ ...file('a'), size: 2 }]],
  ])('refuses %s', async (_, listing) => {
    await expect(write(listing as LayerListing)).rejects.toThrow(TypeError);
    const inParts = layerTar(listing as LayerListing, ({ path }) => inChunks(contentOf(path), 3));
    await expect(collect(inParts)).rejects.toThrow(TypeError);
  });
});

const element = fc.oneof(
  fc.stringMatching(/^[a-z0-9._-]{1,60}$/).filter((text) => text !== '.' && text !== '..'),
  fc.constantFrom(
    'ä',
    '\u{1f600}',
    '\uffee',
    '日本',
    'x'.repeat(200),
    'sp ace',
    'back\\slash',
    "quo'te",
    '-rf',
    'new\nline',
  ),
);
const anyPath = fc.array(element, { minLength: 1, maxLength: 8 }).map((elements) => elements.join('/'));
const anyFacts = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.nat(3000), fc.constantFrom(2_097_151, 2_097_152, 2 ** 31)),
  gid: fc.oneof(fc.nat(3000), fc.constantFrom(2_097_151, 2_097_152, 2 ** 31)),
  mtime: fc.oneof(fc.nat(), fc.constantFrom(0, -1, 2 ** 31, 2 ** 32, 8_589_934_591, 8_589_934_592)),
});
const anyEntry = fc.tuple(anyPath, anyFacts, fc.constantFrom('file', 'directory', 'symlink'), anyPath);

/** A listing without contradictions: parents are directories, and each second file is a hard link to the first one. */
const anyListing = fc.array(anyEntry, { maxLength: 12 }).map((drafts): LayerListing => {
  const entries = new Map<string, LayerEntry>();
  for (const [path, entryFacts, type, target] of drafts) {
    const parents = path
      .split('/')
      .slice(0, -1)
      .map((_, i, all) => all.slice(0, i + 1).join('/'));
    if (entries.has(path) || parents.some((parent) => (entries.get(parent)?.type ?? 'directory') !== 'directory'))
      continue;
    for (const parent of parents) if (!entries.has(parent)) entries.set(parent, directory(parent));
    if (type === 'symlink') entries.set(path, { type, path, target, ...entryFacts, mode: 0o777 });
    else if (type === 'directory') entries.set(path, { type, path, ...entryFacts });
    else entries.set(path, file(path, entryFacts));
  }
  const sorted = sortByPath([...entries.values()]);
  const first = sorted.find(({ type }) => type === 'file');
  return sorted.map((entry, i) =>
    first !== undefined && entry.type === 'file' && entry !== first && i % 2 === 0
      ? {
          type: 'hardlink',
          path: entry.path,
          target: first.path,
          mode: first.mode,
          uid: first.uid,
          gid: first.gid,
          mtime: first.mtime,
        }
      : entry,
  );
});

const asRead = (entry: LayerEntry) => ({
  type: entry.type,
  path: entry.path,
  mode: entry.mode,
  uid: entry.uid,
  gid: entry.gid,
  mtime: entry.mtime,
  size: entry.type === 'file' ? entry.size : 0,
  target: entry.type === 'symlink' || entry.type === 'hardlink' ? entry.target : '',
  text: entry.type === 'file' ? contentOf(entry.path).toString() : '',
});

test('what layerTar writes, readTar reads', async () => {
  await fc.assert(
    fc.asyncProperty(anyListing, async (listing) => {
      const tar = await write(listing);
      expect(await collectMembers(readTar(inChunks(tar)))).toEqual(listing.map(asRead));
    }),
    { numRuns: 200 },
  );
});

requires('tar').test('GNU tar lists and unpacks what layerTar writes', async () => {
  await fc.assert(
    fc.asyncProperty(anyListing, async (listing) => {
      const tar = await write(listing);
      const lines = execFileSync(
        'tar',
        ['--numeric-owner', '--quoting-style=escape', '--full-time', '--utc', '-tvf', '-'],
        { input: tar },
      )
        .toString()
        .split('\n')
        .slice(0, -1);
      expect(lines.length).toBe(listing.length);
      for (const [i, entry] of listing.entries()) {
        expect(lines[i]!.split(/ +/)[1]).toBe(`${entry.uid}/${entry.gid}`);
        const date = new Date(entry.mtime * 1000).toISOString();
        if (entry.mtime >= 0) expect(lines[i]).toContain(date.slice(0, 19).replace('T', ' ').replace(/^\+0/, ''));
        expect(lines[i]![0]).toBe({ file: '-', directory: 'd', symlink: 'l', hardlink: 'h' }[entry.type]);
      }
    }),
    { numRuns: 15 },
  );
  const directoryPath = temporaryDirectory();
  mkdirSync(join(directoryPath, 'out'));
  writeFileSync(join(directoryPath, 'layer.tar'), await write(fixed));
  execFileSync('tar', ['--no-same-owner', '-C', join(directoryPath, 'out'), '-xf', join(directoryPath, 'layer.tar')]);
  for (const { type, path } of fixed) {
    if (type === 'file') expect(readFileSync(join(directoryPath, 'out', path))).toEqual(contentOf(path));
  }
});
