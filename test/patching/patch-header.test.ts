import { describe, expect, test } from 'vitest';
import { BuilditError } from '../../src/model/errors.ts';
import { normalisePatch } from '../../src/model/normalise-patch.ts';
import { headerOf, patchHeader } from '../../src/patching/patch-header.ts';

const DIFF = '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n';

describe('the header of a new patch', () => {
  test('is that of DEP-3, and has no date of its own', () => {
    expect(patchHeader({ description: 'Fix it\n\nAll of it.', author: 'A <a@b.c>', forwarded: 'no' })).toBe(
      'Description: Fix it\n .\n All of it.\nAuthor: A <a@b.c>\nForwarded: no\n\n',
    );
  });

  test('cannot be taken for a part of the diff, whatever it says', () => {
    const header = patchHeader({ description: `x\n${DIFF}\nGIT binary patch\n1,2c3\ndiff --git a/q b/q` });
    expect(normalisePatch(header + DIFF, 1)).toBe(normalisePatch(DIFF, 1));
    expect(headerOf(header + DIFF)).toBe(header);
  });

  test.each([
    [{ description: ' ' }],
    [{ description: 'x', author: 'a\nOrigin: b' }],
    [{ description: 'x', origin: '' }],
  ])('of %j is refused', (facts) => {
    expect(() => patchHeader(facts)).toThrow(BuilditError);
  });
});

describe('what stands above a diff', () => {
  test.each([
    ['nothing', '', DIFF],
    [
      "a mailer's lines",
      'From abc\nSubject: x\n---\n x | 2 +-\n\n',
      `diff --git a/x b/x\nindex 1..2 100644\n${DIFF}-- \n2.39\n`,
    ],
    ["Subversion's lines", 'Text\n\n', `Index: x\n=======\n${DIFF}`],
    ["diff's own line", 'Text\n', `diff -ru a/x b/x\n${DIFF}`],
  ])('is kept byte for byte: %s', (_, header, diff) => {
    expect(headerOf(header + diff)).toBe(header);
  });
});
