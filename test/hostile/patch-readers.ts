import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseSeries } from '../../src/build/apply-series.ts';
import { applyPatches } from '../../src/fetch/apply-patch.ts';
import { readLoosePatch } from '../../src/fetch/read-loose-patch.ts';
import { normalisePatch } from '../../src/model/normalise-patch.ts';
import { parseNormalisedPatch, parsePatch } from '../../src/model/parse-patch.ts';
import { readGitNames, readHeaderName, readQuoted, stripped } from '../../src/model/patch-path.ts';
import { behind, COMMON, type HostileReader, nested, type Pattern, repeated } from './hostile-reader.ts';
import { scratch, scratchFile } from './scratch.ts';

const FILE = '--- a/x\n+++ b/x\n';
const PATCHES: readonly Pattern[] = [
  ...[
    '--- a\n',
    '+++ b\n',
    '@@ ',
    '@@ -1 +1 @@\n',
    'diff --git a a\n',
    'diff ',
    'Index: a\n',
    '*** a\n',
    'rename from a\n',
    'GIT binary patch\n',
    '-- \n',
    '\\ No newline at end of file\n',
    '--- a/x\n+++ b/x\n',
    'From a\n',
    '-a\n',
    '+a\n',
    'old mode 100644\n',
    'index 0..1\n',
  ].map((unit) => repeated(unit)),
  ...behind('--- a/'),
  ...behind('--- a/x\n+++ b/'),
  ...behind('--- "a/'),
  ...behind('diff --git a/'),
  ...behind('diff --git "a/'),
  ...behind(FILE),
  ...behind(`${FILE}@@ -1`),
  ...behind(`${FILE}@@ -1 +1 @@`),
  ...behind(`${FILE}@@ -1 +1 @@\n`),
  repeated('a b/', { before: 'diff --git a/', after: '\n' }),
  repeated('a a ', { before: 'diff --git ', after: '\n' }),
  repeated('\\101', { before: '--- "a/', after: '"\n' }),
  repeated('@@ -1 +1 @@\n-a\n+b\n', { before: FILE }),
  repeated((index) => `@@ -${index * 2 + 1} +${index * 2 + 1} @@\n-a\n+b\n`, { before: FILE }),
  repeated((index) => `@@ -${index + 1},0 +${2 * index + 2} @@\n+b\n`, { before: FILE }),
  repeated((index) => `--- a/${index}\n+++ b/${index}\n@@ -1 +1 @@\n-a\n+b\n`),
  repeated((index) => `--- /dev/null\n+++ b/${index}\n@@ -0,0 +1 @@\n+b\n`),
  repeated((index) => `diff --git a/${index} b/${index}\n--- a/${index}\n+++ b/${index}\n@@ -1 +1 @@\n-a\n+b\n`),
  repeated(
    (index) =>
      `diff --git a/${index} b/${index + 1}\nsimilarity index 100%\nrename from ${index}\nrename to ${index + 1}\n`,
  ),
  repeated((index) => `diff --git a/0 b/${index + 1}\nsimilarity index 100%\ncopy from 0\ncopy to ${index + 1}\n`),
  repeated((index) => `diff --git a/${index} b/${index}\ndeleted file mode 100644\n`),
  repeated((index) => `diff --git a/${index} b/${index}\nnew file mode 100644\n`),
  repeated(
    (index) =>
      `diff --git a/x/${'d/'.repeat(index % 50)}f b/x/${'d/'.repeat(index % 50)}f\nold mode 100644\nnew mode 100755\n`,
  ),
  repeated('--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+a\n'),
  repeated('+b\n', { before: `--- /dev/null\n+++ b/x\n@@ -0,0 +1,999999 @@\n` }),
  repeated(' a\n', { before: `${FILE}@@ -1,400000 +1,400000 @@\n` }),
  repeated('\n', { before: `${FILE}@@ -1,999999 +1,999999 @@\n` }),
  repeated('9', { before: `${FILE}@@ -1,`, after: ' +1 @@\n' }),
  repeated('# one diff of 2 files\n'),
  repeated('# one diff of 9999 files\n--- a\n+++ a\n@@ -1 +1 @@\n-a\n+b\n'),
  repeated('--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n'),
];

