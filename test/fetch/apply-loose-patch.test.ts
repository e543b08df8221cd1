import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyPatches } from '../../src/fetch/apply-patch.ts';
import { readLoosePatch } from '../../src/fetch/read-loose-patch.ts';
import { BuilditError } from '../../src/model/errors.ts';
import { formatHunks } from '../../src/model/normalise-patch.ts';
import { textLines } from '../../src/model/text-lines.ts';
import { diffHunks } from '../../src/patching/diff-hunks.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

type Files = Readonly<Record<string, string>>;

function treeOf(files: Files): string {
  const directory = temporaryDirectory();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content, 'latin1');
    chmodSync(join(directory, path), content.startsWith('#!') ? 0o755 : 0o644);
  }
  return directory;
}

/** Contents by path, the mode above them where a file is executable. */
function filesOf(directory: string, below = ''): Files {
  const entries = readdirSync(join(directory, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) return Object.entries(filesOf(directory, path));
    if (entry.isSymbolicLink()) return [[path, `-> ${readlinkSync(join(directory, path))}`]];
    const mode = lstatSync(join(directory, path)).mode & 0o777;
    return [[path, `${mode === 0o644 ? '' : `${mode.toString(8)} `}${readFileSync(join(directory, path), 'latin1')}`]];
  });
  return Object.fromEntries(entries);
}

async function patched(files: Files, text: string, removesEmpty = true): Promise<Files> {
  const directory = treeOf(files);
  await applyPatches(directory, [{ label: 'p', text }], { ofDebian: { removesEmpty } });
  return filesOf(directory);
}

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('');
const change = '@@ -1,3 +1,3 @@\n line 1\n-line 2\n+two\n line 3\n';
const f = numbered(1, 3);
const two = f.replace('line 2', 'two');

