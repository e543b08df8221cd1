import { describe, expect, test } from 'vitest';
import { isLinkInside, readGitTree } from '../../src/discover/git-tree.ts';
import { failureOf } from './failure-of.ts';

const LIMITS = { entries: 3, fileBytes: 100, totalBytes: 150 };
const ID = 'a'.repeat(40);

type Listed = [mode: string, size: string, path: string | Buffer];

const listing = (...entries: Listed[]) =>
  Buffer.concat(
    entries.flatMap(([mode, size, path]) => [
      Buffer.from(`${mode} ${mode === '160000' ? 'commit' : 'blob'} ${ID} ${size.padStart(7)}\t`),
      Buffer.from(path),
      Buffer.from([0]),
    ]),
  );
const read = (...entries: Listed[]) => readGitTree(listing(...entries), '"x"', LIMITS);

describe('a tree', () => {
  test('holds files, programs and links; submodules are left out', () => {
    expect(
      read(['100644', '1', 'a b'], ['100755', '2', 'dir/run'], ['120000', '3', 'dir/link'], ['160000', '-', 'module']),
    ).toEqual([
      { kind: 'file', id: ID, size: 1, path: 'a b' },
      { kind: 'program', id: ID, size: 2, path: 'dir/run' },
      { kind: 'link', id: ID, size: 3, path: 'dir/link' },
    ]);
  });

  test.each<[string, Listed[], RegExp]>([
    ['..', [['100644', '1', '../x']], /a name that stays inside/],
    ['.. in the middle', [['100644', '1', 'a/../../x']], /a name that stays inside/],
    ['an absolute name', [['100644', '1', '/etc/passwd']], /a name that stays inside/],
    ['.git', [['100644', '1', '.git/config']], /a name that stays inside/],
    ['.GIT below', [['100644', '1', 'a/.GIT/hooks/x']], /a name that stays inside/],
    ['an empty element', [['100644', '1', 'a//b']], /a name that stays inside/],
    ['a name that is not UTF-8', [['100644', '1', Buffer.from([0x61, 0xff])]], /a name that stays inside/],
    ['terminal escapes', [['100644', '1', 'a\x1b[2J']], /"a\\u001b\[2J".*a name that stays inside/],
    ['depth', [['100644', '1', `${'a/'.repeat(70)}b`]], /a name that stays inside/],
    ['a long name', [['100644', '1', 'a'.repeat(300)]], /a name that stays inside/],
    ['an odd mode', [['140000', '1', 'x']], /found the mode 140000/],
    ['a set-id mode', [['104755', '1', 'x']], /found the mode 104755/],
    [
      'a name twice',
      [
        ['100644', '1', 'x'],
        ['100644', '1', 'x'],
      ],
      /each name once, found it again/,
    ],
    [
      'a file below a link',
      [
        ['120000', '1', 'x'],
        ['100644', '1', 'x/y'],
      ],
      /a directory above it, found a link/,
    ],
    [
      'a link over a directory',
      [
        ['100644', '1', 'x/y'],
        ['120000', '1', 'x'],
      ],
      /each name once/,
    ],
    ['a large file', [['100644', '101', 'x']], /at most 100 bytes, found 101/],
    [
      'many bytes',
      [
        ['100644', '90', 'x'],
        ['100644', '90', 'y'],
      ],
      /at most 150 bytes in all/,
    ],
    ['many files', ['a', 'b', 'c', 'd'].map((name) => ['100644', '1', name]), /at most 3 files/],
    [
      'a link of 5000 bytes',
      [
        ['120000', '99', 'l'],
        ['120000', '5000', 'x'],
      ],
      /at most 100 bytes/,
    ],
  ])('with %s is refused', (_, entries, message) => {
    const error = failureOf(() => read(...entries));
    expect(error).toMatchObject({ code: 'archive-refused', message: expect.stringMatching(message) });
  });

  test.each(['garbage', `100644 tree ${ID} -\tx\0`, `100644 blob ${ID} 1\tx`, '\t\0'])(
    'that is %j is refused',
    (text) => {
      expect(failureOf(() => readGitTree(Buffer.from(text), '"x"', LIMITS)).code).toBe('archive-refused');
    },
  );
});

describe('a link', () => {
  test.each([
    ['x', 'y'],
    ['x', './y'],
    ['a/x', '../y'],
    ['a/b/x', '../../y/z'],
    ['a/x', '..'],
    ['a/b/x', './../y'],
  ])('at %s to %s stays inside', (path, target) => {
    expect(isLinkInside(path, target)).toBe(true);
  });

  test.each([
    ['x', '/etc/passwd'],
    ['x', '..'],
    ['x', '../y'],
    ['a/x', '../../y'],
    ['a/x', '.././../y'],
    // Where `y` is a link to a shallower place, `..` steps out from there.
    ['a/b/x', 'y/../../z'],
    ['x', 'y/..'],
    ['x', ''],
    ['x', 'a\0b'],
    ['x', 'a\nb'],
  ])('at %s to %j may lead out', (path, target) => {
    expect(isLinkInside(path, target)).toBe(false);
  });
});
