import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { SHIPPED_CLASSES } from '../../src/definition/class-library.ts';
import { debianDependencies } from '../../src/definition/debian-dependencies.ts';
import { readDefinitions } from '../../src/definition/read-definitions.ts';
import { readRepository } from '../../src/definition/read-repository.ts';
import { atomText, type ResolvedPackage } from '../../src/model/package.ts';
import { createWitness } from '../../src/system/witness.ts';
import { type Files, mistakesOf, packageOf, project, readFiles, readProject } from './project.ts';

interface GoldenClass {
  readonly phases: Readonly<Record<string, string>>;
  readonly tools: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const golden: Readonly<Record<string, GoldenClass>> = JSON.parse(
  readFileSync(fileURLToPath(new URL('../golden/classes.json', import.meta.url)), 'utf8'),
);

function using(className: string, more: Files = {}, head = ''): Files {
  const source = className === 'debian' ? 'source: {debian: redis}' : 'version: 1.5';
  return { 'pkgs/nginx/pkg.yaml': `name: a/b\n${source}\nclass: ${className}\n${head}`, ...more };
}

async function resolved(files: Files): Promise<ResolvedPackage> {
  return packageOf(await readFiles(files), 'a/b');
}

describe('a class that comes with buildit', () => {
  test.each(Object.keys(golden))('%s gives the bytes that HASHes were made of', async (key) => {
    const [name, architecture] = key.split(' ') as [string, 'amd64' | 'arm64'];
    const directory = project(using(name, {}, 'phases: {x-none: 1}\n'));
    const { packages } = await readDefinitions(directory, {
      config: { recipes: [{ name: 'main', path: join(directory, 'recipes') }], use: { with: [], without: [] } },
      platform: { os: 'linux', architecture },
    });
    const found = packages.find((one) => one.name === 'a/b')!;
    const { phases, tools, environment } = golden[key]!;
    expect(found.phases).toEqual(phases);
    expect(found.environment).toEqual({ ...environment, BUILDIT_CONFIGURE: '' });
    expect(found.dependencies.build.map(atomText)).toEqual(tools.map((tool) => `debian/${tool}`));
  });

  test('gives a recipe that names none the flags of compilers', async () => {
    const files = {
      'pkgs/nginx/pkg.yaml': 'name: a/b\nversion: 1\nenvironment: {LDFLAGS: -s}\nphases: {install: "true"}\n',
    };
    const { environment } = await resolved(files);
    expect(environment).toEqual({ ...golden['none amd64']!.environment, LDFLAGS: '-s', BUILDIT_CONFIGURE: '' });
    expect(environment.CFLAGS).toBe(golden['autotools amd64']!.environment.CFLAGS);
  });

  test('strips what it built, unless it is told not to', async () => {
    const { phases, subpackages } = await resolved(using('make'));
    expect(phases.strip).toBe(golden['none amd64']!.phases.strip);
    expect(subpackages).toEqual([{ name: 'debug', files: ['usr/lib/debug/**'], run: [] }]);
    const left = await resolved(using('make', {}, 'phases: {strip: none}\n'));
    expect(left).not.toHaveProperty('subpackages');
    expect(left.phases).not.toHaveProperty('strip');
  });

  test('leaves debug files to a sub-package that the recipe has for them', async () => {
    const own = await resolved(
      using(
        'make',
        {},
        'subpackages: {doc: {files: [usr/share/doc/**]}, debug: {files: [usr/lib/debug/**, usr/share/gdb/**]}}\n',
      ),
    );
    expect(own.subpackages?.map(({ name }) => name)).toEqual(['doc', 'debug']);
  });

  test.each(readdirSync(SHIPPED_CLASSES))('%s says what it is for', async (file) => {
    expect(readFileSync(join(SHIPPED_CLASSES, file), 'utf8')).toMatch(/^description: [A-Z]/m);
    expect(await mistakesOf(project(using(file.replace('.yaml', ''))))).toEqual([]);
  });
});

const CLASS = `description: Made by a script
dependencies: {build: [debian/python3, dev-libs/openssl], run: [debian/tzdata]}
environment: {STAMP: "{{name}}-{{version}}", MODE: quick}
phases:
  build: ./make --libdir=/usr/lib/{{triplet}}
  install: ./make install
`;

describe("a class of a repository's own", () => {
  test('gives phases, environment and dependencies, templates rendered for each package', async () => {
    const found = await resolved(
      using('team', { 'recipes/classes/team.yaml': CLASS }, 'environment: {MODE: {append: slow}}\n'),
    );
    expect(found.class).toBe('team');
    expect(found.phases).toEqual({
      build: './make --libdir=/usr/lib/x86_64-linux-gnu',
      install: './make install',
      ...golden['none amd64']!.phases,
    });
    expect(found.environment).toMatchObject({ STAMP: 'b-1.5', MODE: 'quick slow' });
    expect(found.dependencies.build.map(atomText)).toEqual(['debian/python3', 'dev-libs/openssl']);
    expect(found.dependencies.run.map(atomText)).toEqual(['debian/tzdata']);
  });

  test("lets a recipe's own phases take the place of its", async () => {
    const found = await resolved(
      using(
        'team',
        { 'recipes/classes/team.yaml': CLASS },
        'phases: {build: none, check: ./try, licenses: none, strip: none}\n',
      ),
    );
    expect(found.phases).toEqual({ check: './try', install: './make install' });
  });

  test("has its Debian packages among those that the repository's lock pins", async () => {
    const directory = project({
      'recipes/classes/team.yaml': CLASS,
      'recipes/a/b/pkg.yaml': 'name: a/b\nversion: 1\nclass: team\n',
    });
    const { packages } = await debianDependencies(await readRepository(join(directory, 'recipes')));
    expect(packages).toEqual(expect.arrayContaining(['python3', 'tzdata']));
  });

  test('is among the files a run depends on, and so is one that is not there', async () => {
    const seen = async (directory: string) => {
      const witness = createWitness();
      await readProject(directory, { witness });
      return new Map(witness.sightings().map((sighting) => [sighting.path, sighting.seen]));
    };
    const directory = project(using('team', { 'recipes/classes/team.yaml': CLASS }));
    expect((await seen(directory)).get(join(directory, 'recipes/classes/team.yaml'))).toMatch(/^[0-9]+ /);
    const other = project(using('make'));
    expect((await seen(other)).get(join(other, 'recipes/classes/make.yaml'))).toBe('');
    expect((await seen(other)).get(join(SHIPPED_CLASSES, 'make.yaml'))).toMatch(/^[0-9]+ /);
  });
});

describe('refused is', () => {
  const own = (text: string): Files => ({ 'recipes/classes/team.yaml': text });

  test.each<[string, Files, RegExp]>([
    [
      'a class that takes the name of a built-in one',
      using('make', { 'recipes/classes/make.yaml': CLASS }),
      /definition-invalid pkgs\/nginx\/pkg\.yaml:3:8 Cannot use the class "make": expected it once, found buildit's own and recipes\/classes\/make\.yaml \| give the class/,
    ],
    [
      'an unknown class, with the repository’s own among what is known',
      using('tema', own(CLASS)),
      /pkg\.yaml:3:8 Cannot read "class": expected autotools, .* team, found|did you mean "team"/,
    ],
    [
      'a path for a name',
      using('../team', own(CLASS)),
      /pkg\.yaml:3:8 Cannot read "class": expected the name of a class such as autotools, found "\.\.\/team"/,
    ],
    ['a name with a NUL in it', using('"te\\0am"', own(CLASS)), /expected the name of a class/],
    [
      'an unknown key',
      using('team', own('phase: {build: make}\n')),
      /recipes\/classes\/team\.yaml:1:1 Cannot read .*unknown key "phase" \| did you mean "phases"/,
    ],
    [
      'an unknown phase',
      using('team', own('phases: {instal: make}\n')),
      /recipes\/classes\/team\.yaml:1:10 .*unknown key "instal" \| did you mean "install"/,
    ],
    [
      'an alias',
      using('team', own('phases: {build: &a make, install: *a}\n')),
      /recipes\/classes\/team\.yaml:1:\d+ Cannot read/,
    ],
    ['a list in place of a mapping', using('team', own('- phases\n')), /recipes\/classes\/team\.yaml:1:1 Cannot read/],
    [
      'an unknown template',
      using('team', own('phases: {build: "{{versoin}}"}\n')),
      /recipes\/classes\/team\.yaml:1:\d+ Cannot render "\{\{ versoin \}\}"/,
    ],
    [
      'a template that would evaluate something',
      using('team', own('phases: {build: "{{#if name}}x{{/if}}"}\n')),
      /recipes\/classes\/team\.yaml:1:\d+ Cannot read the template/,
    ],
    [
      'a variable that buildit sets itself',
      using('team', own('environment: {DESTDIR: /}\n')),
      /recipes\/classes\/team\.yaml:1:15 Cannot set "DESTDIR"/,
    ],
    [
      'a dependency that is nowhere',
      using('team', own('dependencies: {build: [a/nowhere]}\n')),
      /recipes\/classes\/team\.yaml:1:24 Cannot find "a\/nowhere"/,
    ],
  ])('%s', async (_, files, message) => {
    expect((await mistakesOf(project(files))).join('\n')).toMatch(message);
  });

  test('a link that leaves the repository', async () => {
    const directory = project(using('team', { 'recipes/classes/other.yaml': CLASS, 'outside.yaml': CLASS }));
    symlinkSync(join(directory, 'outside.yaml'), join(directory, 'recipes/classes/team.yaml'));
    expect((await mistakesOf(directory)).join()).toMatch(/found a link that leaves it/);
  });

  test('a file of 50 MB', async () => {
    const directory = project(using('team', own('x-a: 1\n')));
    writeFileSync(join(directory, 'recipes/classes/team.yaml'), Buffer.alloc(50_000_000, '#'));
    expect((await mistakesOf(directory)).join()).toMatch(/team\.yaml/);
  });
});
