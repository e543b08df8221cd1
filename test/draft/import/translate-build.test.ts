// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is shell that is read
import { describe, expect, test } from 'vitest';
import { shippedClassPhases } from '../../../src/definition/shipped-class-phases.ts';
import { importApkbuild } from '../../../src/draft/import/import-apkbuild.ts';

const classPhases = await shippedClassPhases();

const draftOf = (functions: string) =>
  importApkbuild(`pkgname=x\npkgver=1\nlicense=MIT\nsource=https://example.org/x-1.tar.gz\n${functions}\n`, classPhases)
    .draft;

describe('make with arguments', () => {
  test.each([
    'make CFLAGS="$CFLAGS -DLINUX" PREFIX=/usr',
    'make -f Makefile.linux',
    'make CC=clang',
    'make PREFIX=/opt',
    'make -j1',
    'make -Csrc',
    'CFLAGS="$CFLAGS -DLINUX" make',
  ])('that the class lacks is a phase: %s', (command) => {
    const draft = draftOf(`build() {\n\t${command}\n}\npackage() {\n\tmake install DESTDIR="$pkgdir"\n}`);
    expect(draft).toMatchObject({ class: 'make', phases: { build: command } });
  });

  test('leaves the class to what is made, where no command is usual', () => {
    const draft = draftOf('build() {\n\tmake CC=clang\n}\npackage() {\n\tinstall -Dm755 x "$pkgdir"/usr/bin/x\n}');
    expect(draft.class).toBe('make');
  });

  test.each(['make', 'make -j4 V=1 all', 'make CFLAGS="$CFLAGS" LDFLAGS="${LDFLAGS}" PREFIX=/usr', 'make $MAKEOPTS'])(
    'that the class has is left to it: %s',
    (command) => {
      const draft = draftOf(`build() {\n\t${command}\n}\npackage() {\n\tmake install DESTDIR="$pkgdir" prefix=/usr\n}`);
      expect(draft).toMatchObject({ class: 'make', phases: {} });
    },
  );
});

describe('a tool with arguments', () => {
  test.each([
    'cmake --build build --target extra',
    'cmake --install build --component lib',
    'ctest --test-dir build -E slow',
    'meson test -C output --suite fast',
    'ninja -C build docs',
  ])('that the class lacks is a phase: %s', (command) => {
    const draft = draftOf(`build() {\n\tcmake -B build\n}\ncheck() {\n\t${command}\n}`);
    expect(draft).toMatchObject({
      class: 'cmake',
      phases: { check: expect.stringContaining(command.split(' ').at(-1)!) },
    });
  });

  test.each([
    'cmake --build build --parallel 4',
    'DESTDIR="$pkgdir" cmake --install build',
    'ctest --test-dir build --output-on-failure -j4',
    'meson test -C output --no-rebuild -v',
    'ninja -C build test',
  ])('that the class has is left to it: %s', (command) => {
    expect(draftOf(`build() {\n\tcmake -B build\n}\ncheck() {\n\t${command}\n}`).phases).toEqual({});
  });
});

describe('of a function of the other recipe nothing is lost:', () => {
  test.each<[string, string, string]>([
    [
      'a setting before configure',
      'CFLAGS="$CFLAGS -O3" ./configure',
      'an argument was not understood: CFLAGS="$CFLAGS -O3"',
    ],
    ['a setting before cmake', 'LIBS=-lm cmake -B build', 'an argument was not understood: LIBS=-lm'],
    [
      'flags of the compiler for cmake',
      'cmake -B build -DCMAKE_C_FLAGS="$CFLAGS -DLINUX"',
      'an argument was not understood: -DCMAKE_C_FLAGS="$CFLAGS -DLINUX"',
    ],
    ['a list that no command takes', 'local more=(a b)\n\tmake', 'the list more is not translated: a b'],
    ['a program in a condition', 'if true; then\n\t\tmsg x\n\tfi', 'build: msg is a function of the other system'],
    ['a program behind &&', 'true && msg x', 'build: msg is a function of the other system'],
    ['a program behind its variables', 'A="b c" msg x', 'build: msg is a function of the other system'],
    ['a program in an argument', 'frob "$(msg x)"', 'build: msg is a function of the other system'],
  ])('%s', (_, body, todo) => {
    expect(draftOf(`build() {\n\t${body}\n}`).notes.map(({ text }) => text)).toContain(todo);
  });

  test('a command behind a usual one stays', () => {
    const draft = draftOf('prepare() {\n\tdefault_prepare && rm -r bundled\n}');
    expect(draft.phases).toEqual({ prepare: 'default_prepare && rm -r bundled' });
  });

  test('what belongs to root anyhow is no note', () => {
    const draft = draftOf('package() {\n\tchown root:root x\n\tinstall -o root -g root x "$pkgdir"/x\n}');
    expect(draft.notes.map(({ text }) => text).join()).not.toContain('root’s');
  });
});

test('a script that is mostly blanks is read in a time that grows with its length', () => {
  const draft = draftOf(`package() {\n\tfrob ${' '.repeat(200_000)}x\n}`);
  expect(draft.phases?.install).toMatch(/^frob {2,}x$/);
});
