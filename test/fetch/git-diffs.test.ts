import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyPatches } from '../../src/fetch/apply-patch.ts';
import { formatPatch, normalisePatch } from '../../src/model/normalise-patch.ts';
import { parseNormalisedPatch } from '../../src/model/parse-patch.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** By path: the text of a link behind `->`, that of a program behind `#!`, any other file as it is. */
type Tree = Readonly<Record<string, string>>;

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('');
const [ONE, OTHER] = [numbered(1, 40), numbered(200, 240)];
const editedAt = (text: string, line: number, to: string): string =>
  text
    .split('\n')
    .map((old, index) => (index === line - 1 ? to : old))
    .join('\n');

function writeTree(directory: string, tree: Tree): void {
  for (const [path, content] of Object.entries(tree)) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    if (content.startsWith('->')) symlinkSync(content.slice(2), target);
    else writeFileSync(target, content, 'latin1');
    if (content.startsWith('#!')) chmodSync(target, 0o755);
  }
}

/** Empty directories do not count: git has none. */
function readTree(directory: string, below = ''): Tree {
  const entries = readdirSync(join(directory, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (path === '.git') return [];
    if (entry.isDirectory()) return Object.entries(readTree(directory, path));
    if (entry.isSymbolicLink()) return [[path, `->${readlinkSync(join(directory, path))}`]];
    const content = readFileSync(join(directory, path), 'latin1');
    const isProgram = (lstatSync(join(directory, path)).mode & 0o111) !== 0;
    expect(isProgram, path).toBe(content.startsWith('#!'));
    return [[path, content]];
  });
  return Object.fromEntries(entries);
}

async function patched(before: Tree, text: string, strip = 1): Promise<Tree> {
  const directory = temporaryDirectory();
  writeTree(directory, before);
  const normal = normalisePatch(text, strip);
  expect(formatPatch(parseNormalisedPatch(normal))).toBe(normal);
  await applyPatches(directory, [{ label: 'p', text: normal }]);
  return readTree(directory);
}

const modified = (path: string, line: number, from: string, to: string, name = path): string =>
  `diff --git a/${name} b/${path}\n--- a/${name}\n+++ b/${path}\n${hunk(line, from, to)}`;
const hunk = (line: number, from: string, to: string): string =>
  `@@ -${line - 1},3 +${line - 1},3 @@\n line ${line - 1}\n-${from}\n+${to}\n line ${line + 1}\n`;
const moved = (kind: 'rename' | 'copy', from: string, to: string): string =>
  `diff --git a/${from} b/${to}\nsimilarity index 100%\n${kind} from ${from}\n${kind} to ${to}\n`;

