import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applySeries, parseSeries } from '../../src/build/apply-series.ts';
import { applyPatches } from '../../src/fetch/apply-patch.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SERIES = 'debian/patches/series';
const change = (from: string, to: string, prefix = 'a/') =>
  `Description: words\n\n--- ${prefix}x.c\n+++ ${prefix.replace('a', 'b')}x.c\n@@ -1 +1 @@\n-${from}\n+${to}\n`;

function treeWith(files: Readonly<Record<string, string>>): string {
  const tree = temporaryDirectory();
  mkdirSync(join(tree, 'debian/patches/sub'), { recursive: true });
  for (const [path, text] of Object.entries({ 'x.c': 'one\n', ...files })) writeFileSync(join(tree, path), text);
  return tree;
}

const { signal } = new AbortController();
const apply = (tree: string) => applySeries(tree, SERIES, applyPatches, { shell: 'pkg', time: 1_600_000_001, signal });

describe('the series of a source package', () => {
  test('is applied in its order with -p1, whatever else a line says, comments left out', async () => {
    const tree = treeWith({
      [SERIES]: '# first things first\nfirst.patch\n\n  ./sub//second.patch -p0 # why\r\n0\n\t#last\n',
      'debian/patches/first.patch': change('one', 'two'),
      'debian/patches/sub/second.patch': change('two', 'three'),
    });
    await apply(tree);
    expect(readFileSync(join(tree, 'x.c'), 'utf8')).toBe('three\n');
    expect(readFileSync(join(tree, '.pc/applied-patches'), 'utf8')).toBe('first.patch\n./sub//second.patch\n');
  });

  test('keeps each file as it was, with its mode and time, whatever the umask and the clock', async () => {
    const tree = treeWith({ [SERIES]: 'p\n', 'debian/patches/p': change('one', 'two') });
    chmodSync(join(tree, 'x.c'), 0o755);
    utimesSync(join(tree, 'x.c'), 1_500_000_000, 1_500_000_000);
    const before = process.umask(0o077);
    try {
      await apply(tree);
    } finally {
      process.umask(before);
    }
    const kept = statSync(join(tree, '.pc/p/x.c'));
    expect([readFileSync(join(tree, '.pc/p/x.c'), 'utf8'), kept.mode & 0o777, kept.mtimeMs]).toEqual([
      'one\n',
      0o755,
      1_500_000_000_000,
    ]);
  });

  test('is refused in words where a patch writes what is kept for another', async () => {
    const intrusion = '--- /dev/null\n+++ b/.pc/second/x.c\n@@ -0,0 +1 @@\n+x\n';
    const tree = treeWith({
      [SERIES]: 'first\nsecond\n',
      'debian/patches/first': intrusion,
      'debian/patches/second': change('one', 'two'),
    });
    await expect(apply(tree)).rejects.toMatchObject({
      code: 'input-invalid',
      message: 'Cannot apply a patch: ".pc/second/x.c" is there already',
    });
  });

  requires('quilt').test('can be taken off again by quilt, new files and removed ones too', async () => {
    const second = '--- a/x.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-two\n--- /dev/null\n+++ b/d/new.c\n@@ -0,0 +1 @@\n+new\n';
    const tree = treeWith({
      [SERIES]: 'first.patch\nsub/second.patch\n',
      'debian/patches/first.patch': change('one', 'two'),
      'debian/patches/sub/second.patch': second,
    });
    await apply(tree);
    expect([existsSync(join(tree, 'x.c')), existsSync(join(tree, 'd/new.c'))]).toEqual([false, true]);
    const environment = { PATH: process.env.PATH, HOME: tree, QUILT_PATCHES: 'debian/patches' };
    const pop = () => execFileSync('quilt', ['pop'], { cwd: tree, env: environment, stdio: 'pipe' });
    pop();
    expect([readFileSync(join(tree, 'x.c'), 'utf8'), existsSync(join(tree, 'd/new.c'))]).toEqual(['two\n', false]);
    pop();
    expect(readFileSync(join(tree, 'x.c'), 'utf8')).toBe('one\n');
  });

  test('takes the nearest of several places, as patch does', async () => {
    const lines = ['a', 'x', 'b', 'b', 'a', 'x', 'b'];
    const patch = '--- a/y.c\n+++ b/y.c\n@@ -6,2 +6,2 @@\n a\n-x\n+y\n';
    const tree = treeWith({
      [SERIES]: 'p\n',
      'debian/patches/p': `${patch} b\n`.replace('-6,2 +6,2', '-6,3 +6,3'),
      'y.c': `${lines.join('\n')}\nend\n`,
    });
    await apply(tree);
    expect(readFileSync(join(tree, 'y.c'), 'utf8')).toBe('a\nx\nb\nb\na\ny\nb\nend\n');
  });

  test('does not take the notes that an archive brought for its own', async () => {
    const outside = temporaryDirectory();
    for (const link of [true, false]) {
      const tree = treeWith({ [SERIES]: 'p\n', 'debian/patches/p': change('one', 'two') });
      if (link) symlinkSync(outside, join(tree, '.pc'));
      else mkdirSync(join(tree, '.pc/p'), { recursive: true });
      await apply(tree);
      expect(readFileSync(join(tree, '.pc/applied-patches'), 'utf8')).toBe('p\n');
      expect(existsSync(join(outside, 'applied-patches'))).toBe(false);
    }
  });

  test('that is not there is none, and that is noted, too', async () => {
    const tree = treeWith({});
    await apply(tree);
    expect(readFileSync(join(tree, '.pc/applied-patches'), 'utf8')).toBe('');
  });

  test('for Debian counts before the one for all, which becomes a link to it', async () => {
    const tree = treeWith({ 'debian/patches/debian.series': 'p\n', 'debian/patches/p': change('one', 'two') });
    await apply(tree);
    expect(readFileSync(join(tree, 'x.c'), 'utf8')).toBe('two\n');
    expect(readlinkSync(join(tree, SERIES))).toBe('debian.series');
    expect(readFileSync(join(tree, '.pc/.quilt_series'), 'utf8')).toBe('debian.series\n');
    const both = treeWith({ 'debian/patches/debian.series': '', [SERIES]: 'missing\n' });
    await apply(both);
    expect(readFileSync(join(both, SERIES), 'utf8')).toBe('missing\n');
  });

  test.each([
    ['names a patch outside', '../../secret\n', {}],
    ['names a patch that is not there', 'missing.patch\n', {}],
    ['names an absolute path', '/etc/passwd\n', {}],
    ['names what would move a cursor', '\u001b[2J.patch\n', {}],
    ['names more patches than anybody has', 'p\n'.repeat(5001), {}],
  ])('is refused when it %s', async (_, series, files) => {
    await expect(apply(treeWith({ [SERIES]: series, ...files }))).rejects.toMatchObject({ code: 'input-invalid' });
  });

  test('follows no link, be it the list, a patch or a directory', async () => {
    const outside = temporaryDirectory();
    writeFileSync(join(outside, 'p'), change('one', 'two'));
    writeFileSync(join(outside, 'series'), 'p\n');
    for (const link of ['debian/patches/series', 'debian/patches/p', 'debian/patches']) {
      const tree = temporaryDirectory();
      mkdirSync(join(tree, link.startsWith('debian/patches/') ? 'debian/patches' : 'debian'), { recursive: true });
      writeFileSync(join(tree, 'x.c'), 'one\n');
      if (link === 'debian/patches/p') writeFileSync(join(tree, SERIES), 'p\n');
      symlinkSync(link === 'debian/patches' ? outside : join(outside, link.slice(15)), join(tree, link));
      await expect(apply(tree), link).rejects.toMatchObject({ code: 'input-invalid' });
      expect(readFileSync(join(tree, 'x.c'), 'utf8')).toBe('one\n');
    }
    chmodSync(outside, 0o755);
  });

  test('reads names that hold odd characters as they are', () => {
    expect(parseSeries('0001-fix_a+b~1.patch\r\n', SERIES)).toEqual(['0001-fix_a+b~1.patch']);
  });
});
