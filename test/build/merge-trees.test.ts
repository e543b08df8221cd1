import { describe, expect, test } from 'vitest';
import { mergeTrees, type RootTree, type TreeEntry } from '../../src/build/merge-trees.ts';
import { ROOT_FILES } from '../../src/model/sandbox-contract.ts';

function tree(label: string, ...paths: string[]): RootTree {
  const entries = paths.map((path): TreeEntry => {
    if (path.endsWith('/')) return { path: path.slice(0, -1), kind: 'directory' };
    return path.endsWith('@') ? { path: path.slice(0, -1), kind: 'symlink' } : { path, kind: 'file' };
  });
  return { label, path: `/store/${label}`, entries };
}

describe('mergeTrees', () => {
  test('lets a later tree win over an earlier one, file over link too', () => {
    const content = mergeTrees([tree('a', 'usr/', 'usr/x', 'usr/y@'), tree('b', 'usr/', 'usr/x', 'usr/y')]);
    expect(content.get('usr/x')).toMatchObject({ kind: 'taken', owner: { label: 'b' } });
    expect(content.get('usr/y')).toMatchObject({ kind: 'taken', from: 'file', owner: { label: 'b' } });
    expect(content.get('usr')).toMatchObject({ kind: 'directory', owner: { label: 'a' } });
  });

  test('a directory in the place of a file or link is an error that names both', () => {
    for (const [first, second] of [
      ['usr/lib/x@', 'usr/lib/x/'],
      ['usr/lib/x', 'usr/lib/x/'],
      ['usr/lib/x/', 'usr/lib/x@'],
      ['usr/lib/x/', 'usr/lib/x'],
    ] as const) {
      const merge = () => mergeTrees([tree('one', 'usr/', 'usr/lib/', first), tree('two', 'usr/', 'usr/lib/', second)]);
      expect(merge).toThrow(
        /"\/usr\/lib\/x" is a (symlink|file|directory) in one and a (symlink|file|directory) in two/,
      );
    }
  });

  test('leaves out what the sandbox makes itself', () => {
    const content = mergeTrees([tree('a', 'bin@', 'lib64@', 'tmp/', 'run/', 'run/x', 'dev/', 'dev/null', 'usr/')]);
    expect([...content.keys()].filter((path) => !path.startsWith('etc'))).toEqual(['usr']);
  });

  test('refuses files and foreign links at the top, and directories where links belong', () => {
    expect(() => mergeTrees([tree('a', 'etc@')])).toThrow(/nothing but directories at the top/);
    expect(() => mergeTrees([tree('a', 'file')])).toThrow(/nothing but directories at the top/);
    expect(() => mergeTrees([tree('a', 'bin/')])).toThrow(/"bin" to be a link/);
  });

  test('generated files win over those of packages', () => {
    const content = mergeTrees([tree('a', 'etc/', 'etc/passwd')]);
    expect(content.get('etc/passwd')).toEqual({ kind: 'generated-file', content: ROOT_FILES['etc/passwd'] });
  });

  test('links what alternatives would have linked, where the target is there and the name is free', () => {
    const bin = ['usr/', 'usr/bin/'];
    expect(mergeTrees([tree('a', ...bin, 'usr/bin/gcc')]).get('usr/bin/cc')).toEqual({
      kind: 'generated-link',
      target: 'gcc',
    });
    expect(mergeTrees([tree('a', ...bin, 'usr/bin/gcc', 'usr/bin/cc@')]).get('usr/bin/cc')).toMatchObject({
      kind: 'taken',
    });
    expect(mergeTrees([tree('a', ...bin)]).has('usr/bin/cc')).toBe(false);
    expect(mergeTrees([tree('a', ...bin, 'usr/lib/', 'usr/bin/cpp')]).get('usr/lib/cpp')).toEqual({
      kind: 'generated-link',
      target: '../bin/cpp',
    });
  });
});