describe('in one diff of git every old name means the file before it', () => {
  const TWO = editedAt(ONE, 2, 'two');
  test.each<[string, Tree, string, Tree]>([
    [
      'a copy of a file changed above',
      { b: ONE },
      modified('b', 2, 'line 2', 'two') + moved('copy', 'b', 'c'),
      { b: TWO, c: ONE },
    ],
    [
      'a copy of a file changed below',
      { b: ONE },
      moved('copy', 'b', 'a') + modified('b', 2, 'line 2', 'two'),
      { a: ONE, b: TWO },
    ],
    ['a chain', { a: OTHER, b: ONE }, moved('rename', 'a', 'b') + moved('rename', 'b', 'c'), { b: OTHER, c: ONE }],
    [
      'a chain the other way',
      { a: OTHER, b: ONE },
      moved('rename', 'b', 'c') + moved('rename', 'a', 'b'),
      { b: OTHER, c: ONE },
    ],
    ['a swap', { a: OTHER, b: ONE }, moved('rename', 'b', 'a') + moved('rename', 'a', 'b'), { a: ONE, b: OTHER }],
    [
      'three files in a ring',
      { a: '1\n', b: '2\n', c: '3\n' },
      moved('rename', 'c', 'a') + moved('rename', 'a', 'b') + moved('rename', 'b', 'c'),
      { a: '3\n', b: '1\n', c: '2\n' },
    ],
    [
      'a renamed file and a new one of its name',
      { m: ONE },
      `diff --git a/m b/m\nnew file mode 100644\n--- /dev/null\n+++ b/m\n@@ -0,0 +1 @@\n+see n\n${moved('rename', 'm', 'n')}`,
      { m: 'see n\n', n: ONE },
    ],
    [
      'a copy of a file that is removed',
      { a: ONE },
      `diff --git a/a b/a\ndeleted file mode 100644\n--- a/a\n+++ /dev/null\n@@ -1,40 +0,0 @@\n${ONE.replaceAll(/^/gm, '-').slice(0, -1)}${moved('copy', 'a', 'b')}`,
      { b: ONE },
    ],
    [
      'a directory that becomes a file',
      { 'd/x': '1\n' },
      'diff --git a/d b/d\nnew file mode 100644\n--- /dev/null\n+++ b/d\n@@ -0,0 +1 @@\n+2\n' +
        'diff --git a/d/x b/d/x\ndeleted file mode 100644\n--- a/d/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n',
      { d: '2\n' },
    ],
  ])('%s', async (_, before, diff, after) => {
    expect(await patched(before, diff)).toEqual(after);
  });

  test('a copy without a change keeps its content where the same diff removes the file it is of', async () => {
    const removal = ONE.replaceAll(/^/gm, '-').slice(0, -1);
    const text = [
      'diff --git a/a b/b\nsimilarity index 100%\ncopy from a\ncopy to b\n',
      `diff --git a/a b/a\ndeleted file mode 100644\n--- a/a\n+++ /dev/null\n@@ -1,40 +0,0 @@\n${removal}`,
    ].join('');
    expect(await patched({ a: ONE }, text)).toEqual({ b: ONE });
  });

  test('a file that the diff itself renames twice has its last name alone', async () => {
    const text = 'diff --git a/a b/b\nrename from a\nrename to b\ndiff --git a/b b/c\nrename from b\nrename to c\n';
    expect(await patched({ a: ONE }, text)).toEqual({ c: ONE });
  });

  test('and in two commits of one mailbox the second one sees the first', async () => {
    const mail = (subject: string, diff: string) =>
      `From ${'0'.repeat(40)} Mon Sep 17 00:00:00 2001\nSubject: ${subject}\n\n---\n\n${diff}-- \n2.39.5\n\n`;
    const copied = [mail('1', modified('b', 2, 'line 2', 'two')), mail('2', moved('copy', 'b', 'c'))].join('');
    expect(await patched({ b: ONE }, copied)).toEqual({ b: TWO, c: TWO });
    const chain = [mail('1', moved('rename', 'a', 'b')), mail('2', moved('rename', 'b', 'c'))].join('');
    expect(await patched({ a: ONE }, chain)).toEqual({ c: ONE });
  });

  test('and diffs without names of git follow one another', async () => {
    const change = (from: string, to: string) => `--- a/f\n+++ b/f\n${hunk(2, from, to)}`;
    const text = change('line 2', 'two') + change('two', 'three') + moved('copy', 'f', 'g');
    expect(await patched({ f: ONE }, text)).toEqual({ f: editedAt(ONE, 2, 'three'), g: editedAt(ONE, 2, 'three') });
  });

  test('the same file twice is the end of a diff: what follows sees it changed', async () => {
    const text = modified('f', 2, 'line 2', 'two') + modified('f', 2, 'two', 'three');
    expect(await patched({ f: ONE }, text)).toEqual({ f: editedAt(ONE, 2, 'three') });
  });

  test('names without a prefix lose the elements of `strip` where they are renamed, too', async () => {
    const bare = 'diff --git src/a src/b\nrename from src/a\nrename to src/b\n';
    expect(await patched({ 'src/a': '1\n' }, bare, 0)).toEqual({ 'src/b': '1\n' });
    expect(await patched({ a: '1\n' }, bare, 1)).toEqual({ b: '1\n' });
    const deep = 'diff --git a/src/a b/src/b\nrename from src/a\nrename to src/b\n';
    expect(await patched({ a: '1\n' }, deep, 2)).toEqual({ b: '1\n' });
  });

  test('a diff whose files do not touch each other is normalised as ever, one that needs it is marked', () => {
    const free = modified('a', 2, 'line 2', 'two') + moved('rename', 'b', 'c');
    expect(normalisePatch(free, 1)).not.toContain('one diff');
    const bound = modified('b', 2, 'line 2', 'two') + moved('copy', 'b', 'c');
    expect(normalisePatch(bound, 1)).toMatch(/^# one diff of 2 files\n/);
  });
});

describe('symbolic links in a diff of git', () => {
  const link = (path: string, to: string) =>
    `diff --git a/${path} b/${path}\nnew file mode 120000\nindex 0000000..1111111\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+${to}\n\\ No newline at end of file\n`;
  const unlinked = (path: string, to: string) =>
    `diff --git a/${path} b/${path}\ndeleted file mode 120000\nindex 1111111..0000000\n--- a/${path}\n+++ /dev/null\n@@ -1 +0,0 @@\n-${to}\n\\ No newline at end of file\n`;
  const file = 'diff --git a/l b/l\nnew file mode 100644\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+text\n';
  const noFile = 'diff --git a/l b/l\ndeleted file mode 100644\n--- a/l\n+++ /dev/null\n@@ -1 +0,0 @@\n-text\n';

  test.each<[string, Tree, string, Tree]>([
    ['are made', { f: '1\n' }, link('d/l', '../f'), { f: '1\n', 'd/l': '->../f' }],
    ['are removed', { f: '1\n', l: '->f' }, unlinked('l', 'f'), { f: '1\n' }],
    [
      'are retargeted',
      { l: '->f' },
      'diff --git a/l b/l\nindex 1111111..2222222 120000\n--- a/l\n+++ b/l\n@@ -1 +1 @@\n-f\n\\ No newline at end of file\n+g\n\\ No newline at end of file\n',
      { l: '->g' },
    ],
    ['become a file', { l: '->f' }, unlinked('l', 'f') + file, { l: 'text\n' }],
    ['take the place of a file', { l: 'text\n' }, noFile + link('l', 'f'), { l: '->f' }],
    ['are renamed as they are', { 'd/l': '->f' }, moved('rename', 'd/l', 'd/m'), { 'd/m': '->f' }],
    ['are copied as they are', { l: '->f' }, moved('copy', 'l', 'm'), { l: '->f', m: '->f' }],
    [
      'become a directory',
      { l: '->f' },
      unlinked('l', 'f') + file.replaceAll(/([ab])\/l/g, '$1/l/x'),
      { 'l/x': 'text\n' },
    ],
    [
      'take the place of a directory',
      { 'l/x': 'text\n', 'e/y': '1\n' },
      link('l', 'e') + noFile.replaceAll(/([ab])\/l/g, '$1/l/x'),
      { l: '->e', 'e/y': '1\n' },
    ],
  ])('%s', async (_, before, diff, after) => {
    expect(await patched(before, diff)).toEqual(after);
  });

  test.each([
    ['that leads out', link('l', '../secret'), 'stays inside the source, found one to "../secret"'],
    ['that leads out of a directory', link('d/l', '../../x'), 'stays inside the source'],
    ['that leads out on its way', link('d/l', 'x/../../../y'), 'stays inside the source'],
    ['that is absolute', link('l', '/etc/passwd'), 'stays inside the source'],
    ['that leads out once it is moved', moved('rename', 'd/up', 'new'), 'stays inside the source, found one to "../f"'],
    ['that is there', link('up', 'f'), 'expected no file up, found one'],
    ['where a file is', unlinked('f', 'x'), 'expected a symbolic link at f, found a file'],
    ['that is changed as a file', modified('there', 2, 'a', 'b'), 'found a symbolic link at there'],
    [
      'and a file through it',
      link('out', 'd') + file.replaceAll(/([ab])\/l/g, '$1/out/x'),
      'expected out/x inside the source, found a symbolic link at out',
    ],
  ])('are refused: one %s', async (_, diff, message) => {
    const before = { f: '1\n', 'd/up': '->../f', up: '1\n', there: '->f' };
    await expect(patched(before, diff)).rejects.toMatchObject({
      code: 'patch-rejected',
      message: expect.stringContaining(message),
    });
  });

  test('are never written or removed through', async () => {
    const [directory, outside] = [temporaryDirectory(), temporaryDirectory()];
    writeFileSync(join(outside, 'x'), 'text\n');
    symlinkSync(outside, join(directory, 'l'));
    const through = [noFile, modified('l', 2, 'a', 'b'), moved('rename', 'l', 'm')];
    for (const diff of through.map((text) => text.replaceAll(/(\/|from |to )([lm])\b/g, '$1$2/x'))) {
      const text = normalisePatch(diff, 1);
      await expect(applyPatches(directory, [{ label: 'p', text }])).rejects.toMatchObject({ code: 'patch-rejected' });
    }
    const replaced = unlinked('l', outside) + file.replaceAll(/([ab])\/l/g, '$1/l/y');
    await applyPatches(directory, [{ label: 'p', text: normalisePatch(replaced, 1) }]);
    expect(readdirSync(outside)).toEqual(['x']);
    expect(readTree(directory)).toEqual({ 'l/y': 'text\n' });
  });
});

describe('beside git', () => {
  const NAMES = ['a', 'b', 'c', 'd/x', 'd/y', 'd', 'e f', 'ä'];
  const text = fc
    .tuple(
      fc.constantFrom(ONE, OTHER, numbered(1, 3), ''),
      fc.array(fc.tuple(fc.nat(40), fc.nat(3)), { maxLength: 3 }),
      fc.boolean(),
    )
    .map(([base, edits, isOpen]) => {
      const changed = edits.reduce((now, [line, to]) => editedAt(now, line + 1, `edit ${to}`), base);
      return isOpen ? changed.replace(/\n$/, '') : changed;
    });
  const content = fc.oneof(
    { weight: 6, arbitrary: text },
    { weight: 1, arbitrary: text.map((value) => `#!/bin/sh\n${value}`) },
    { weight: 1, arbitrary: fc.constantFrom('->a', '->b', '->d') },
  );
  const isPossible = (tree: Tree) => !('d' in tree && ('d/x' in tree || 'd/y' in tree));
  const tree = fc.dictionary(fc.constantFrom(...NAMES), content, { maxKeys: 5 }).filter(isPossible);
  /** The files of a tree under other names, with copies and edits: what renames are made of. */
  const follower = (before: Tree) =>
    fc
      .array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES), fc.option(content)), { maxLength: 5 })
      .map((moves) => {
        const after: Record<string, string> = { ...before };
        for (const [from, to, other] of moves) {
          const [old, there] = [before[from], after[to]];
          if (old !== undefined) after[to] = other === null ? old : editedAt(old, 3, 'edited');
          else if (other !== null) after[to] = other;
          if (there !== undefined && other === null) after[from] = there;
          else if (other === null) delete after[from];
        }
        return after;
      })
      .filter(isPossible);
  /** Where a link becomes a file, git writes with -B what it cannot apply itself: no deletion above a copy. */
  const optionsFor = (...trees: readonly Tree[]) => {
    const kinds = (path: string) => new Set(trees.flatMap((state) => state[path]?.startsWith('->') ?? []));
    const isOfOneKind = NAMES.every((path) => kinds(path).size < 2);
    return ['-M', '-C', '--find-copies-harder', '--full-index', ...(isOfOneKind ? ['-B'] : [])];
  };

  function createGit() {
    const directory = temporaryDirectory();
    const environment = { PATH: process.env.PATH, HOME: directory, GIT_CONFIG_NOSYSTEM: '1' };
    const who = { AUTHOR: 'a', COMMITTER: 'a' };
    const names = Object.keys(who).flatMap((role) => [
      [`GIT_${role}_NAME`, 'a'],
      [`GIT_${role}_EMAIL`, 'a@example.org'],
    ]);
    const git = (...argv: string[]): string => {
      const result = spawnSync('git', argv, {
        cwd: directory,
        env: { ...environment, ...Object.fromEntries(names) },
        encoding: 'latin1',
      });
      expect(result.status, result.stderr).toBe(0);
      return result.stdout;
    };
    git('init', '-q', '.');
    const commit = (state: Tree, parent?: string): string => {
      for (const name of readdirSync(directory))
        if (name !== '.git') rmSync(join(directory, name), { recursive: true });
      writeTree(directory, state);
      git('add', '-A');
      const made = git('write-tree').trim();
      return git(
        'commit-tree',
        '-m',
        'change\n\n12d\n*** 1,2 ****',
        ...(parent === undefined ? [] : ['-p', parent]),
        made,
      ).trim();
    };
    return { git, commit };
  }

  requires('git').test(
    'any diff, and any two commits as mails, give the tree that git has',
    async () => {
      const { git, commit } = createGit();
      const pair = tree.chain((before) =>
        follower(before).chain((between) => follower(between).map((after) => [before, between, after] as const)),
      );
      await fc.assert(
        fc.asyncProperty(pair, async ([before, between, after]) => {
          const first = commit(before);
          const second = commit(between, first);
          const third = commit(after, second);
          const diff = git('diff', ...optionsFor(before, after), first, third);
          if (diff !== '') expect(await patched(before, diff)).toEqual(after);
          const mails = git('format-patch', '--stdout', ...optionsFor(before, between, after), `${first}..${third}`);
          if (/^diff --git/m.test(mails)) expect(await patched(before, mails)).toEqual(after);
        }),
        { numRuns: Number(process.env.PATCH_RUNS ?? 8), seed: Number(process.env.PATCH_SEED ?? 1) },
      );
    },
    60_000,
  );
});
