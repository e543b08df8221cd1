import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coloursFor } from '../../src/cli/colours.ts';
import { renderError } from '../../src/cli/render-error.ts';
import { applyPatches } from '../../src/fetch/apply-patch.ts';
import { BuilditError } from '../../src/model/errors.ts';
import { normalisePatch } from '../../src/model/normalise-patch.ts';
import { programPath, requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const user = `/*
 * Copyright (C) Igor Sysoev
 */

#include <ngx_config.h>
#include <ngx_core.h>

#if (NGX_CRYPT)

#if (NGX_HAVE_GNU_CRYPT_R)

ngx_int_t
ngx_libc_crypt(ngx_pool_t *pool, u_char *key, u_char *salt, u_char **encrypted)
{
    char               *value;
    size_t              len;
    struct crypt_data   cd;

    cd.initialized = 0;

    /* work around the glibc bug */
    cd.current_salt[0] = ~salt[0];

    value = crypt_r((char *) key, (char *) salt, &cd);
`;

function treeOf(files: Record<string, string>): string {
  const directory = temporaryDirectory();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content, 'latin1');
  }
  return directory;
}

function read(directory: string, path: string): string {
  return readFileSync(join(directory, path), 'latin1');
}

async function apply(directory: string, text: string, label = 'change.patch', notices: string[] = []): Promise<void> {
  const patch = { label, text: normalisePatch(text, 1) };
  await applyPatches(directory, [patch], { shell: 'pkgs/nginx', onNotice: (notice) => notices.push(notice) });
}

async function rejected(promise: Promise<void>): Promise<BuilditError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(BuilditError);
  expect((error as BuilditError).code).toBe('patch-rejected');
  return error as BuilditError;
}

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('');

