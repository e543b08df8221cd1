import { describe, expect, test } from 'vitest';
import { checkNeeds, type DeclaredNeeds, type NeedProvider, undeclaredNeeds } from '../../src/build/check-needs.ts';
import { BuilditErrors } from '../../src/model/errors.ts';
import type { ElfFacts } from '../../src/model/layer.ts';

function elf(path: string, facts: Partial<ElfFacts> = {}): ElfFacts {
  return {
    path,
    machine: 'x86_64',
    soname: undefined,
    interpreter: undefined,
    needed: [],
    defines: [],
    runPaths: [],
    ...facts,
  };
}

const library = (soname: string, defines: string[] = []) =>
  elf(`usr/lib/x86_64-linux-gnu/${soname}`, { soname, defines });
const needs = (path: string, ...needed: [soname: string, ...versions: string[]][]) =>
  elf(path, { needed: needed.map(([soname, ...versions]) => ({ soname, versions })) });

const libc: NeedProvider = { name: 'debian/libc6', elf: [library('libc.so.6', ['GLIBC_2.2.5', 'GLIBC_2.36'])] };
const libcrypt: NeedProvider = { name: 'debian/libcrypt1', elf: [library('libcrypt.so.1', ['XCRYPT_2.0'])] };
const zlib: NeedProvider = { name: 'sys-libs/zlib', elf: [library('libz.so.1', ['ZLIB_1.2.9'])] };

const declared = (rest: Partial<DeclaredNeeds> = {}): DeclaredNeeds => ({
  declared: [libc, zlib],
  undeclared: [libcrypt],
  link: ['sys-libs/zlib'],
  ...rest,
});

function errorOf(check: () => unknown): unknown {
  try {
    check();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('checkNeeds', () => {
  test('names the declared package that meets each need, with the symbol versions', () => {
    const own = [
      needs('usr/sbin/nginx', ['libc.so.6', 'GLIBC_2.2.5'], ['libz.so.1']),
      needs('usr/bin/tool', ['libc.so.6', 'GLIBC_2.36']),
    ];
    expect(checkNeeds('www-servers/nginx', own, declared())).toEqual([
      { soname: 'libc.so.6', versions: ['GLIBC_2.2.5', 'GLIBC_2.36'], provider: 'debian/libc6' },
      { soname: 'libz.so.1', versions: [], provider: 'sys-libs/zlib' },
    ]);
  });

  test('an undeclared library is refused with the line that mends the recipe', () => {
    const own = [needs('usr/sbin/nginx', ['libcrypt.so.1', 'XCRYPT_2.0']), needs('usr/sbin/other', ['libcrypt.so.1'])];
    expect(errorOf(() => checkNeeds('www-servers/nginx', own, declared()))).toMatchObject({
      code: 'undeclared-need',
      message:
        'Cannot keep "www-servers/nginx": /usr/sbin/nginx (and 1 more) needs libcrypt.so.1, expected it in a declared dependency, found it in debian/libcrypt1',
      details: ['dependencies: {link: [sys-libs/zlib, debian/libcrypt1]}'],
    });
  });

  test('a library of a build dependency has to move, and the message says where that is written', () => {
    const own = [needs('usr/bin/tool', ['libz.so.1'])];
    const position = { file: 'pkg.yaml', line: 1, column: 1 };
    const misplaced = { declared: [libc], undeclared: [zlib], build: ['sys-libs/zlib'], link: [], position };
    const error = errorOf(() => checkNeeds('a/b', own, misplaced));
    expect(error).toMatchObject({
      code: 'undeclared-need',
      message: expect.stringContaining('found it in sys-libs/zlib'),
      details: ['dependencies: {link: [sys-libs/zlib]}'],
      hint: expect.stringMatching(/^move sys-libs\/zlib from dependencies\.build to dependencies\.link/),
      position,
    });
    expect(undeclaredNeeds('a/b', own, misplaced)).toEqual([error]);
  });

  test('what nothing has is not among what is undeclared', () => {
    const own = [library('libown.so.1'), needs('usr/bin/tool', ['libnowhere.so.9'], ['libz.so.1'], ['libown.so.1'])];
    expect(undeclaredNeeds('a/b', own, declared())).toEqual([]);
  });

  test('what the package has itself needs no declaration', () => {
    const own = [library('libown.so.1'), needs('usr/bin/tool', ['libown.so.1'])];
    expect(checkNeeds('a/b', own, declared())).toEqual([]);
  });

  test('a library without a soname is known by the name of its file', () => {
    const plugin: NeedProvider = { name: 'a/plugin', elf: [elf('usr/lib/libplain.so')] };
    const own = [needs('usr/bin/tool', ['libplain.so'])];
    expect(checkNeeds('a/b', own, declared({ declared: [plugin] }))).toMatchObject([{ provider: 'a/plugin' }]);
  });

  test('a library for another machine does not count', () => {
    const foreign: NeedProvider = { name: 'a/foreign', elf: [{ ...library('libz.so.1'), machine: 'i386' }] };
    const own = [needs('usr/bin/tool', ['libz.so.1'])];
    expect(errorOf(() => checkNeeds('a/b', own, declared({ declared: [foreign], undeclared: [] })))).toMatchObject({
      message: expect.stringContaining('found it in no package of the build root'),
    });
  });

  test('a library without a symbol version that is needed does not count, and the message says which', () => {
    const own = [needs('usr/bin/tool', ['libz.so.1', 'ZLIB_1.3'])];
    expect(errorOf(() => checkNeeds('a/b', own, declared()))).toMatchObject({
      code: 'undeclared-need',
      message: expect.stringContaining('found one without ZLIB_1.3 in sys-libs/zlib'),
    });
  });

  test('of two that have a library the later one counts, which lies over the other in the root', () => {
    const own = [needs('usr/bin/tool', ['libz.so.1'])];
    const two = declared({ declared: [{ ...zlib, name: 'debian/zlib1g' }, zlib] });
    expect(checkNeeds('a/b', own, two)).toMatchObject([{ provider: 'sys-libs/zlib' }]);
  });

  test('tells all undeclared libraries at once', () => {
    const own = [needs('usr/bin/tool', ['libcrypt.so.1'], ['libnowhere.so.9'])];
    const error = errorOf(() => checkNeeds('a/b', own, declared()));
    expect(error).toBeInstanceOf(BuilditErrors);
    expect((error as BuilditErrors).errors).toHaveLength(2);
  });
});
