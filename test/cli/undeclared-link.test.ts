import { expect } from 'vitest';
import { writeContainer, writeLibraryRepository, writeRecipe } from '../support/library-repository.ts';
import { requires } from '../support/requires.ts';
import { runBuildit } from '../support/run-buildit.ts';
import { sharedStore } from '../support/tiny-container.ts';
import { traversableDirectory } from '../support/traversable-directory.ts';

const store = sharedStore();

/** A program that needs the library of `base/greet`, which its recipe lists with a kind of dependencies. */
function writeProgram(cwd: string, kind: 'build' | 'link'): void {
  const dependencies =
    kind === 'link' ? 'link: [base/greet, debian/libc6]' : 'build: [base/greet], link: [debian/libc6]';
  writeRecipe(cwd, 'apps/greeter', [
    `dependencies: {${dependencies}}`,
    `phases: {install: 'install -D /usr/bin/bash "$DESTDIR/usr/bin/greeter"'}`,
  ]);
}

requires('bwrap', 'user namespaces', 'archive').test(
  'a library that moved from link to build is refused, of a program that was built before as of one that is built now',
  async () => {
    const cwd = traversableDirectory();
    const environment = { HOME: cwd, BUILDIT_STORE: store.path() };
    const build = (...options: string[]) => runBuildit(['greeting', ...options], { cwd, environment });
    writeLibraryRepository(cwd);
    writeRecipe(cwd, 'base/greet', [
      'dependencies: {link: [debian/libc6]}',
      'phases:',
      '  install: |',
      '    mkdir -p "$DESTDIR/usr/lib/{{triplet}}/greet"',
      '    cp "$(find / -name libtinfo.so.6 2>/dev/null | head -n 1)" "$DESTDIR/usr/lib/{{triplet}}/greet/libtinfo.so.6"',
    ]);
    writeContainer(cwd, 'greeting', ['apps/greeter']);

    writeProgram(cwd, 'link');
    expect(await build()).toMatchObject({ exitCode: 0 });

    writeProgram(cwd, 'build');
    for (const options of [[], ['--from-source']]) {
      const { exitCode, stderr } = await build(...options);
      expect({ exitCode, stderr }).toEqual({
        exitCode: 15,
        stderr: expect.stringMatching(
          /libtinfo\.so\.6, expected it in a declared dependency, found it in base\/greet\n {2}recipes\/apps\/greeter\/pkg\.yaml:1:1\n/,
        ),
      });
      expect(stderr).toContain('move base/greet from dependencies.build to dependencies.link');
    }
  },
  300_000,
);
