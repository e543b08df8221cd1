import { describe, expect, test } from 'vitest';
import { readRepository } from '../../src/definition/read-repository.ts';
import { readRepositoryPackages } from '../../src/definition/read-repository-packages.ts';
import { createWitness } from '../../src/system/witness.ts';
import { type Files, mistakesOf, packageOf, project, readFiles, readProject } from './project.ts';

const recipe = (name: string, more = '') => ({
  [`recipes/${name}/pkg.yaml`]: `name: ${name}\nversion: 1\nclass: none\n${more}`,
});

/** A program that needs TLS from whoever has it. */
const NEEDING: Files = {
  ...recipe('app-misc/client', 'dependencies: {link: [virtual/tls]}\n'),
  'pkgs/nginx/pkg.yaml': 'base: app-misc/client\n',
};
const OPENSSL = recipe('dev-libs/openssl', 'provides: [virtual/tls]\n');
const LIBRESSL = recipe('dev-libs/libressl', 'provides: [virtual/tls, virtual/crypto]\n');

const asking = (...steps: readonly string[]) => ({
  'container.yaml': [
    '- vars: {name: web, version: 1}',
    '- package: {type: embedded, path: ./pkgs/nginx}',
    ...steps.map((step) => `- package: ${step}`),
    '- image: {type: oci}',
    '',
  ].join('\n'),
});

async function linksOf(files: Files): Promise<unknown> {
  return packageOf(await readFiles(files), 'app-misc/client').dependencies.link;
}

describe('a name that recipes provide', () => {
  test('means the one that provides it', async () => {
    expect(await linksOf({ ...NEEDING, ...OPENSSL })).toEqual([{ category: 'dev-libs', name: 'openssl' }]);
    const { packages } = await readFiles({ ...NEEDING, ...OPENSSL });
    expect(packages.map(({ name }) => name)).toContain('dev-libs/openssl');
  });

  test('means the one that the container asks for, wherever it stands', async () => {
    const both = { ...NEEDING, ...OPENSSL, ...LIBRESSL };
    const asked = asking('{type: repository, name: dev-libs/libressl}');
    expect(await linksOf({ ...both, ...asked })).toEqual([{ category: 'dev-libs', name: 'libressl' }]);
  });

  test("means the container's own recipe before those of repositories", async () => {
    const own = {
      ...asking('{type: embedded, path: ./pkgs/tls}'),
      'pkgs/tls/pkg.yaml': 'name: dev-libs/mytls\nversion: 1\nclass: none\nprovides: [virtual/tls]\n',
    };
    expect(await linksOf({ ...NEEDING, ...OPENSSL, ...own })).toEqual([{ category: 'dev-libs', name: 'mytls' }]);
  });

  test('is nobody else’s where a recipe has it for its own', async () => {
    const named = { ...NEEDING, ...OPENSSL, ...recipe('virtual/tls') };
    expect(await linksOf(named)).toEqual([{ category: 'virtual', name: 'tls' }]);
  });

  test('can be asked for by a step', async () => {
    const { requested } = await readFiles({
      ...NEEDING,
      ...LIBRESSL,
      ...asking('{type: repository, name: virtual/crypto}'),
    });
    expect(requested).toContain('dev-libs/libressl');
  });

  test('is refused where several provide it and none is asked for', async () => {
    expect(await mistakesOf(project({ ...NEEDING, ...OPENSSL, ...LIBRESSL }))).toEqual([
      'dependency-unsatisfied recipes/app-misc/client/pkg.yaml:4:23 Cannot choose what provides "virtual/tls": ' +
        'expected one recipe, found dev-libs/libressl, dev-libs/openssl | ' +
        'ask for one of them: - package: {type: repository, name: dev-libs/libressl}',
    ]);
  });

  test('is refused where nobody provides it, where it comes with a version, and where it is a Debian package', async () => {
    const [absent] = await mistakesOf(project(NEEDING));
    expect(absent).toMatch(/^dependency-unsatisfied .*Cannot find "virtual\/tls"/);
    const versioned = recipe('app-misc/client', 'dependencies: {link: ["virtual/tls>=3"]}\n');
    const [ranged] = await mistakesOf(project({ ...NEEDING, ...OPENSSL, ...versioned }));
    expect(ranged).toMatch(/^dependency-unsatisfied .*Cannot find "virtual\/tls>=3"/);
    const debian = recipe('app-misc/client', 'provides: [debian/libssl3]\n');
    const [misplaced] = await mistakesOf(project({ ...NEEDING, ...debian }));
    expect(misplaced).toMatch(/pkg\.yaml:4:12 .*a name such as virtual\/httpd.*"replaces"$/);
  });

  test('is the first of them for who reads a whole repository, whose lock is for any container', async () => {
    const directory = project({ ...NEEDING, ...OPENSSL, ...LIBRESSL });
    const config = { recipes: [{ name: 'main', path: `${directory}/recipes` }], use: { with: [], without: [] } };
    const repository = await readRepository(`${directory}/recipes`);
    const platform = { os: 'linux', architecture: 'amd64' } as const;
    const [newest] = await readRepositoryPackages(repository, { config, repositories: [repository], platform });
    expect(packageOf(newest!, 'app-misc/client').dependencies.link).toEqual([
      { category: 'dev-libs', name: 'libressl' },
    ]);
  });

  test('is not looked for in recipes that nobody can read, which are nobody’s mistake', async () => {
    const broken = { 'recipes/app-misc/broken/pkg.yaml': 'name: [app-misc/broken\n' };
    expect(await linksOf({ ...NEEDING, ...OPENSSL, ...broken })).toEqual([{ category: 'dev-libs', name: 'openssl' }]);
  });

  test('has the witness look at every recipe, since any may provide it from now on', async () => {
    const directory = project({ ...NEEDING, ...OPENSSL, ...recipe('app-misc/other') });
    const witness = createWitness();
    await readProject(directory, { witness });
    const seen = JSON.stringify(witness.sightings());
    expect(seen).toContain('app-misc/other/pkg.yaml');
  });
});
