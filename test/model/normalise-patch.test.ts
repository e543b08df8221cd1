import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/model/digest.ts';
import { BuilditError } from '../../src/model/errors.ts';
import { normalisePatch } from '../../src/model/normalise-patch.ts';
import { parseNormalisedPatch, parsePatch } from '../../src/model/parse-patch.ts';

const plain = `--- a/src/main.c
+++ b/src/main.c
@@ -1,3 +1,4 @@
 int main(void)
 {
+  return 0;
 }
`;

function refusal(text: string, strip = 1): string {
  try {
    normalisePatch(text, strip);
  } catch (error) {
    expect(error).toBeInstanceOf(BuilditError);
    expect((error as BuilditError).code).toBe('input-invalid');
    return (error as BuilditError).message;
  }
  throw new Error('the patch was accepted');
}

describe('a normalised patch', () => {
  test('holds the change and nothing else', () => {
    const mailed = `From 52e4dc2f74fd032dace01acbe5eb29ddf7c1ad96 Mon Sep 17 00:00:00 2001
From: Somebody <somebody@example.org>
Subject: [PATCH] Return

---
 src/main.c | 1 +
 1 file changed, 1 insertion(+)

diff --git a/src/main.c b/src/main.c
index 1234567..89abcde 100644
--- a/src/main.c\t2020-01-01 00:00:00.000000000 +0000
+++ b/src/main.c
@@ -1,3 +1,4 @@ static void something(void)
 int main(void)
 {
+  return 0;
 }
-- 
2.39.5

`;
    expect(normalisePatch(mailed, 1)).toBe(
      '--- src/main.c\n+++ src/main.c\n@@ -1,3 +1,4 @@\n int main(void)\n {\n+  return 0;\n }\n',
    );
    expect(sha256(normalisePatch(mailed.replace('1234567..89abcde', '1234567890..89abcdef01'), 1))).toBe(
      sha256(normalisePatch(mailed, 1)),
    );
  });

  test('depends neither on the names stripped away, nor on the time, nor on the second line number', () => {
    const other = plain
      .replace('a/src', 'nginx-1.22.1.orig/src')
      .replace('b/src/main.c', 'nginx-1.22.1/src/main.c\t2021-02-03 04:05:06')
      .replace('+1,4', '+77,4');
    expect(normalisePatch(other, 1)).toBe(normalisePatch(plain, 1));
  });

  test('keeps what changes the result', () => {
    const changes = [
      plain.replace('return 0', 'return 1'),
      plain.replace('-1,3', '-2,3'),
      plain.replaceAll('main.c', 'other.c'),
      plain.replace(' }\n', ' }\n\\ No newline at end of file\n'),
      `diff --git a/src/main.c b/src/main.c\nold mode 100644\nnew mode 100755\n${plain}`,
    ].map((text) => normalisePatch(text, 1));
    expect(new Set([...changes, normalisePatch(plain, 1)]).size).toBe(changes.length + 1);
  });

  test('takes bytes that are no UTF-8 through unharmed', () => {
    const bytes = Buffer.from(plain.replace('return 0', 'return "\xe9\xff"'), 'latin1').toString('latin1');
    expect(normalisePatch(bytes, 1)).toContain('"\xe9\xff"');
  });

  test('treats an empty line as an empty line of context', () => {
    const text = '--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@\n one\n\n+new\n three\n';
    expect(normalisePatch(text, 1)).toBe('--- x\n+++ x\n@@ -1,3 +1,4 @@\n one\n \n+new\n three\n');
  });

  test.each([
    [
      'a new file',
      'diff --git a/n b/n\nnew file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n',
      '--- /dev/null\n+++ n\n@@ -0,0 +1,1 @@\n+x\n',
    ],
    [
      'a new file by its time',
      '--- a/n\t1970-01-01 01:00:00.000000000 +0100\n+++ b/n\t2020-01-01 00:00:00 +0000\n@@ -0,0 +1 @@\n+x\n',
      '--- /dev/null\n+++ n\n@@ -0,0 +1,1 @@\n+x\n',
    ],
    [
      'a new program',
      'diff --git a/n b/n\nnew file mode 100755\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n',
      'diff --git n n\nnew file mode 100755\n--- /dev/null\n+++ n\n@@ -0,0 +1,1 @@\n+x\n',
    ],
    [
      'a new empty file',
      'diff --git a/d/n b/d/n\nnew file mode 100644\nindex 0..e69de29\n',
      'diff --git d/n d/n\nnew file mode 100644\n',
    ],
    [
      'a deleted file',
      'diff --git a/n b/n\ndeleted file mode 100644\nindex 1..0\n--- a/n\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n',
      '--- n\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n',
    ],
    [
      'a renamed file',
      'diff --git a/o b/n\nsimilarity index 100%\nrename from o\nrename to n\n',
      'diff --git o n\nrename from o\nrename to n\n',
    ],
    [
      'a mode alone',
      'diff --git a/my file b/my file\nold mode 100644\nnew mode 100755\n',
      'diff --git my file my file\nnew mode 100755\n',
    ],
    [
      'a name with a space',
      '--- a/my file\t\n+++ b/my file\t\n@@ -1 +1 @@\n-x\n+y\n',
      '--- my file\t\n+++ my file\t\n@@ -1,1 +1,1 @@\n-x\n+y\n',
    ],
    [
      'a quoted name',
      '--- "a/\\303\\244\\"b"\n+++ "b/\\303\\244\\"b"\n@@ -1 +1 @@\n-x\n+y\n',
      '--- "\xc3\xa4\\"b"\n+++ "\xc3\xa4\\"b"\n@@ -1,1 +1,1 @@\n-x\n+y\n',
    ],
  ])('knows %s, and stays as it is when normalised again', (_, text, normal) => {
    expect(normalisePatch(text, 1)).toBe(normal);
    expect(normalisePatch(normal, 0)).toBe(normal);
  });

  test('with several hunks counts the second side anew', () => {
    const text = '--- x\n+++ x\n@@ -1,2 +1,3 @@\n a\n+b\n c\n@@ -10,2 +99,1 @@\n d\n-e\n@@ -20,1 +19,0 @@\n-f\n';
    expect(normalisePatch(text, 0).match(/^@@.*/gm)).toEqual([
      '@@ -1,2 +1,3 @@',
      '@@ -10,2 +11,1 @@',
      '@@ -20,1 +19,0 @@',
    ]);
  });

  test('is the same again for any patch', () => {
    const line = fc.string({ unit: fc.constantFrom('a', ' ', '+', '-', '@', '\\', '\xe9'), maxLength: 6 });
    const hunkLine = fc.tuple(fc.constantFrom(' ', '+', '-'), line);
    const name = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '"', '\\', '.', 'ä'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(name, fc.integer({ min: 1, max: 99 }), fc.array(hunkLine, { minLength: 1 }), (file, start, lines) => {
        fc.pre(file !== '.' && file !== '..');
        const count = (mark: string) => lines.filter(([kind]) => kind === mark || kind === ' ').length;
        const quoted = `"b/${Buffer.from(file).toString('latin1').replace(/["\\]/g, '\\$&')}"`;
        const text = `--- ${quoted}\n+++ ${quoted}\n@@ -${start},${count('-')} +${start},${count('+')} @@\n${lines
          .map(([mark, content]) => `${mark}${content}\n`)
          .join('')}`;
        const once = normalisePatch(text, 1);
        expect(normalisePatch(once, 0)).toBe(once);
        expect(parsePatch(once, 0)).toEqual(parsePatch(text, 1));
      }),
    );
  });
});