describe('a patch of a source package', () => {
  test.each<[string, Files, string, Files]>([
    ['may hold a description alone', { f }, 'Description: emptied upstream\n', { f }],
    ['may be empty', { f }, '', { f }],
    [
      'may hold a section of git without a change',
      { f, NEWS: '1\n' },
      `diff --git a/NEWS b/NEWS\nindex 1111111..2222222 100644\ndiff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n${change}`,
      { f: two, NEWS: '1\n' },
    ],
    ['may have text behind a hunk', { f }, `--- a/f\n+++ b/f\n${change} \n more\n+more\n-- \n2.39\n`, { f: two }],
    [
      'may name binary files that differ',
      { f },
      `Binary files a/x and b/x differ\n--- a/f\n+++ b/f\n${change}Binary files a/x and b/x differ\n`,
      { f: two },
    ],
    [
      'inserts at line 0 of what is there',
      { f },
      '--- a/f\n+++ b/f\n@@ -0,0 +1,2 @@\n+one\n+two\n',
      { f: `one\ntwo\n${f}` },
    ],
    [
      'inserts where it says, whatever is there',
      { f },
      '--- a/f\n+++ b/f\n@@ -2,0 +3 @@\n+x\n',
      { f: 'line 1\nline 2\nx\nline 3\n' },
    ],
    ['makes a file by line numbers alone', {}, '--- a/d/n\n+++ b/d/n\n@@ -0,0 +1 @@\n+x\n', { 'd/n': 'x\n' }],
    ['makes a file by a name that is not there', {}, '--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n', { n: 'x\n' }],
    [
      'makes a file by its time',
      {},
      '--- a/n\t1970-01-01 01:00:00.000000000 +0100\n+++ b/n\t2020-01-01 00:00:00 +0000\n@@ -0,0 +1 @@\n+x\n',
      { n: 'x\n' },
    ],
    ['removes a file that it empties', { f: 'a\n' }, '--- a/f\n+++ b/f\n@@ -1 +0,0 @@\n-a\n', {}],
    [
      'removes a file and its directory',
      { 'd/e/f': 'a\n', g: '1\n' },
      '--- a/d/e/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n',
      { g: '1\n' },
    ],
    ['takes the file that is there', { f }, `--- a/f.orig\n+++ b/f\n${change}`, { f: two }],
    ['takes the name with fewer directories', {}, '--- a/x/n\n+++ b/n\n@@ -0,0 +1 @@\n+x\n', { n: 'x\n' }],
    ['knows times behind names', { f }, `--- a/f 2020-01-01\n+++ b/f\t2020-01-01 00:00:00\n${change}`, { f: two }],
    ['may come with carriage returns', { f }, `--- a/f\n+++ b/f\n${change}`.replaceAll('\n', '\r\n'), { f: two }],
    [
      'keeps carriage returns of its lines',
      { f: 'a\r\nb\r\n' },
      '--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n',
      { f: 'a\r\nc\r\n' },
    ],
    [
      'may lack its last empty lines',
      { f: 'a\n\n\n' },
      '--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n-a\n+b\n',
      { f: 'b\n\n\n' },
    ],
    ['may have lost blanks', { f: 'a\n\nb\n' }, '--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n', { f: 'a\n\nc\n' }],
    [
      'knows files without a last line end',
      { f: 'a' },
      '--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ Kein Zeilenumbruch\n',
      { f: 'b' },
    ],
    [
      'is found elsewhere',
      { f: `x\nx\n${f}` },
      `--- a/f\n+++ b/f\n${change.replaceAll('1,3', '2,3')}`,
      { f: `x\nx\n${two}` },
    ],
    [
      'takes the nearest of twelve places',
      { f: f.repeat(12) },
      `--- a/f\n+++ b/f\n${change.replaceAll('1,3', '33,3')}`,
      { f: `${f.repeat(11)}${two}` },
    ],
    [
      'may have hunks whose contexts overlap',
      { f: 'a\nb\nc\nd\ne\n' },
      '--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n-a\n+A\n b\n c\n@@ -3,3 +3,3 @@\n c\n d\n-e\n+E\n',
      { f: 'A\nb\nc\nd\nE\n' },
    ],
    [
      'of git renames, and sets modes',
      { f, g: '1\n' },
      'diff --git a/f b/h\nrename from f\nrename to h\ndiff --git a/g b/g\nold mode 100644\nnew mode 100755\n',
      { h: f, g: '755 1\n' },
    ],
    [
      'of git copies what was there before',
      { f },
      `diff --git a/f b/f\n--- a/f\n+++ b/f\n${change}diff --git a/f b/c\ncopy from f\ncopy to c\n`,
      { f: two, c: f },
    ],
    [
      'of git makes a link',
      { f: 'a\n' },
      'diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+f\n\\ No newline at end of file\n',
      { f: 'a\n', l: '-> f' },
    ],
    [
      'changes one file twice',
      { f },
      `--- a/f\n+++ b/f\n${change}--- a/f\n+++ b/f\n@@ -2 +2 @@\n-two\n+2\n`,
      { f: f.replace('line 2', '2') },
    ],
  ])('%s', async (_, before, text, after) => {
    expect(await patched(before, text)).toEqual(after);
  });

  test('leaves an empty file where only the diff of the format 1.0 asks for it', async () => {
    const text = '--- a/f\n+++ b/f\n@@ -1 +0,0 @@\n-a\n';
    expect(await patched({ f: 'a\n' }, text, false)).toEqual({ f: '' });
    expect(await patched({ f: 'a\n' }, text.replace('b/f', '').replace('+++ ', '+++ /dev/null'), false)).toEqual({});
  });

  test.each<[string, string, string]>([
    ['whose lines are not there', `--- a/g\n+++ b/g\n${change}`, 'hunk 1 of 1 does not match g'],
    [
      'that is applied already',
      `--- a/g\n+++ b/g\n${change.replace('-line 2', '-x').replace('+two', '+1')}`,
      'does not match g',
    ],
    ['for a file that is missing', `--- a/x\n+++ b/x\n${change}`, 'expected the file x, found none'],
    ['that makes what is there', '--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n', 'expected no file f, found one'],
    ['that leaves something', '--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-line 1\n', 'expected nothing to be left of f'],
    ['that leads out', `--- a/../x\n+++ b/../x\n${change}`, 'not'],
    ['through a link', `--- a/l/x\n+++ b/l/x\n@@ -0,0 +1 @@\n+x\n`, 'found a symbolic link at l'],
    ['of a link', `--- a/l\n+++ b/l\n${change}`, 'found a symbolic link at l'],
    ['with a damaged hunk', '--- a/f\n+++ b/f\n@@ -1,3 @@\n line 1\n', 'a damaged hunk header'],
    [
      'with text in a hunk',
      `--- a/f\n+++ b/f\n${change.replace('-line', '*line')}`,
      'a line in a hunk that is no part of one',
    ],
    ['that ends in a hunk', '--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@\n line 1\n', 'the end in the middle of a hunk'],
    ['with a hunk below no names', `words\n${change}`, 'a hunk without the name of a file'],
    ['with names above no hunk', `--- a/f\n+++ b/f\n\n${change}`, 'the names of a file without a hunk'],
    ['that is binary', 'diff --git a/x b/x\nindex 1..2\nGIT binary patch\nliteral 1\n', 'a binary patch'],
  ])('is refused as a whole: one %s', async (_, text, message) => {
    const outside = temporaryDirectory();
    const directory = treeOf({ f, g: '1\n', first: f });
    symlinkSync(outside, join(directory, 'l'));
    const before = filesOf(directory);
    const whole = `--- a/first\n+++ b/first\n${change}${text}`;
    const error = await applyPatches(directory, [{ label: 'p', text: whole }], {
      ofDebian: { removesEmpty: true },
    }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(BuilditError);
    expect((error as BuilditError).message).toContain(message === 'not' ? 'paths inside the source' : message);
    expect(filesOf(directory)).toEqual(before);
    expect(readdirSync(outside)).toEqual([]);
  });

  test.each([
    ['blanks', `--- a/${' '.repeat(1 << 20)}x\n`],
    ['tabs', `--- a/${'\t'.repeat(1 << 20)}x\n`],
    ['times', `--- a/f\t${'1970-01-01 '.repeat(1 << 17)}\n`],
    ['names of git', `diff --git ${'a/a '.repeat(1 << 18)}\n`],
    ['quotes', `--- "${'\\a'.repeat(1 << 19)}\n`],
    ['an index line', `diff --git a/f b/f\nindex ${'0'.repeat(1 << 20)}x\n`],
    ['sections', 'diff --git a/f b/f\nindex 1..2\n'.repeat(1 << 15)],
    ['empty lines', '\n'.repeat(1 << 20)],
  ])('is read in linear time: %s', (_, text) => {
    const before = process.cpuUsage();
    readLoosePatch(text, 'p');
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(1);
  });
});

requires('patch').test(
  'patch(1) leaves the same tree, or fails, too',
  async () => {
    const NAMES = ['f', 'g', 'd/h', 'new'] as const;
    const line = fc.constantFrom('a\n', 'b\n', 'c\n', '\n', '\tx\n', 'r\r\n');
    const content = fc.tuple(fc.array(line, { maxLength: 14 }), fc.boolean()).map(([lines, isOpen]) => {
      const text = lines.join('');
      return isOpen ? text.replace(/\n$/, '') : text;
    });
    const edits = fc.array(fc.tuple(fc.nat(14), fc.constantFrom('N\n', 'a\n', undefined)), {
      minLength: 1,
      maxLength: 3,
    });
    const section = fc.record({
      name: fc.constantFrom(...NAMES),
      edits,
      shift: fc.constantFrom(0, 0, 0, 1, -1, 3),
      isGit: fc.boolean(),
      isNull: fc.boolean(),
      behind: fc.constantFrom('', '', ' \n', '-- \n2.39\n', 'words\n', '+more\n', 'Index: zzz\n'),
      mode: fc.constantFrom('', '', 'old mode 100644\nnew mode 100755\n', 'index 1111111..2222222 100644\n'),
    });
    const files = fc.record({ f: content, g: content, 'd/h': content }, { requiredKeys: ['f'] });
    await fc.assert(
      fc.asyncProperty(files, fc.array(section, { minLength: 1, maxLength: 3 }), async (before, sections) => {
        const state = new Map(Object.entries(before));
        const text = sections.map(({ name, edits: changes, shift, isGit, isNull, behind, mode }) => {
          const old = state.get(name) ?? '';
          const lines = textLines(old);
          for (const [at, to] of changes) lines.splice(at, to === undefined ? 1 : 0, ...(to === undefined ? [] : [to]));
          const next = lines
            .map((text, at) => (at < lines.length - 1 && !text.endsWith('\n') ? `${text}\n` : text))
            .join('');
          state.set(name, next);
          const hunks = formatHunks(diffHunks(old, next)).replaceAll(
            /^@@ -(\d+)/gm,
            (_, at) => `@@ -${Math.max(0, Number(at) + shift)}`,
          );
          const [older, newer] = [
            isNull && old === '' ? '/dev/null' : `a/${name}`,
            isNull && next === '' ? '/dev/null' : `b/${name}`,
          ];
          const git = isGit ? `diff --git a/${name} b/${name}\n${mode}` : '';
          return `${git}${hunks === '' ? '' : `--- ${older}\n+++ ${newer}\n${hunks}`}${behind}`;
        });
        const directory = treeOf(before as Files);
        for (const name of NAMES) mkdirSync(dirname(join(directory, name)), { recursive: true });
        const options = [
          '-t',
          '-F',
          '0',
          '-N',
          '-p1',
          '-u',
          '-V',
          'never',
          '-E',
          '-b',
          '-B',
          '.pc/p/',
          '--reject-file=-',
        ];
        const { status } = spawnSync('patch', options, {
          cwd: directory,
          input: Buffer.from(text.join(''), 'latin1'),
          env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
        });
        const mine = treeOf(before as Files);
        const ofDebian = { removesEmpty: true, backups: '.pc/p' };
        const error = await applyPatches(mine, [{ label: 'p', text: text.join('') }], { ofDebian }).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        const isBackup = ([path]: readonly [string, string]) => path.startsWith('.pc');
        const contents = (tree: string) => Object.entries(filesOf(tree)).filter((entry) => !isBackup(entry));
        if (status === 0) expect(error).toBeUndefined();
        if (status === 0) expect(Object.fromEntries(contents(mine))).toEqual(Object.fromEntries(contents(directory)));
      }),
      { numRuns: Number(process.env.PATCH_RUNS ?? 25), seed: Number(process.env.PATCH_SEED ?? 1) },
    );
  },
  60_000,
);
