import { describe, expect, test } from 'vitest';
import { lintDefinitions } from '../../src/definition/lint/lint-definitions.ts';
import { DIGEST, type Files, mistakesOf, PATCH, packageOf, project, readFiles } from './project.ts';

const RECIPE = `name: app-misc/tool
license: MIT
description: A tool
versions:
  2.0: {sha256: ${DIGEST}}
  1.0:
    sha256: ${DIGEST}
    patches: {patches/old-compiler.patch: Old compilers do not know the attribute}
    environment: {CFLAGS: {append: -std=gnu89}, OLD: "yes"}
source: {url: "https://x.org/tool-{{version}}.tar.gz"}
class: make
environment: {LANG: C}
`;

function tool(version: string, more = ''): Files {
  return {
    'pkgs/nginx/pkg.yaml': `base: app-misc/tool-${version}\nenvironment: {OLD: {append: indeed}}\n`,
    'recipes/app-misc/tool/pkg.yaml': `${RECIPE}${more}`,
    'recipes/app-misc/tool/patches/all.patch': PATCH,
    'recipes/app-misc/tool/patches/old-compiler.patch': PATCH.replace('+b', '+c'),
  };
}

async function patchesOf(files: Files): Promise<readonly string[]> {
  const { patches } = packageOf(await readFiles(files), 'app-misc/tool');
  return patches.map(({ location }) => (location.kind === 'file' ? location.path.split('/').at(-1)! : location.url));
}