describe('patches', () => {
  test('change, make, remove, rename and mark files', async () => {
    const directory = treeOf({
      'src/a.c': 'one\ntwo\nthree\n',
      'old/gone.c': 'x\n',
      'run.sh': '#!/bin/sh\n',
      from: 'kept\n',
    });
    await apply(
      directory,
      `--- a/src/a.c
+++ b/src/a.c
@@ -1,3 +1,3 @@
 one
-two
+zwei
 three
diff --git a/new/dir/n.c b/new/dir/n.c
new file mode 100755
--- /dev/null
+++ b/new/dir/n.c
@@ -0,0 +1 @@
+made
\\ No newline at end of file
--- a/old/gone.c
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git a/from b/to
rename from from
rename to to
`,
    );
    expect(read(directory, 'src/a.c')).toBe('one\nzwei\nthree\n');
    expect(read(directory, 'new/dir/n.c')).toBe('made');
    expect(statSync(join(directory, 'new/dir/n.c')).mode & 0o777).toBe(0o755);
    expect(existsSync(join(directory, 'old'))).toBe(false);
    expect(statSync(join(directory, 'run.sh')).mode & 0o777).toBe(0o755);
    expect(existsSync(join(directory, 'from'))).toBe(false);
    expect(read(directory, 'to')).toBe('kept\n');
  });

  test('apply in order, each to what the one before left', async () => {
    const directory = treeOf({ a: 'one\n' });
    const texts = ['-one\n+two\n', '-two\n+three\n'].map((body) => `--- a\n+++ a\n@@ -1 +1 @@\n${body}`);
    await applyPatches(
      directory,
      texts.map((text, index) => ({ label: String(index), text: normalisePatch(text, 0) })),
    );
    expect(read(directory, 'a')).toBe('three\n');
  });

  test('keep bytes, line ends and the executable bit', async () => {
    const directory = treeOf({ a: 'caf\xe9\r\n\xff\xfe\nlast' });
    chmodSync(join(directory, 'a'), 0o755);
    await apply(
      directory,
      '--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n caf\xe9\r\n-\xff\xfe\n+\xfe\xff\n last\n\\ No newline at end of file\n',
    );
    expect(read(directory, 'a')).toBe('caf\xe9\r\n\xfe\xff\nlast');
    expect(statSync(join(directory, 'a')).mode & 0o777).toBe(0o755);
  });

  test('give every file they write the time they are told', async () => {
    const directory = treeOf({ a: 'one\n' });
    const text = normalisePatch('--- a\n+++ a\n@@ -1 +1 @@\n-one\n+two\n', 0);
    await applyPatches(directory, [{ label: 'a', text }], { time: 1_000_000_000 });
    expect(statSync(join(directory, 'a')).mtimeMs).toBe(1_000_000_000_000);
  });

  test('replace files and never write into them, for the tree may share them', async () => {
    const directory = treeOf({ a: 'one\n' });
    const before = statSync(join(directory, 'a')).ino;
    await apply(directory, '--- a/a\n+++ b/a\n@@ -1 +1 @@\n-one\n+two\n');
    expect(statSync(join(directory, 'a')).ino).not.toBe(before);
  });

  test('may find their lines elsewhere, and say so', async () => {
    const directory = treeOf({ a: `${numbered(100, 110)}${numbered(1, 40)}` });
    const notices: string[] = [];
    await apply(
      directory,
      '--- a/a\n+++ b/a\n@@ -5,3 +5,3 @@\n line 5\n-line 6\n+changed\n line 7\n@@ -30,3 +30,3 @@\n line 30\n-line 31\n+changed\n line 32\n',
      'a.patch',
      notices,
    );
    expect(read(directory, 'a').match(/changed/g)).toHaveLength(2);
    expect(notices).toEqual(['"a.patch" fits elsewhere than it says: hunk 1 of a by 11 lines']);
  });

  test('are never applied fuzzily', async () => {
    const directory = treeOf({ a: 'one\ntwo\nthree \n' });
    const error = await rejected(apply(directory, '--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three\n'));
    expect(error.details).toEqual(['expected  three', 'found     three ']);
    expect(read(directory, 'a')).toBe('one\ntwo\nthree \n');
  });

  test('are refused where their lines are found in several places', async () => {
    const directory = treeOf({ a: `first\n${'x\ny\nz\n'.repeat(2)}` });
    const error = await rejected(apply(directory, '--- a/a\n+++ b/a\n@@ -20,3 +20,3 @@\n x\n-y\n+Y\n z\n'));
    expect(error.message).toBe(
      'Cannot apply "change.patch": hunk 1 of 1 matches a at several lines (2, 5), none of them line 20',
    );
  });

  const ending = '--- a/a\n+++ b/a\n@@ -3,3 +3,4 @@\n line 3\n line 4\n line 5\n+line 6\n';
  const uneven = '--- a/a\n+++ b/a\n@@ -1,4 +1,4 @@\n line 1\n line 2\n-line 3\n+three\n line 4\n';
  const beginning = '--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n-line 1\n+one\n line 2\n line 3\n';

  test.each([
    ['nothing at the end', ending, `${numbered(1, 5)}more\n`, 'end', 3],
    ['less at the end', uneven, numbered(1, 6), 'end', 1],
    ['less at the beginning', beginning, `first\n${numbered(1, 5)}`, 'beginning', 2],
  ])('with context of which there is %s belong there, as for GNU patch', async (_, text, content, end, line) => {
    const directory = treeOf({ a: content });
    const error = await rejected(apply(directory, text));
    expect(error.message).toBe(
      `Cannot apply "change.patch": hunk 1 of 1 has less context at its ${end} and so belongs to the ${end} of a, but its lines are at line ${line}`,
    );
    expect(error.hint).toContain('as many lines of context on both sides');
    expect(error.details).toEqual([]);
    if (programPath('patch') === undefined) return;
    const patched = spawnSync('patch', ['-p1', '-F0', '-s', '--dry-run', '-d', directory], { input: text });
    expect(patched.status).toBe(1);
  });

  test('with less context at the end are applied there', async () => {
    const directory = treeOf({ a: numbered(1, 5) });
    await apply(directory, ending);
    expect(read(directory, 'a')).toBe(numbered(1, 6));
  });

  test('change everything or nothing', async () => {
    const directory = treeOf({ a: 'one\n', b: 'other\n' });
    const error = await rejected(
      apply(directory, '--- a/a\n+++ b/a\n@@ -1 +1 @@\n-one\n+two\n--- a/b\n+++ b/b\n@@ -1 +1 @@\n-one\n+two\n'),
    );
    expect(error.message).toContain('hunk 1 of 1 does not match b at line 1');
    expect(read(directory, 'a')).toBe('one\n');
  });

  test.each([
    ['a missing file', '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n', 'expected the file x, found none'],
    ['a new file that is there', '--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+b\n', 'expected no file a, found one'],
    ['a rename onto a file', 'diff --git a/a b/b\nrename from a\nrename to b\n', 'expected no file b, found one'],
    ['a directory', '--- a/dir\n+++ b/dir\n@@ -1 +1 @@\n-a\n+b\n', 'expected a file at dir, found something else'],
    [
      'a file below a file',
      '--- /dev/null\n+++ b/a/x\n@@ -0,0 +1 @@\n+b\n',
      'expected a file at a/x, found something else',
    ],
    [
      'more than is removed',
      '--- a/b\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n',
      'expected nothing to be left of b, found more',
    ],
    ['a symbolic link', '--- a/link\n+++ b/link\n@@ -1 +1 @@\n-1\n+b\n', 'found a symbolic link at link'],
    [
      'a new file through a link',
      '--- /dev/null\n+++ b/out/x\n@@ -0,0 +1 @@\n+b\n',
      'expected out/x inside the source, found a symbolic link at out',
    ],
  ])('are refused for %s', async (_, text, message) => {
    const outside = temporaryDirectory();
    const directory = treeOf({ a: '1\n', b: '1\n2\n', 'dir/c': '1\n' });
    symlinkSync(join(directory, 'a'), join(directory, 'link'));
    symlinkSync(outside, join(directory, 'out'));
    expect((await rejected(apply(directory, text))).message).toContain(message);
    expect(read(directory, 'a')).toBe('1\n');
    expect(existsSync(join(outside, 'x'))).toBe(false);
  });

  test('made to search for ever are given up', async () => {
    const directory = treeOf({ a: 'x\n'.repeat(60_000) });
    const half = ' x\n'.repeat(10_000);
    const hunk = `@@ -1,20001 +1,20001 @@\n${half}-y\n+z\n${half}`;
    const error = await rejected(apply(directory, `--- a/a\n+++ b/a\n${hunk}`));
    expect(error.message).toContain('too many lines alike');
  });
});

