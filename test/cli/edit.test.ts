import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { type BuilditRun, runBuildit } from '../support/run-buildit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CONTAINER = `---
# Mine.
- vars: {name: web, version: 1.10}   # stays

- package:
    type: repository
    name: www-servers/nginx
    version: 1.22.1

- image: {type: oci}
`;

function project(text = CONTAINER) {
  const cwd = temporaryDirectory();
  mkdirSync(join(cwd, 'web/pkgs/tiny'), { recursive: true });
  const path = join(cwd, 'web/container.yaml');
  writeFileSync(path, text);
  writeFileSync(
    join(cwd, 'web/pkgs/tiny/pkg.yaml'),
    'name: test/tiny\nversion: 1\nclass: none\ndependencies: {run: [app-misc/hello, debian/zlib1g]}\n',
  );
  return {
    ...{ cwd, path },
    text: () => readFileSync(path, 'utf8'),
    run: (...argv: string[]): Promise<BuilditRun> => runBuildit(argv, { cwd }),
    inside: (...argv: string[]): Promise<BuilditRun> => runBuildit(argv, { cwd: join(cwd, 'web') }),
  };
}

describe('buildit add', () => {
  test('adds recipes, packages of Debian and own ones, and shows what it changed', async () => {
    const { run, text } = project();
    const added = await run('add', 'web', 'app-misc/hello-2.10', 'debian/zlib1g', './pkgs/tiny');
    expect(added).toMatchObject({ exitCode: 0, stderr: '' });
    expect(added.stdout).toMatchInlineSnapshot(`
      "--- container.yaml
      +++ container.yaml
      @@ -7,4 +7,17 @@
           name: www-servers/nginx
           version: 1.22.1
       
      +- package:
      +    type: repository
      +    name: app-misc/hello
      +    version: 2.10
      +
      +- package:
      +    type: debian
      +    name: zlib1g
      +
      +- package:
      +    type: embedded
      +    path: ./pkgs/tiny
      +
       - image: {type: oci}
      web/container.yaml: added app-misc/hello, debian/zlib1g, ./pkgs/tiny
      \`buildit web\` builds it
      "
    `);
    expect(text().startsWith(CONTAINER.slice(0, CONTAINER.indexOf('- image')))).toBe(true);
    const removed = await run('rm', 'web', './pkgs/tiny', 'debian/zlib1g', 'hello');
    expect(removed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(text()).toBe(CONTAINER);
  });

  test.each([
    ['~2.10', '"~2.10"'],
    ['^2', '"^2"'],
    ['>=2', '">=2"'],
    ['<=2.10', '"<=2.10"'],
    ['>2', '">2"'],
    ['<3', '"<3"'],
    ['!=9', '"!=9"'],
    ['=2.10', '2.10'],
    ['>=2,<3', '">=2,<3"'],
    [' >=2, !=2.9', '">=2,!=2.9"'],
    ['=2.10,<3', '"=2.10,<3"'],
  ])('writes the range %s into the step, and removes it again', async (range, written) => {
    const { run, text } = project();
    expect(await run('add', 'web', `app-misc/hello${range}`)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(text()).toContain(`    name: app-misc/hello\n    version: ${written}\n`);
    const again = await run('add', 'web', `app-misc/hello${range}`);
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('is there already') });
    expect(await run('rm', 'web', 'app-misc/hello<99')).toMatchObject({ exitCode: 64 });
    expect(await run('rm', 'web', `app-misc/hello${range}`)).toMatchObject({ exitCode: 0 });
    expect(text()).toBe(CONTAINER);
  });

  test('finds the container above, and a package from where the user is', async () => {
    const { cwd, inside, run, text } = project();
    expect(await runBuildit(['add', './tiny'], { cwd: join(cwd, 'web/pkgs') })).toMatchObject({ exitCode: 0 });
    expect(text()).toContain('path: ./pkgs/tiny\n');
    expect(await inside('rm', 'test/tiny')).toMatchObject({ exitCode: 0 });
    expect(await run('add', 'web', 'web/pkgs/tiny/')).toMatchObject({ exitCode: 0 });
    expect(text()).toContain('path: ./pkgs/tiny\n');
  });

  test('changes nothing with --dry-run, and nothing for what is there', async () => {
    const { inside, text } = project();
    const dry = await inside('add', '-n', 'debian/zlib1g');
    expect(dry).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('+    name: zlib1g\n') });
    expect(dry.stdout).toContain('stays as it is (--dry-run); without: added debian/zlib1g');
    const again = await inside('add', 'www-servers/nginx');
    expect(again.stdout).toBe('www-servers/nginx is there already, in line 6\ncontainer.yaml stays as it is\n');
    const json = JSON.parse((await inside('add', '--json', '--dry-run', 'debian/zlib1g')).stdout);
    expect(json).toMatchObject({ written: false, changed: ['debian/zlib1g'], notes: [] });
    expect(text()).toBe(CONTAINER);
  });

  test.each<[string, string[], number, string[]]>([
    [
      'a recipe that is not there',
      ['app-misc/helo'],
      15,
      ['expected a recipe app-misc/helo', 'mean "app-misc/hello"?'],
    ],
    ['a version that is not there', ['app-misc/hello=9'], 15, ['expected a version of the recipe, found 2.10']],
    ['a range that no version meets', ['app-misc/hello<2'], 15, ['expected a version that meets <2, found 2.10']],
    ['a range that is none', ['app-misc/hello=>2'], 64, ['ranges are written like']],
    ['a range of a package of Debian', ['debian/curl>=7'], 64, ['debian/NAME=VERSION']],
    ['another version', ['www-servers/nginx-1.26.3'], 64, ['found it at 1.22.1', 'web/container.yaml:6:5']],
    ['a range in place of a version', ['www-servers/nginx>=1.22'], 64, ['at >=1.22', 'found it at 1.22.1']],
    ['a name alone', ['hello'], 64, ['found a name alone', 'did you mean "app-misc/hello"?']],
    ['a name alone with a range', ['hello~2'], 64, ['found a name alone', 'did you mean "app-misc/hello"?']],
    ['a package without its dot', ['pkgs/tiny'], 15, ['did you mean "./pkgs/tiny"?']],
    ['a directory without a pkg.yaml', ['./pkgs/none'], 66, ['buildit new pkg ./pkgs/none']],
    ['a path outside', ['../other'], 64, ['found one outside']],
    ['an odd name', ['debian/Curl;ls'], 64, ['Cannot use the package']],
    ['no package', [], 64, ['expected a package behind the directory']],
    ['a Debian package no lock knows, offline', ['--offline', 'debian/nonesuch'], 69, ['found --offline']],
  ])('refuses %s', async (_, words, exitCode, said) => {
    const { run, text } = project();
    const refused = await run('add', 'web', ...words);
    expect(refused).toMatchObject({ exitCode, stdout: '' });
    for (const part of said) expect(refused.stderr).toContain(part);
    expect(text()).toBe(CONTAINER);
  });

  test('refuses what the reader refuses, and what would be refused afterwards', async () => {
    const anchored = project(CONTAINER.replace('vars: {', 'vars: &all {'));
    expect(await anchored.run('add', 'web', 'debian/zlib1g')).toMatchObject({
      exitCode: 65,
      stderr: expect.stringContaining('found "&all"'),
    });
    const broken = project();
    writeFileSync(join(broken.cwd, 'web/pkgs/tiny/pkg.yaml'), 'name: test/tiny\nversoin: 1\nclass: none\n');
    const refused = await broken.run('add', 'web', './pkgs/tiny');
    expect(refused).toMatchObject({ exitCode: 65, stdout: '' });
    expect(refused.stderr).toContain('did you mean "version"?');
    expect(broken.text()).toBe(CONTAINER);
  });

  test('keeps the mode of the file, and writes through a link', async () => {
    const { cwd, path, run } = project();
    renameSync(path, join(cwd, 'web/real.yaml'));
    symlinkSync('real.yaml', path);
    chmodSync(join(cwd, 'web/real.yaml'), 0o640);
    expect(await run('add', 'web', 'debian/zlib1g')).toMatchObject({ exitCode: 0 });
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(statSync(join(cwd, 'web/real.yaml')).mode & 0o777).toBe(0o640);
    expect(readFileSync(join(cwd, 'web/real.yaml'), 'utf8')).toContain('name: zlib1g\n');
  });

  requires('archive').test('asks the archive for what no lock knows', async () => {
    const { run, text } = project();
    expect(await run('add', 'web', 'debian/cowsay')).toMatchObject({ exitCode: 0 });
    expect(text()).toContain('name: cowsay\n');
    const refused = await run('add', 'web', 'debian/fortune-mood');
    expect(refused).toMatchObject({
      exitCode: 15,
      stderr: expect.stringContaining('did you mean "debian/fortune-mod"?'),
    });
  });
});