describe('what one version of a recipe has for itself', () => {
  test('are patches after those of all versions, and no version else has them', async () => {
    expect(await patchesOf(tool('1.0'))).toEqual(['all.patch', 'old-compiler.patch']);
    expect(await patchesOf(tool('2.0'))).toEqual(['all.patch']);
  });

  test('are patches also where the recipe lists those of all versions', async () => {
    const listed = 'patches: {patches/all.patch: For all}\n';
    expect(await patchesOf(tool('1.0', listed))).toEqual(['all.patch', 'old-compiler.patch']);
    expect(await patchesOf(tool('2.0', listed))).toEqual(['all.patch']);
  });

  test('are variables over those of the recipe and below those of a derivation', async () => {
    const [old, newest] = [await readFiles(tool('1.0')), await readFiles(tool('2.0'))].map((definitions) =>
      packageOf(definitions, 'app-misc/tool'),
    );
    expect(old!.environment).toMatchObject({ LANG: 'C', OLD: 'yes indeed' });
    expect(old!.environment.CFLAGS).toBe(`${newest!.environment.CFLAGS} -std=gnu89`);
    expect(newest!.environment).toMatchObject({ LANG: 'C', OLD: 'indeed' });
  });

  test('is a source in place of that of the recipe, with its digest in either place', async () => {
    const sourceOf = async (version: string, own: string) => {
      const files = tool(version);
      const text = RECIPE.replace('environment: {CFLAGS', `${own}\n    environment: {CFLAGS`);
      const { sources } = packageOf(
        await readFiles({ ...files, 'recipes/app-misc/tool/pkg.yaml': text }),
        'app-misc/tool',
      );
      return sources.map(({ fileName, location, sha256 }) => [fileName, location.kind, sha256]);
    };
    const mirrored = 'source: {filename: tool_1.0+ds.orig.tar.gz, mirrors: [{debian: tool}]}';
    expect(await sourceOf('1.0', mirrored)).toEqual([['tool_1.0+ds.orig.tar.gz', 'remote', DIGEST]]);
    expect(await sourceOf('2.0', mirrored)).toEqual([['tool-2.0.tar.gz', 'remote', DIGEST]]);
    const second = `source: ["https://x.org/old/{{version}}.tar.gz", {url: https://x.org/words.gz, sha256: ${'1'.repeat(64)}}]`;
    expect(await sourceOf('1.0', second)).toEqual([
      ['1.0.tar.gz', 'remote', DIGEST],
      ['words.gz', 'remote', '1'.repeat(64)],
    ]);
  });

  test('is told from what no version uses', async () => {
    const directory = project({ ...tool('2.0'), 'recipes/app-misc/tool/patches/nobody.diff': PATCH });
    const recipes = [{ name: 'main', path: `${directory}/recipes` }];
    const found = await lintDefinitions(
      { kind: 'repository', directory: `${directory}/recipes` },
      { config: { recipes, use: { with: [], without: [] } }, platform: { os: 'linux', architecture: 'amd64' } },
    );
    const unused = found.filter(({ code }) => code === 'unused-patch');
    expect(unused.map(({ message }) => message)).toEqual([expect.stringContaining('patches/nobody.diff')]);
  });

  test.each([
    ['patches: {../x.patch: y}', /stays inside the directory/],
    ['patches: {patches/x.patch: y}', /expected a file, found none/],
    ['environment: {DESTDIR: /}', /found one that buildit sets itself/],
    ['phases: {build: make}', /the unknown key "phases"/],
    ['source: "http://x.org/tool.tar.gz"', /source\.url/],
    ['source: {strip: 1}', /expected either "url" and "mirrors"/],
  ])('is refused with its place where it is wrong: %s', async (wrong, message) => {
    const text = RECIPE.replace('environment: {CFLAGS: {append: -std=gnu89}, OLD: "yes"}', wrong).replace(
      wrong.startsWith('patches') ? / {4}patches: \{patches\/old.*\n/ : /^$/,
      '',
    );
    const found = await mistakesOf(project({ ...tool('1.0'), 'recipes/app-misc/tool/pkg.yaml': text }));
    expect(found).toEqual([expect.stringMatching(/ recipes\/app-misc\/tool\/pkg\.yaml:[89]:/)]);
    expect(found[0]).toMatch(message);
  });
});

const FLAGS = `name: app-misc/tool
version: 1
class: none
flags:
  gnutls: {conflicts: [openssl], configure: [--with-gnutls]}
  openssl: {default: on, configure: [--with-openssl]}
  http3: {default: on, requires: [openssl], configure: [--with-http3]}
`;

describe('flags that conflict', () => {
  const using = (use: string, recipe = FLAGS): Files => ({
    'pkgs/nginx/pkg.yaml': `base: app-misc/tool\nuse: ${use}\n`,
    'recipes/app-misc/tool/pkg.yaml': recipe,
  });
  const read = async (files: Files) => packageOf(await readFiles(files), 'app-misc/tool');

  test('leave the one that was asked for, and what requires the other is off too', async () => {
    const { environment, notices } = await read(using('{with: [gnutls]}'));
    expect(environment.BUILDIT_CONFIGURE).toBe('--with-gnutls');
    expect(notices).toEqual([
      'the flag "openssl" of app-misc/tool is off because "gnutls" is on',
      'the flag "http3" of app-misc/tool is off because "openssl" is',
    ]);
  });

  test('do nothing while one of them is off', async () => {
    expect(await read(using('{with: [openssl]}'))).toMatchObject({ notices: [] });
    expect(await read(using('{with: [gnutls], without: [openssl, http3]}'))).toMatchObject({ notices: [] });
  });

  test('leave the other where the recipe has both on', async () => {
    const both = FLAGS.replace('gnutls: {', 'gnutls: {default: on, ');
    const { environment, notices } = await read(using('{}', both));
    expect(environment.BUILDIT_CONFIGURE).toBe('--with-http3 --with-openssl');
    expect(notices).toEqual(['the flag "gnutls" of app-misc/tool is off because "openssl" is on']);
  });

  test('leave the one that a configuration wants rather than a default, on whichever side the conflict is written', async () => {
    const sides = [
      FLAGS.replace('gnutls: {', 'gnutls: {default: on, ').replace('openssl: {default: on', 'openssl: {default: off'),
      FLAGS.replace('gnutls: {conflicts: [openssl], ', 'gnutls: {default: on, ').replace(
        'openssl: {default: on',
        'openssl: {default: off, conflicts: [gnutls]',
      ),
    ];
    for (const recipe of sides) {
      const use = { with: ['openssl'], without: [] };
      const { flags } = packageOf(await readFiles(using('{}', recipe), { use }), 'app-misc/tool');
      expect([flags.openssl!.enabled, flags.gnutls!.enabled]).toEqual([true, false]);
    }
  });

  test('do nothing where one of them is off for want of what it requires', async () => {
    const flags = '  a: {default: on, requires: [z]}\n  b: {default: on, conflicts: [a]}\n  z: {default: off}\n';
    const tool = await read(using('{}', `name: app-misc/tool\nversion: 1\nclass: none\nflags:\n${flags}`));
    expect(tool.flags).toMatchObject({ a: { enabled: false }, b: { enabled: true } });
    expect(tool.notices).toEqual(['the flag "a" of app-misc/tool is off because "z" is']);
  });

  test('are refused where both were asked for, or where one is none', async () => {
    expect(await mistakesOf(project(using('{with: [gnutls, openssl]}')))).toEqual([
      expect.stringMatching(/without its flag "openssl", found both asked for \| leave out one of them$/),
    ]);
    const unknown = FLAGS.replace('[openssl], conf', '[opensssl], conf');
    expect(await mistakesOf(project(using('{}', unknown)))).toEqual([
      expect.stringMatching(/"flags\.gnutls\.conflicts": expected a flag of app-misc\/tool/),
    ]);
  });
});