/** A file in which every line is like all others, so that a hunk may be anywhere. */
const MOVED: readonly Pattern[] = [
  repeated('@@ -90000,2 +90000,2 @@\n a\n-a\n+b\n', { before: FILE }),
  repeated((index) => `@@ -${90_000 + index * 3},3 +${90_000 + index * 3},3 @@\n a\n-c\n+b\n a\n`, { before: FILE }),
  repeated(' a\n', { before: `${FILE}@@ -1,300000 +1,300001 @@\n`, after: '+b\n' }),
  repeated(' a\n', { before: `${FILE}@@ -5000,50000 +1,50001 @@\n`, after: '-c\n' }),
  repeated('-a\n', { before: `${FILE}@@ -1,333000 +0,0 @@\n` }),
];

async function applied(bytes: Buffer, isOfDebian: boolean): Promise<void> {
  const directory = join(scratch, 'patched');
  rmSync(directory, { recursive: true, force: true });
  scratchFile('patched/x', 'a\n'.repeat(100_000));
  scratchFile('patched/0', 'a\n');
  const ofDebian = isOfDebian ? { removesEmpty: true } : undefined;
  await applyPatches(directory, [{ label: 'a.patch', text: bytes.toString('latin1') }], { ofDebian });
}

export const PATCH_READERS: readonly HostileReader[] = [
  {
    name: 'patch of a user',
    patterns: [...COMMON, ...PATCHES],
    feed: (bytes) => normalisePatch(bytes.toString('latin1'), 1),
  },
  { name: 'patch, not stripped', patterns: PATCHES, feed: (bytes) => parsePatch(bytes.toString('latin1'), 0) },
  {
    name: 'normalised patch',
    patterns: [...COMMON, ...PATCHES],
    feed: (bytes) => parseNormalisedPatch(bytes.toString('latin1')),
  },
  {
    name: 'patch of Debian',
    patterns: [...COMMON, ...PATCHES],
    feed: (bytes) => readLoosePatch(bytes.toString('latin1'), 'a'),
  },
  {
    name: 'normalised patch, applied',
    patterns: [...PATCHES.slice(-24), ...MOVED].map(withoutLetters),
    feed: (bytes) => applied(bytes, false),
  },
  {
    name: 'patch of Debian, applied',
    patterns: [...PATCHES.slice(-24), ...MOVED],
    feed: (bytes) => applied(bytes, true),
  },
  {
    name: 'series of patches',
    patterns: [
      ...COMMON,
      ...behind('a.patch '),
      ...behind('a.patch -p1 #'),
      repeated('a.patch\n'),
      repeated('a.patch -p1\n'),
      repeated((index) => `${index}.patch # a\n`),
    ],
    feed: (bytes) => parseSeries(bytes.toString('latin1'), 'debian/patches/series'),
  },
  {
    name: 'names in a patch',
    patterns: [
      ...COMMON,
      ...behind('"'),
      ...behind('a\t'),
      ...behind('a/b\t1970-'),
      repeated('a b/'),
      repeated('a a '),
      nested('a/', ' b/'),
      repeated('\\101', { before: '"', after: '"' }),
      repeated('\\', { before: '"', after: '"' }),
    ],
    feed: (bytes) => {
      const text = bytes.toString('latin1');
      return [readHeaderName(text), readGitNames(text, 1), readGitNames(text, 0), readQuoted(text), stripped(text, 1)];
    },
  },
];

/** A normalised patch has bare names. */
function withoutLetters({ name, make }: Pattern): Pattern {
  return {
    name,
    make: (bytes) =>
      Buffer.from(
        make(bytes)
          .toString('latin1')
          .replaceAll(/^(---|\+\+\+) [ab]\//gm, '$1 '),
        'latin1',
      ),
  };
}