describe('buildit rm', () => {
  test('says what else still needs the package', async () => {
    const { run } = project();
    await run('add', 'web', './pkgs/tiny', 'app-misc/hello', 'debian/zlib1g', 'sys-apps/baselayout');
    const { stdout } = await run('rm', 'web', 'app-misc/hello', 'debian/zlib1g', 'sys-apps/baselayout');
    expect(stdout).toContain('test/tiny still needs app-misc/hello (run)\n');
    expect(stdout).toContain('test/tiny still needs debian/zlib1g (run)\n');
    expect(stdout).toContain('sys-apps/baselayout is still there: every image begins with it');
  });

  test('removes a package whose recipe is gone', async () => {
    const { run, text } = project(
      CONTAINER.replace('www-servers/nginx', 'gone/away').replace(/ +version: 1.22.1\n/, ''),
    );
    expect(await run('rm', 'web', 'gone/away')).toMatchObject({ exitCode: 0 });
    expect(text()).not.toContain('package');
  });

  test.each<[string, string[], string[]]>([
    ['what is not there', ['www-servers/ngnix'], ['found none', 'did you mean "www-servers/nginx"?']],
    ['another version', ['www-servers/nginx-1.26.3'], ['found none']],
    ['a Debian package', ['debian/nginx'], ['found none']],
  ])('refuses %s', async (_, words, said) => {
    const { run, text } = project();
    const refused = await run('rm', 'web', ...words);
    expect(refused).toMatchObject({ exitCode: 64, stdout: '' });
    for (const part of said) expect(refused.stderr).toContain(part);
    expect(text()).toBe(CONTAINER);
  });
});