test('a header of git that only changes a mode takes nothing of the file below it', () => {
  const mode = 'diff --git a/run b/run\nold mode 100644\nnew mode 100755\n';
  const empty = 'diff --git a/gone b/gone\ndeleted file mode 100644\n';
  const change = '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n';
  const files = parsePatch(mode + empty + change, 1);
  expect(files.map(({ kind, newPath, executable }) => [kind, newPath, executable])).toEqual([
    ['modify', 'run', true],
    ['delete', 'gone', undefined],
    ['modify', 'x', undefined],
  ]);
  const normal = normalisePatch(mode + empty + change, 1);
  expect(normalisePatch(normal, 0)).toBe(normal);
});

describe('text around a diff is skipped, whatever it looks like', () => {
  const normal = normalisePatch(plain, 1);
  test.each([
    ['an ed script', '12d\n'],
    ['an ed script of several lines', '2,3c\nnew\n.\n1d\nw\nq\n'],
    ['a diff without context', '2c2\n< text\n---\n> other\n'],
    ['a context diff', '*** a/x\n--- b/x\n***************\n*** 1,2 ****\n  a\n--- 1,2 ----\n'],
    ['a note on binary files', 'Binary files a and b differ\n'],
    ['a binary patch', 'GIT binary patch\nliteral 1\n'],
    ['names without a hunk', '--- a/src/main.c\n+++ b/src/main.c\nare the names.\n'],
    ['one name', '--- a/src/main.c\nis the old name.\n'],
    ['a header of git', 'diff --git a/x b/x\nis how git begins.\n'],
    ['a header of git with an index line', 'diff --git a/x b/x\nindex 1234567..89abcde 100644\n'],
    ['the header of a hunk', '@@ -1,3 +1,4 @@ is where it is.\n'],
    ['lines of a hunk', '+added\n-removed\n context\n'],
    ['names of Subversion', 'Index: src/main.c\n=====================\n'],
    ['another file that is missing', 'Only in b/src: other.c\n'],
    ['a list', '- one\n- two\n* three\n'],
    ['a rule', '---\n src/main.c | 1 +\n'],
    ['a mail', 'From: A <a@example.org>\r\nSubject: words\r\n\r\n12d\r\n'],
    ['blanks', ' \n\t\n   \n'],
  ])('%s', (_, text) => {
    expect(normalisePatch(`${text}${plain}`, 1)).toBe(normal);
    expect(normalisePatch(`${plain}-- \n2.39.5\n\n${text}`, 1)).toBe(normal);
    expect(normalisePatch(`${text}${plain}-- \n2.39.5\n\n${text}${plain}`, 1)).toBe(normal + normal);
  });

  test.each(['-- ', '--', '---', '-----BEGIN PGP SIGNATURE-----', ' ', '\t', '_____', 'Only in b: x', '2.39.5', '\r'])(
    'right behind a hunk: %j',
    (line) => {
      expect(normalisePatch(`${plain}${line}\n`, 1)).toBe(normal);
    },
  );

  test('a section of git that changes nothing stands between others', () => {
    const nothing = 'diff --git a/NEWS b/NEWS\nindex 1111111..2222222 100644\n';
    const git = `diff --git a/src/main.c b/src/main.c\nindex 1111111..2222222 100644\n${plain}`;
    expect(normalisePatch(`${nothing}${git}${nothing}`, 1)).toBe(normal);
  });

  test('a rename without a change takes nothing of the file below it', () => {
    const text = `diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n${plain}`;
    const files = parsePatch(text, 1);
    expect(files.map(({ kind, newPath, hunks }) => [kind, newPath, hunks.length])).toEqual([
      ['rename', 'new', 0],
      ['modify', 'src/main.c', 1],
    ]);
    expect(parseNormalisedPatch(normalisePatch(text, 1)).map(({ hunks }) => hunks.length)).toEqual([0, 1]);
  });
});

