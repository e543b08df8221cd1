import { describe, expect, test } from 'vitest';
import { libraryCache } from '../../src/image/library-cache.ts';
import { mergeTree } from '../../src/image/merge-tree.ts';
import type { ElfFacts, LayerEntry } from '../../src/model/layer.ts';

const platform = { os: 'linux', architecture: 'amd64' } as const;
const facts = { uid: 0, gid: 0, mtime: 0 };
const triplet = 'usr/lib/x86_64-linux-gnu';

function file(path: string): LayerEntry {
  return { path, type: 'file', mode: 0o644, size: 0, sha256: '', ...facts };
}

function link(path: string, target: string): LayerEntry {
  return { path, type: 'symlink', mode: 0o777, target, ...facts };
}

function library(path: string, soname: string): ElfFacts {
  return { path, soname, machine: 'x86_64', interpreter: undefined, needed: [], defines: [], runPaths: [] };
}

async function cacheOf(entries: readonly LayerEntry[], elf: readonly ElfFacts[], configuration = '/opt/lib\n') {
  const tree = mergeTree([{ name: 'packages', listing: entries }]);
  const cache = await libraryCache({ tree, elf, platform, readText: async () => configuration });
  return cache && Buffer.from(cache).toString('latin1');
}

const configured = file('etc/ld.so.conf.d/opt.conf');
const opt = [
  file('opt/lib/libx.so.1.2'),
  link('opt/lib/libx.so.1', 'libx.so.1.2'),
  link('opt/lib/libx.so', 'libx.so.1'),
];

describe('the library cache', () => {
  test('is not needed where libraries lie where the loader looks anyway', async () => {
    const elf = [library(`${triplet}/libz.so.1`, 'libz.so.1')];
    expect(await cacheOf([configured, file(`${triplet}/libz.so.1`)], elf)).toBeUndefined();
  });

  test('is not needed for private libraries that no configuration names', async () => {
    expect(await cacheOf(opt, [library('opt/lib/libx.so.1.2', 'libx.so.1')])).toBeUndefined();
    expect(
      await cacheOf([configured, ...opt], [library('opt/lib/libx.so.1.2', 'libx.so.1')], '# /opt/lib\n'),
    ).toBeUndefined();
  });

  test('names libraries of configured directories, and then those of the loader’s own', async () => {
    const elf = [library('opt/lib/libx.so.1.2', 'libx.so.1'), library(`${triplet}/libz.so.1`, 'libz.so.1')];
    const cache = await cacheOf([configured, ...opt, file(`${triplet}/libz.so.1`), file('opt/lib/notes.txt')], elf);
    expect(cache).toContain('/opt/lib/libx.so.1\0');
    expect(cache).toContain('/opt/lib/libx.so\0');
    expect(cache).not.toContain('libx.so.1.2');
    expect(cache).toContain(`/${triplet}/libz.so.1\0`);
  });

  test('finds directories that are named through links', async () => {
    const elf = [library('usr/lib/other/libx.so.1', 'libx.so.1')];
    const tree = [configured, link('lib', 'usr/lib'), file('usr/lib/other/libx.so.1')];
    expect(await cacheOf(tree, elf, '  /lib/other  # here\n')).toContain('/usr/lib/other/libx.so.1\0');
  });
});