describe('the message for a patch that does not apply', () => {
  const styled = (error: BuilditError): string =>
    `${renderError(error, { colours: coloursFor(false, {}), cwd: '/', verbose: false }).join('\n')}\n`;

  test('shows the lines that differ', async () => {
    const directory = treeOf({ 'src/os/unix/ngx_user.c': user });
    const text = `--- a/src/os/unix/ngx_user.c
+++ b/src/os/unix/ngx_user.c
@@ -18,7 +18,7 @@
 
     cd.initialized = 0;
 
-#ifdef __GLIBC__
+#if defined(__GLIBC__) && !defined(__UCLIBC__)
     /* work around the glibc bug */
     cd.current_salt[0] = ~salt[0];
 
`;
    const error = await rejected(apply(directory, text, 'pkgs/nginx/patches/port-crypt.patch'));
    await expect(styled(error)).toMatchFileSnapshot('../golden/patches/one-hunk.txt');
  });

  test('lists every hunk, in every file', async () => {
    const directory = treeOf({ 'src/a.c': numbered(1, 60), 'src/b.c': 'int\tb;\n', 'src/new.c': 'here\n' });
    const text = `--- a/src/a.c
+++ b/src/a.c
@@ -2,3 +2,3 @@
 line 2
-line 3
+line three
 line 4
@@ -20,3 +20,3 @@
 line 20
-line twenty-one
+line 21
 line 22
@@ -50,3 +50,3 @@
 line 50
-line fifty-one
+Zeile 51
 line 52
--- a/src/b.c
+++ b/src/b.c
@@ -1,2 +1,2 @@
 int\tb;
-int c;
+int d;
--- /dev/null
+++ b/src/new.c
@@ -0,0 +1,1 @@
+new
--- a/src/missing.c
+++ b/src/missing.c
@@ -1,1 +1,1 @@
-a
+b
`;
    const error = await rejected(apply(directory, text, 'patches/many.patch'));
    await expect(styled(error)).toMatchFileSnapshot('../golden/patches/many-hunks.txt');
  });

  test('shows control characters and other bytes as what they are', async () => {
    const directory = treeOf({ 'a.txt': '\x1b[31mred\nKäse\r\n' });
    const text = '--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n-red\n+blue\n Käse\n';
    const error = await rejected(apply(directory, Buffer.from(text).toString('latin1'), 'patches/\u202eodd.patch'));
    await expect(styled(error)).toMatchFileSnapshot('../golden/patches/odd-bytes.txt');
  });

  test('says when the change is there already', async () => {
    const directory = treeOf({ 'src/a.c': numbered(1, 9).replace('line 5', 'line five'), new: 'made\n' });
    const text = `--- a/src/a.c
+++ b/src/a.c
@@ -4,3 +4,3 @@
 line 4
-line 5
+line five
 line 6
--- /dev/null
+++ b/new
@@ -0,0 +1 @@
+made
`;
    const error = await rejected(apply(directory, text, 'pkgs/nginx/patches/CVE-2025-23419.patch'));
    await expect(styled(error)).toMatchFileSnapshot('../golden/patches/already-applied.txt');
  });
});

describe('beside other programs', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', '', 'd e', '\xe9'), { maxLength: 30 });
  const content = fc
    .tuple(lines, fc.boolean())
    .map(([all, end]) => all.join('\n') + (end && all.length > 0 ? '\n' : ''));

  requires('diff').test('what GNU diff writes gives the new file, and is already applied then', async () => {
    const directory = temporaryDirectory();
    await fc.assert(
      fc.asyncProperty(content, content, async (before, after) => {
        fc.pre(before !== after && before !== '' && after !== '');
        writeFileSync(join(directory, 'f'), before, 'latin1');
        writeFileSync(join(directory, 'g'), after, 'latin1');
        const { stdout } = spawnSync('diff', ['-u', 'f', 'g'], { cwd: directory, encoding: 'latin1' });
        const patch = { label: 'p', text: normalisePatch(stdout.replaceAll(/^(---|\+\+\+) .*/gm, '$1 f'), 0) };
        await applyPatches(directory, [patch]);
        expect(read(directory, 'f')).toBe(after);
      }),
      { numRuns: 60 },
    );
  });
});
