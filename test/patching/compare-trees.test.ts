import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyPatches } from '../../src/fetch/apply-patch.ts';
import { BuilditError } from '../../src/model/errors.ts';
import { normalisePatch } from '../../src/model/normalise-patch.ts';
import { compareTrees } from '../../src/patching/compare-trees.ts';
import { writeDiff } from '../../src/patching/write-diff.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

type Files = Readonly<Record<string, string>>;

function write(directory: string, files: Files): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content, 'latin1');
  }
  return directory;
}

/** A tree and a copy of it to change. */
function trees(files: Files): { older: string; newer: string } {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'a'));
  const older = write(join(directory, 'a'), files);
  cpSync(older, join(directory, 'b'), { recursive: true, verbatimSymlinks: true });
  return { older, newer: join(directory, 'b') };
}

async function diffOf({ older, newer }: { older: string; newer: string }, strip = 1): Promise<string> {
  return writeDiff((await compareTrees(older, newer, 'x.patch')).files, strip);
}

/** Applies what was written, as buildit does it, and tells what is still different. */
async function leftAfterApplying({ older, newer }: { older: string; newer: string }, text: string, strip = 1) {
  await applyPatches(older, [{ label: 'x.patch', text: normalisePatch(text, strip) }]);
  return (await compareTrees(older, newer, 'x.patch')).files;
}

async function refusalOf(pair: { older: string; newer: string }): Promise<BuilditError> {
  const error = await diffOf(pair).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(BuilditError);
  return error as BuilditError;
}

const count = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `${from + at}\n`).join('');

