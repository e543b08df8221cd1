import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { printedEvents } from './support/events.ts';
import { openPlace, type Person } from './support/place.ts';
import { runInstalled } from './support/run-installed.ts';

/** The packages of the root are fetched and unpacked first. */
const FIRST_MS = 600_000;

const place = openPlace();

/** What an inline function in a header says, two dependencies away from the program that calls it. */
interface Header {
  readonly answer: number;
  /** A remark that is not in the installed file. */
  readonly remark: string;
}

/** A header, a library whose header includes it, and a program that is linked to the library. */
function writeChain(directory: string, { answer, remark }: Header): void {
  const write = (name: string, dependencies: string, lines: readonly string[]) => {
    mkdirSync(join(directory, 'pkgs', name), { recursive: true });
    const allow = 'allow: {executable-stack: tcc says nothing of the stack}';
    const head = [`name: own/${name}`, 'version: 1.0', 'license: MIT', 'class: none', 'root: minimal', allow];
    const install = ['phases:', '  install: |', ...lines.map((line) => `    ${line}`), ''];
    writeFileSync(join(directory, 'pkgs', name, 'pkg.yaml'), [...head, dependencies, ...install].join('\n'));
  };
  const compile = 'build: [debian/libc6-dev, debian/tcc]';
  write('header', 'dependencies: {}', [
    `# ${remark}`,
    'mkdir -p "$DESTDIR/usr/include"',
    `echo 'static inline int answer(void) { return ${answer}; }' >"$DESTDIR/usr/include/answer.h"`,
  ]);
  write('library', `dependencies: {${compile}, link: [own/header, debian/libc6]}`, [
    'mkdir -p "$DESTDIR/usr/include" "$DESTDIR/usr/lib/{{triplet}}"',
    `printf '#include <answer.h>\\nint question(void);\\n' >"$DESTDIR/usr/include/question.h"`,
    'echo "int question(void) { return 6 * 7; }" >question.c',
    'tcc -shared -Wl,-soname=libquestion.so.1 -o "$DESTDIR/usr/lib/{{triplet}}/libquestion.so.1" question.c',
    'ln -s libquestion.so.1 "$DESTDIR/usr/lib/{{triplet}}/libquestion.so"',
  ]);
  write('app', `dependencies: {${compile}, link: [own/library, debian/libc6]}`, [
    `printf '%s\\n' '#include <stdio.h>' '#include <question.h>' >app.c`,
    `echo 'int main(void) { printf("%d %d", question(), answer()); return 0; }' >>app.c`,
    'mkdir -p "$DESTDIR/usr/bin"',
    'tcc -o "$DESTDIR/usr/bin/app" app.c -lquestion',
  ]);
  const packages = ['app', 'library', 'header'].map((name) => `- package: {type: embedded, path: ./pkgs/${name}}`);
  writeFileSync(
    join(directory, 'container.yaml'),
    ['- vars: {name: chain, version: 1.0.0, os: linux, arch: amd64}', ...packages, '- image: {type: oci}', ''].join(
      '\n',
    ),
  );
}

requires('archive', 'user namespaces', 'bwrap', 'tar').describe('a header two dependencies away from a program', () => {
  let person: Person;

  beforeAll(() => {
    const home = join(place.path, 'somebody');
    person = { user: undefined, home, store: join(home, 'store'), container: join(home, 'chain') };
  });

  /** Builds the chain; tells which packages of it were built, which were found, and what the program in the image says. */
  async function build(header: Header) {
    writeChain(person.container, header);
    const archive = join(person.home, 'image.tar');
    const output = ['--output', `type=tar,dest=${archive}`];
    const args = ['build', '--progress=json', ...output, 'chain/'];
    const run = await runInstalled({ installation: place.installation(), person, args });
    expect(run, run.stderr).toMatchObject({ exitCode: 0 });
    const events = printedEvents(run.stderr);
    const names = new Map(
      events.flatMap((event) => (event.kind === 'package-started' ? [[event.hash, event.label]] : [])),
    );
    const told = (kind: 'package-built' | 'package-found') =>
      events.flatMap((event) => {
        const [, name] = (event.kind === kind && /pkgs\/([a-z]+)/.exec(names.get(event.hash)!)) || [];
        return name === undefined ? [] : [name];
      });
    return { built: told('package-built'), found: told('package-found').sort(), said: runApp(archive) };
  }

  test(
    'is built first, and everything after it',
    async () => {
      expect(await build({ answer: 41, remark: 'as it began' })).toEqual({
        built: ['header', 'library', 'app'],
        found: [],
        said: '42 41',
      });
    },
    FIRST_MS,
  );

  test('is rebuilt alone where it comes out the same', async () => {
    expect(await build({ answer: 41, remark: 'said better' })).toEqual({
      built: ['header'],
      found: ['app', 'library'],
      said: '42 41',
    });
  });

  test('rebuilds the program too where an inline function changes', async () => {
    expect(await build({ answer: 43, remark: 'said better' })).toEqual({
      built: ['header', 'library', 'app'],
      found: [],
      said: '42 43',
    });
  });

  test('is found as it was where the change is taken back', async () => {
    expect(await build({ answer: 41, remark: 'said better' })).toEqual({
      built: [],
      found: ['app', 'header', 'library'],
      said: '42 41',
    });
  });

  function runApp(archive: string): string {
    const root = join(person.home, 'root');
    mkdirSync(root, { recursive: true });
    execFileSync('tar', ['-xpf', archive, '-C', root, '--overwrite']);
    return execFileSync('bwrap', ['--unshare-all', '--bind', root, '/', '--', '/usr/bin/app'], { encoding: 'utf8' });
  }
});