describe('a patch is read in linear time', () => {
  const LENGTH = 1 << 20;
  const tail = '@@ -1 +1 @@\n-a\n+b\n';
  const named = (name: string) => `--- ${name}\n+++ b/f\n${tail}`;
  const repeated = (unit: string) => unit.repeat(Math.ceil(LENGTH / unit.length));
  test.each([
    ['blanks in a name', named(`a/${repeated(' ')}x`)],
    ['tabs in a name', named(`a/${repeated('\t')}x`)],
    ['slashes in a name', named(`${repeated('/')}x`)],
    ['times in a name', named(repeated('2020-01-01 00:00:00 '))],
    ['an open quote', named(`"a/${repeated('\\a')}`)],
    ['octal digits in a quote', named(`"a/${repeated('\\101')}"`)],
    ['two names of git', `diff --git ${repeated('a ')}\n--- a/f\n+++ b/f\n${tail}`],
    ['two names of git with slashes', `diff --git ${repeated('a/a ')}\n--- a/f\n+++ b/f\n${tail}`],
    ['a name that is renamed', `diff --git a/x b/y\nrename from ${repeated('a/ ')}\nrename to y\n`],
    ['prose', `${repeated('12d ')}\n`],
    ['prose that is one word', `Binary files ${repeated(' differ')}x\n`],
    ['headers of git', repeated('diff --git a/x b/x\nindex 1..2\n')],
    ['names without hunks', repeated('--- a/x\n+++ b/x\n')],
    ['empty lines', repeated('\n')],
    ['carriage returns', repeated('\r')],
    ['numbers of a hunk', `--- a/f\n+++ b/f\n@@ -${repeated('1')} +1 @@\n`],
    [
      'renames in a chain',
      Array.from(
        { length: 5000 },
        (_, at) => `diff --git a/f${at} b/f${at + 1}\nrename from f${at}\nrename to f${at + 1}\n`,
      ).join(''),
    ],
    [
      'deep names',
      Array.from(
        { length: 250 },
        (_, at) => `diff --git a/x b/x\nrename from ${at}\nrename to ${'a/'.repeat(2000)}${at}\n`,
      ).join(''),
    ],
  ])('%s', (_, text) => {
    const before = process.cpuUsage();
    try {
      normalisePatch(text, 1, 'x.patch');
    } catch (error) {
      expect(error).toBeInstanceOf(BuilditError);
      expect((error as BuilditError).message.length).toBeLessThan(1000);
    }
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(1);
  });
});