describe('the diff of two trees', () => {
  test('is what a person would write: by path, three lines of context, no times', async () => {
    const pair = trees({ 'src/b.c': count(1, 30), 'src/a.c': 'x\n', gone: 'bye\n' });
    write(pair.newer, {
      'src/b.c': count(1, 30).replace('5\n', 'five\n').replace('11\n', '11\n11a\n').replace('29\n', ''),
      'src/a.c': 'x',
      'new dir/ne"w': 'hello\n',
    });
    rmSync(join(pair.newer, 'gone'));
    expect(await diffOf(pair)).toBe(`--- a/gone
+++ /dev/null
@@ -1,1 +0,0 @@
-bye
--- /dev/null
+++ "b/new dir/ne\\"w"
@@ -0,0 +1,1 @@
+hello
--- a/src/a.c
+++ b/src/a.c
@@ -1,1 +1,1 @@
-x
+x
\\ No newline at end of file
--- a/src/b.c
+++ b/src/b.c
@@ -2,13 +2,14 @@
 2
 3
 4
-5
+five
 6
 7
 8
 9
 10
 11
+11a
 12
 13
 14
@@ -26,5 +27,4 @@
 26
 27
 28
-29
 30
`);
    expect(await leftAfterApplying(pair, await diffOf(pair))).toEqual([]);
  });

  test.each([
    ['bytes that are no UTF-8', 'caf\xe9\n', 'caf\xe8\r\n\xff\n'],
    ['carriage returns', 'a\r\nb\r\n\r\nc\r\n', 'a\r\nB\r\n\r\nc\n'],
    ['an end without a line end', 'a\nb', 'a\nb\nc'],
    ['an empty file that is filled', '', 'a\n'],
    ['a file that is emptied', 'a\nb\n', ''],
    ['empty lines', '\n\n\n\n', '\n\na\n\n'],
    ['lines like those of a diff', '--- a\n+++ b\n@@ -1 +1 @@\n', '--- a\n-- c\n+++ d\n@@ -2 +1 @@\n'],
  ])('holds %s', async (_, before, after) => {
    const pair = trees({ file: before, other: 'o\n' });
    write(pair.newer, { file: after });
    expect(await leftAfterApplying(pair, await diffOf(pair))).toEqual([]);
    expect(readFileSync(join(pair.older, 'file'), 'latin1')).toBe(after);
  });

  test('holds modes and files without content', async () => {
    const pair = trees({ run: 'echo\n', plain: 'a\n', empty: '' });
    chmodSync(join(pair.newer, 'run'), 0o755);
    write(pair.newer, { tool: '#!/bin/sh\n', marker: '' });
    chmodSync(join(pair.newer, 'tool'), 0o755);
    rmSync(join(pair.newer, 'empty'));
    const text = await diffOf(pair);
    expect(text).toContain('diff --git a/run b/run\nold mode 100644\nnew mode 100755\n');
    expect(text).toContain('diff --git a/empty b/empty\ndeleted file mode 100644\n');
    expect(await leftAfterApplying(pair, text)).toEqual([]);
    expect(statSync(join(pair.older, 'tool')).mode & 0o777).toBe(0o755);
  });

  test.each([0, 1, 2])('is read back with strip %i', async (strip) => {
    const pair = trees({ 'src/x': 'a\n', mode: '' });
    write(pair.newer, { 'src/x': 'b\n' });
    chmodSync(join(pair.newer, 'mode'), 0o755);
    const text = await diffOf(pair, strip);
    expect(await leftAfterApplying(pair, text, strip)).toEqual([]);
  });

  test('leaves out what editors and version control leave behind', async () => {
    const pair = trees({ x: 'a\n', 'kept.orig': 'a\n' });
    write(pair.newer, {
      x: 'b\n',
      'x~': 'a\n',
      '.x.swp': '\0',
      'x.rej': 'r\n',
      '.git/HEAD': 'ref\n',
      'kept.orig': 'b\n',
    });
    const { files, leftOut } = await compareTrees(pair.older, pair.newer, 'x.patch');
    expect(files.map(({ newPath }) => newPath)).toEqual(['kept.orig', 'x']);
    expect(leftOut).toEqual(['.git', '.x.swp', 'x.rej', 'x~']);
  });

  test('of any two trees makes the one of the other', { timeout: 60_000 }, async () => {
    const content = fc.array(fc.constantFrom('a\n', 'b\n', '\n', '\r\n', 'x', '\xe4\n', '-- \n'), { maxLength: 12 });
    const files = fc.dictionary(
      fc.constantFrom('a', 'b', 'd/c', 'd/e/f', 'g h'),
      content.map((parts) => parts.join('')),
    );
    await fc.assert(
      fc.asyncProperty(files, files, async (before, after) => {
        const directory = temporaryDirectory();
        for (const name of ['a', 'b']) mkdirSync(join(directory, name));
        const pair = { older: write(join(directory, 'a'), before), newer: write(join(directory, 'b'), after) };
        const text = await diffOf(pair);
        if (text === '') return;
        expect(await leftAfterApplying(pair, text)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

describe('the diff of two trees is read', () => {
  const content = { 'src/b.c': count(1, 30), gone: 'bye\n', 'old tool': '#!/bin/sh\n', run: '' };

  function changed(isMarked: boolean) {
    const pair = trees(content);
    for (const name of ['run', 'old tool']) {
      for (const tree of [pair.older, pair.newer]) chmodSync(join(tree, name), 0o755);
    }
    write(pair.newer, { 'src/b.c': count(2, 33), 'dir/new': 'no line end', 'new b': 'b\n' });
    for (const name of ['gone', 'old tool']) rmSync(join(pair.newer, name));
    if (isMarked) {
      write(pair.newer, { empty: '', 'dir/tool': '#!/bin/sh\n' });
      chmodSync(join(pair.newer, 'dir/tool'), 0o755);
      chmodSync(join(pair.newer, 'src/b.c'), 0o755);
    }
    return pair;
  }

  describe.each([
    ['contents alone', false],
    ['modes and empty files too', true],
  ])('of %s', (_, isMarked) => {
    requires('patch').test('by GNU patch', async () => {
      const pair = changed(isMarked);
      execFileSync('patch', ['-p1', '-s', '-F0', '-d', pair.older], { input: await diffOf(pair) });
      expect((await compareTrees(pair.older, pair.newer, 'x.patch')).files).toEqual([]);
    });

    requires('git').test('by git, which finds nothing odd in it', async () => {
      const pair = changed(isMarked);
      const patch = join(pair.older, '../x.patch');
      writeFileSync(patch, await diffOf(pair), 'latin1');
      const { status, stderr } = spawnSync('git', ['apply', patch], { cwd: pair.older, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect((await compareTrees(pair.older, pair.newer, 'x.patch')).files).toEqual([]);
    });
  });
});

describe('a change that a patch cannot hold is refused with its place', () => {
  test('of a binary file', async () => {
    const pair = trees({ 'img/logo': '\x89PNG\0\x01', same: '\0' });
    write(pair.newer, { 'img/logo': '\x89PNG\0\x02', 'out.o': '\x7fELF\0' });
    const error = await refusalOf(pair);
    expect(error.code).toBe('input-invalid');
    expect(error.message).toBe(
      'Cannot write "x.patch": expected changes of text files alone, found a change of a binary file at img/logo',
    );
    expect(error.details).toEqual(['and a change of a binary file at out.o']);
  });

  test('of symbolic links, which are never followed', async () => {
    const outside = write(temporaryDirectory(), { secret: 'before\n' });
    const pair = trees({ x: 'a\n' });
    for (const tree of [pair.older, pair.newer]) symlinkSync(outside, join(tree, 'same'));
    symlinkSync('x', join(pair.older, 'moved'));
    symlinkSync('y', join(pair.newer, 'moved'));
    write(outside, { secret: 'after\n' });
    const error = await refusalOf(pair);
    expect(error.message).toContain('a change of a symbolic link at moved');
    expect(error.details).toEqual([]);
    rmSync(join(pair.newer, 'x'));
    symlinkSync(join(outside, 'secret'), join(pair.newer, 'x'));
    expect((await refusalOf(pair)).details).toEqual(['and a change of a symbolic link at x']);
  });

  test('of a file into a directory, of pipes, and of names that no patch can have', async () => {
    const pair = trees({ x: 'a\n' });
    rmSync(join(pair.newer, 'x'));
    write(pair.newer, { 'x/y': 'b\n', 'a\nb': 'c\n' });
    execFileSync('mkfifo', [join(pair.newer, 'pipe')]);
    const error = await refusalOf(pair);
    expect([error.message, ...error.details].join('\n')).toMatchInlineSnapshot(`
      "Cannot write "x.patch": expected changes of text files alone, found a name with control characters, or one that is no UTF-8 at a\\u000ab
      and a device, a pipe or a socket at pipe
      and a file in place of a directory, or the other way round at x"
    `);
  });
});
