import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { readDefinitions } from '../../src/definition/read-definitions.ts';
import { newContainer, newPackage, newRepository } from '../../src/pipeline/new-run.ts';
import { requires } from '../support/requires.ts';
import { runBuildit } from '../support/run-buildit.ts';
import { runOptions } from '../support/run-options.ts';
import { startStaticServer } from '../support/static-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MIT =
  'Permission is hereby granted, free of charge, to any person obtaining a copy. The above copyright notice and this permission notice shall be included.';

/** A source archive as upstream projects make them. */
function writeArchive(directory: string, stem: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, 'tree', stem, name, '..'), { recursive: true });
    writeFileSync(join(directory, 'tree', stem, name), text);
  }
  const path = join(directory, `${stem}.tar.gz`);
  execFileSync('tar', ['-C', join(directory, 'tree'), '-czf', path, stem]);
  return path;
}

const GREETER = { configure: '#!/bin/sh\n', LICENSE: MIT, 'CMakeLists.txt': '', 'src/greet.c': '' };

async function containerIn(cwd: string) {
  await newContainer(await runOptions(cwd), { directory: 'web', packages: [], image: 'oci' });
  return join(cwd, 'web');
}

describe('a new container', () => {
  test('holds the packages that are asked for, and is read as it stands', async () => {
    const options = await runOptions(temporaryDirectory());
    const packages = ['www-servers/nginx-1.22.1', 'debian/zlib1g'];
    const { written, next } = await newContainer(options, { directory: 'web', packages, image: 'aci' });
    const directory = join(options.cwd, 'web');
    expect(written).toEqual([join(directory, 'container.yaml'), join(directory, '.gitignore')]);
    expect(next).toEqual({ kind: 'build', directory });
    const { requested, debianRequested, container } = await readDefinitions(directory, options);
    expect(requested).toContain('www-servers/nginx');
    expect(debianRequested).toMatchObject([{ name: 'zlib1g' }]);
    expect(container.images).toMatchObject([{ kind: 'aci' }]);
  });

  requires('git').test('keeps its images out of git', async () => {
    const cwd = temporaryDirectory();
    const web = await containerIn(cwd);
    mkdirSync(join(web, 'out/oci'), { recursive: true });
    writeFileSync(join(web, 'out/oci/index.json'), '{}');
    execFileSync('git', ['init', '--quiet'], { cwd });
    const status = execFileSync('git', ['status', '--porcelain', '-uall'], { cwd, encoding: 'utf8' });
    expect(status).toBe('?? web/.gitignore\n?? web/container.yaml\n');
  });

  test.each([
    ['node_modules\n/out/\n', []],
    ['out\r\n', []],
    ['out-of-date/\n', ['.gitignore: it lacks /out/, where the images go']],
  ])('leaves a .gitignore with %j as it is', async (text, notes) => {
    const options = await runOptions(temporaryDirectory());
    const path = join(options.cwd, 'web/.gitignore');
    mkdirSync(join(path, '..'));
    writeFileSync(path, text);
    expect(await newContainer(options, { directory: 'web', packages: [], image: 'oci' })).toMatchObject({
      written: [join(options.cwd, 'web/container.yaml')],
      notes,
    });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('holds the range of a package', async () => {
    const options = await runOptions(temporaryDirectory());
    await newContainer(options, { directory: 'web', packages: ['www-servers/nginx~1.22'], image: 'oci' });
    expect(readFileSync(join(options.cwd, 'web/container.yaml'), 'utf8')).toContain('version: "~1.22"\n');
  });

  test('is not written with a package that is not there', async () => {
    const options = await runOptions(temporaryDirectory());
    const wrong = newContainer(options, { directory: 'web', packages: ['app-misc/helo'], image: 'oci' });
    await expect(wrong).rejects.toMatchObject({ code: 'dependency-unsatisfied' });
    expect(existsSync(join(options.cwd, 'web'))).toBe(false);
  });
});

describe('a new package', () => {
  test('of a file is guessed from what is in it, and can be built from its directory', async () => {
    const cwd = temporaryDirectory();
    const web = await containerIn(cwd);
    const archive = writeArchive(cwd, 'greeter-2.4.1', GREETER);
    const options = await runOptions(web);
    const outcome = await newPackage(options, { typed: 'greeter', from: archive });
    expect(outcome.next).toEqual({ kind: 'add', directory: web, atom: './pkgs/greeter' });
    expect(readFileSync(join(web, 'pkgs/greeter/pkg.yaml'), 'utf8')).toMatchInlineSnapshot(`
      "---
      # Check: the category is for you to choose; the name is the one that dependencies use.
      name: local/greeter
      description: "TODO: what greeter is, in one line"
      license: MIT
      version: 2.4.1
      source:
        file: greeter-2.4.1.tar.gz
      # chosen because there is a configure; there is CMakeLists.txt too.
      class: autotools
      # Check: build: tools; link: libraries and headers. An undeclared library is an error that names it.
      "
    `);
    writeFileSync(
      join(web, 'container.yaml'),
      '- vars: {name: web, version: 1}\n- package: {type: embedded, path: ./pkgs/greeter}\n- image: {type: oci}\n',
    );
    const { packages } = await readDefinitions(web, options);
    expect(packages.find(({ name }) => name === 'local/greeter')).toMatchObject({
      version: '2.4.1',
      sources: [{ fileName: 'greeter-2.4.1.tar.gz' }],
    });
  });

  test.each<[string, Record<string, string>, string[]]>([
    [
      'a crate',
      { 'Cargo.toml': '[package]\nname = "greeter"\ndescription = "Greets"\nlicense = "MIT"\n' },
      ['description: Greets', 'license: MIT', 'class: cargo'],
    ],
    [
      'nothing that tells',
      { README: 'hello' },
      ['class: none', 'nothing tells how it is built', 'no well-known licence'],
    ],
    [
      'autoconf without configure',
      { 'configure.ac': '', COPYING: 'GNU GENERAL PUBLIC LICENSE Version 3' },
      ['class: autotools', 'debian/autoconf', 'license: GPL-3.0-or-later', '-or-later).'],
    ],
  ])('of %s says what to check', async (_, files, said) => {
    const cwd = temporaryDirectory();
    const from = writeArchive(cwd, 'greeter-1.0', files);
    await newPackage(await runOptions(cwd), { typed: './greeter', from });
    const text = readFileSync(join(cwd, 'greeter/pkg.yaml'), 'utf8').replaceAll('\n# ', ' ');
    for (const part of said) expect(text).toContain(part);
  });

  test('of a recipe or a Debian source package is a derivation with a place for patches', async () => {
    const web = await containerIn(temporaryDirectory());
    writeFileSync(join(web, 'gitconfig'), '[user]\n\tname = Sysadmin42\n\temail = sys@admin42.org\n');
    const options = await runOptions(web, { GIT_CONFIG_GLOBAL: join(web, 'gitconfig'), GIT_CONFIG_NOSYSTEM: '1' });
    for (const [typed, from, base] of [
      ['nginx', 'www-servers/nginx-1.22.1', 'www-servers/nginx-1.22.1'],
      ['redis', 'debian:redis', 'debian/redis'],
      ['curl', 'debian:curl=7.88.1-10+deb12u8', 'debian/curl=7.88.1-10+deb12u8'],
    ] as const) {
      await newPackage(options, { typed, from });
      const text = readFileSync(join(web, 'pkgs', typed, 'pkg.yaml'), 'utf8');
      expect(text).toContain(`\nbase: ${base}\nauthor: Sysadmin42 <sys@admin42.org>\n`);
      expect(statSync(join(web, 'pkgs', typed, 'patches')).isDirectory()).toBe(true);
    }
    writeFileSync(
      join(web, 'container.yaml'),
      '- vars: {name: web, version: 1}\n- package: {type: embedded, path: ./pkgs/nginx}\n- image: {type: oci}\n',
    );
    const { packages } = await readDefinitions(web, options);
    expect(packages.find(({ name }) => name === 'www-servers/nginx')).toMatchObject({ version: '1.22.1', patches: [] });
  });

  test.each<[string, string | undefined, string]>([
    ['nginx', 'www-servers/ngnix', 'did you mean "www-servers/nginx"?'],
    ['nginx', 'www-servers/nginx-9', 'expected a version of the recipe'],
    ['nginx', 'http://example.org/a.tgz', 'expected an https URL'],
    ['nginx', 'https://user:word@example.org/a.tgz', 'expected an https URL without a user'],
    ['nginx', 'debian:Not;a;name', 'expected a Debian source package'],
    ['../../etc/Passwd', undefined, 'Cannot name a package'],
    ['debian/nginx', undefined, 'Cannot name a package'],
    ['UPPER', undefined, 'Cannot name a package'],
  ])('%s from %s is refused', async (typed, from, said) => {
    const cwd = temporaryDirectory();
    const error = await newPackage(await runOptions(cwd), { typed, from }).catch((caught) => caught);
    expect(`${error.message}\n${error.hint}`).toContain(said);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('never takes the place of one that is there', async () => {
    const web = await containerIn(temporaryDirectory());
    mkdirSync(join(web, 'pkgs/mine'), { recursive: true });
    writeFileSync(join(web, 'pkgs/mine/pkg.yaml'), 'mine');
    await expect(newPackage(await runOptions(web), { typed: 'mine', from: undefined })).rejects.toMatchObject({
      code: 'usage',
    });
    expect(readFileSync(join(web, 'pkgs/mine/pkg.yaml'), 'utf8')).toBe('mine');
  });

  requires('nginx', 'openssl').test('of a URL keeps what was fetched and its digest', async () => {
    const cwd = temporaryDirectory();
    const archive = writeArchive(cwd, 'greeter-2.4.1', GREETER);
    const server = await startStaticServer(cwd);
    writeFileSync(join(cwd, 'ca.pem'), server.ca);
    const url = `https://${server.at}/greeter-2.4.1.tar.gz`;
    const environment = { NODE_EXTRA_CA_CERTS: join(cwd, 'ca.pem') };
    const run = await runBuildit(['new', 'pkg', 'app-misc/greeter', '--from', url], { cwd, environment });
    expect(run).toMatchObject({ exitCode: 0 });
    const digest = execFileSync('sha256sum', [archive], { encoding: 'utf8' }).slice(0, 64);
    const text = readFileSync(join(cwd, 'greeter/pkg.yaml'), 'utf8');
    expect(text).toContain(`name: app-misc/greeter\n`);
    expect(text).toContain(`url: https://${server.at}/greeter-{{version}}.tar.gz\n  sha256: ${digest}\n`);
    expect(run.stdout).toMatch(/^greeter\/pkg\.yaml written\ncheck /);
    expect(run.stdout).toMatch(/`buildit add DIR \S+greeter` puts it into a container\n$/);
  });
});

describe('a new repository', () => {
  test('holds a recipe that can be read, and takes more of them', async () => {
    const options = await runOptions(temporaryDirectory());
    const directory = join(options.cwd, 'team');
    const { written, next } = await newRepository(options, 'team');
    expect(written.map((path) => path.slice(directory.length + 1))).toEqual([
      'repository.yaml',
      'app-misc/greet/pkg.yaml',
      'app-misc/greet/files/greet',
    ]);
    expect(next).toEqual({ kind: 'lock', directory });
    await newPackage({ ...options, cwd: directory }, { typed: 'net-misc/other', from: undefined });
    expect(existsSync(join(directory, 'net-misc/other/pkg.yaml'))).toBe(true);
    const web = await containerIn(options.cwd);
    writeFileSync(
      join(web, 'container.yaml'),
      '- vars: {name: web, version: 1}\n- package: {type: repository, name: app-misc/greet}\n- image: {type: oci}\n',
    );
    const config = { ...options.config, recipes: [...options.config.recipes, { name: 'team', path: directory }] };
    const { packages } = await readDefinitions(web, { config });
    expect(packages.find(({ name }) => name === 'app-misc/greet')).toMatchObject({
      repository: 'team',
      root: 'minimal',
    });
    await expect(newRepository(options, 'team')).rejects.toMatchObject({ code: 'usage' });
  });

  test.each([
    ['below the working directory is named by a relative path', 'team', '', '.buildit-config.yaml'],
    [
      'below a directory that has a configuration is named there',
      'a/team',
      'build: {jobs: 1}\n',
      '../.buildit-config.yaml',
    ],
    ['elsewhere is named in the configuration of the user', '../team', '', '~/.config/buildit/config.yaml'],
    [
      'above a configuration is named in that of the user',
      '../../team',
      'build: {jobs: 1}\n',
      '~/.config/buildit/config.yaml',
    ],
  ])('%s, which then finds its recipes', async (_, typed, configured, file) => {
    const top = join(temporaryDirectory(), 'top');
    const options = await runOptions(join(top, 'work'));
    const { cwd, environment } = options;
    mkdirSync(cwd, { recursive: true });
    if (configured !== '') writeFileSync(join(top, '.buildit-config.yaml'), configured);
    const { notes } = await newRepository(options, typed);
    const [, named = '', text = ''] = /^that (\S+) names it: (recipes: .*)$/.exec(notes.join('\n')) ?? [];
    const path = resolve(cwd, named);
    expect(path).toBe(file.startsWith('~/') ? join(environment.HOME, file.slice(2)) : resolve(cwd, file));
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, `${configured}${text}\n`);
    const { recipes } = await loadConfig({ directory: cwd, flags: {}, environment });
    expect(recipes).toContainEqual({ name: 'team', path: resolve(cwd, typed) });
  });
});
