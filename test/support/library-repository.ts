import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installation } from './run-buildit.ts';

/**
 * Writes a repository of recipes that are built in the minimal root within a second, and a container of them:
 *
 *     base/number  ←  base/sum  ←  apps/report      (each is built with what stands before it)
 *     base/other   ←  apps/notice                   (has nothing to do with these)
 *
 * `base/number` installs a number that its patch decides, `base/sum` adds one to it, `apps/report` prints that.
 * `apps/starter` does not build with `apps/report` but runs with it.
 */
export function writeLibraryRepository(directory: string): void {
  for (const file of ['repository.yaml', 'buildit.lock']) {
    mkdirSync(join(directory, 'recipes'), { recursive: true });
    cpSync(join(installation, 'repos/main', file), join(directory, 'recipes', file));
  }
  writeFileSync(join(directory, '.buildit-config.yaml'), 'recipes: [{ name: main, path: ./recipes }]\n');
  writeRecipe(directory, 'base/number', [
    'source: { file: number.sh }',
    'configure: [--plain, --decimal]',
    'phases:',
    '  install: |',
    '    mkdir -p "$DESTDIR/usr/share/number"',
    '    bash number.sh $BUILDIT_CONFIGURE >"$DESTDIR/usr/share/number/value"',
  ]);
  writeFileSync(join(directory, 'recipes/base/number/number.sh'), NUMBER);
  writeRecipe(directory, 'base/sum', [
    'dependencies: { link: [base/number] }',
    'phases:',
    '  install: |',
    '    mkdir -p "$DESTDIR/usr/share/sum"',
    '    echo $(($(cat /usr/share/number/value) + 1)) >"$DESTDIR/usr/share/sum/value"',
  ]);
  writeRecipe(directory, 'apps/report', [
    'dependencies: { link: [base/sum] }',
    'phases:',
    '  install: |',
    '    mkdir -p "$DESTDIR/usr/share/report"',
    '    echo "the sum is $(cat /usr/share/sum/value)" >"$DESTDIR/usr/share/report/text"',
  ]);
  writeRecipe(directory, 'base/other', [
    'phases:',
    '  install: echo other | install -D /dev/stdin "$DESTDIR/usr/share/other/text"',
  ]);
  writeRecipe(directory, 'apps/notice', [
    'dependencies: { link: [base/other] }',
    'phases:',
    '  install: echo notice | install -D /dev/stdin "$DESTDIR/usr/share/notice/text"',
  ]);
  writeRecipe(directory, 'apps/starter', [
    'dependencies: { run: [apps/report] }',
    'phases:',
    '  install: echo starter | install -D /dev/stdin "$DESTDIR/usr/share/starter/text"',
  ]);
  writeContainer(directory, 'reports', ['apps/report', 'apps/notice']);
  writeContainer(directory, 'notices', ['apps/notice']);
}

const NUMBER = ['# Prints the number.', 'number=41', 'echo "$number"', ''].join('\n');

/** A patch for `base/number`: prints another number, or says the same in another way. */
export function numberPatch(line: string): string {
  return [
    '--- a/number.sh',
    '+++ b/number.sh',
    '@@ -1,3 +1,3 @@',
    ' # Prints the number.',
    '-number=41',
    `+${line}`,
    ' echo "$number"',
    '',
  ].join('\n');
}

export function writeRecipe(directory: string, name: string, lines: readonly string[]): void {
  const recipe = join(directory, 'recipes', name);
  mkdirSync(recipe, { recursive: true });
  const head = [`name: ${name}`, 'version: 1.0', 'license: MIT', 'class: none', 'root: minimal'];
  writeFileSync(join(recipe, 'pkg.yaml'), [...head, ...lines, ''].join('\n'));
}

export function writeContainer(directory: string, name: string, packages: readonly string[]): void {
  mkdirSync(join(directory, name, 'files'), { recursive: true });
  writeFileSync(join(directory, name, 'files/motd'), `${name}\n`);
  const steps = [
    `- vars: { name: ${name}, version: 1.0.0, os: linux, arch: amd64 }`,
    '- base: none',
    ...packages.map((atom) => `- package: { type: repository, name: ${atom} }`),
    '- sync: { src: ./files/motd, dest: /usr/share/motd }',
    '- image: { type: oci }',
    '',
  ];
  writeFileSync(join(directory, name, 'container.yaml'), steps.join('\n'));
}