describe('a patch is refused', () => {
  test.each([
    ['without any change', 'Hello\n', 'no change'],
    ['that is empty', '', 'no change'],
    ['that is binary', 'diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 1\n', 'a binary patch'],
    [
      'that only names binary files',
      'diff --git a/x b/x\nindex 1..2\nBinary files a/x and b/x differ\n',
      'a binary patch',
    ],
    ['that is an ed script', '1,2d\n', 'an ed script'],
    ['that is an ed script for a named file', '--- a/x\n+++ b/x\n0a\ntext\n.\n', 'a file without a hunk'],
    ['that is a context diff', '*** a/x\n--- b/x\n***************\n*** 1,2 ****\n  a\n', 'a context diff'],
    ['without context', '1c1\n< a\n---\n> b\n', 'a diff without context'],
    [
      'that makes a file of a link at once',
      'diff --git a/l b/l\nold mode 120000\nnew mode 100644\n',
      'a symbolic link that becomes a file in one step',
    ],
    ['that makes a submodule', 'diff --git a/l b/l\nnew file mode 160000\n', 'a submodule (mode 160000)'],
    [
      'that changes a submodule',
      'diff --git a/l b/l\nindex 1111111..2222222 160000\n--- a/l\n+++ b/l\n@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n',
      'a submodule (mode 160000)',
    ],
    [
      'that is binary beside a text',
      `${plain}diff --git a/x b/x\nindex 1..2\nBinary files a/x and b/x differ\n`,
      'a binary patch',
    ],
    [
      'whose second hunk stands behind an empty line',
      `${plain}\n@@ -9,1 +10,1 @@\n-a\n+b\n`,
      'a hunk that belongs to no file',
    ],
    ['whose hunk stands behind an empty line', plain.replace('@@', '\n@@'), 'a hunk that belongs to no file'],
    [
      'with a name of a megabyte',
      `--- a/${'x'.repeat(5000)}\n+++ b/${'x'.repeat(5000)}\n@@ -1 +1 @@\n-a\n+b\n`,
      'a name of more than 4096 bytes',
    ],
    ['with set-id bits', 'diff --git a/l b/l\nold mode 100755\nnew mode 104755\n', 'a file of mode 104755'],
    [
      'that leads out',
      plain.replaceAll('src/main.c', '../../main.c'),
      'the name "../../main.c", which is not a path inside the source',
    ],
    [
      'that leads out in the middle',
      plain.replaceAll('src/main.c', 'src/../../main.c'),
      'not a path inside the source',
    ],
    ['with an absolute name', plain.replaceAll(/[ab]\/src/g, '//src//'), 'not a path inside the source'],
    ['that renames outwards', 'diff --git a/x b/x\nrename from x\nrename to ../x\n', 'not a path inside the source'],
    ['with nothing left of a name', '--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n', 'from which 1 element cannot be stripped'],
    [
      'with a control character in a name',
      '--- "a/x\\001"\n+++ "b/x\\001"\n@@ -1 +1 @@\n-a\n+b\n',
      'the name "x\\u0001"',
    ],
    ['with a name that is no UTF-8', '--- a/\xff\n+++ b/\xff\n@@ -1 +1 @@\n-a\n+b\n', 'not a path inside the source'],
    ['with a line too many', `${plain}+more\n`, 'a hunk with more lines than its header says'],
    ['with a line too few', plain.replace(' }\n', ''), 'the end in the middle of a hunk'],
    [
      'with other lines than counted',
      plain.replace('+  return 0;', '-  return 0;'),
      'other lines than the hunk counts',
    ],
    ['with a damaged hunk header', plain.replace('@@ -1,3 +1,4 @@', '@@ -1,3 @@'), 'a damaged hunk header'],
    [
      'with text inside a hunk',
      plain.replace('+  return 0;', '*  return 0;'),
      'a line in a hunk that is no part of one',
    ],
    ['from nothing to nothing', '--- /dev/null\n+++ /dev/null\n@@ -0,0 +1 @@\n+a\n', 'from nothing to nothing'],
    ['larger than 10 MB', `${plain}${'#'.repeat(10 << 20)}`, 'more than 10485760 bytes'],
  ])('%s', (_, text, found) => {
    expect(refusal(text)).toContain(found);
  });

  test.each([
    ['--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n', 1, 'where "x" is its path in the source, `--strip=0` takes it'],
    ['--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n', 3, 'where "x" is its path in the source, `--strip=1` takes it'],
    ['diff --git a/x b/y\nrename from x\nrename to y\n', 2, '`--strip=1` takes it'],
  ])('with shorter names than are stripped, and it is said what takes them: %j', (text, strip, hint) => {
    expect(() => normalisePatch(text, strip)).toThrow(
      expect.objectContaining({ code: 'input-invalid', hint: expect.stringContaining(hint) }),
    );
  });

  test('whose hunk claims more lines than any file has', () => {
    expect(refusal(plain.replace('-1,3', '-1,999999999'))).toContain('the end in the middle of a hunk');
    expect(refusal(plain.replace('-1,3', '-1,9999999999'))).toContain('a damaged hunk header');
  });

  test('with the number of the line, and nothing that could harm a terminal', () => {
    expect(refusal(plain.replaceAll('src/main.c', '../\x1b[31m'))).toMatch(
      /found the name "\.\.\/\\u001b\[31m".*\(line \d\)$/,
    );
  });
});
