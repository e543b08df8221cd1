import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type DefinitionFinding, STYLE_CODES } from '../../../src/definition/lint/definition-finding.ts';
import { type LintTarget, lintDefinitions } from '../../../src/definition/lint/lint-definitions.ts';
import { BOOLEAN_KEYS, MODE_KEYS } from '../../../src/definition/lint/lint-spelling.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { DIGEST, type Files, PATCH, writeFiles } from '../project.ts';

const REPOSITORY = `name: main
debian: {suites: [bookworm], components: [main]}
root: {toolchain: [build-essential], minimal: [bash], runtime: [libc6], tools: [bubblewrap]}
`;

const TOOL = `name: app-misc/tool
description: A tool
homepage: https://example.org/
license: MIT
versions:
  2.0: {sha256: ${DIGEST}}
  1.0: {sha256: ${DIGEST}}
source: https://example.org/tool-{{version}}.tar.gz
class: autotools
flags:
  speed: {default: on, description: Run faster, configure: [--fast]}
  tls: {default: off, description: Speak TLS, dependencies: {link: [dev-libs/tls]}}
phases:
  install: |
    make install DESTDIR="$DESTDIR"
    install -m 0644 "$FILESDIR/tool.conf" "$DESTDIR/etc"
patches:
  patches/a.patch: "A change"
test:
  - {run: [/usr/bin/tool, --version]}
allow: {set-id: it asks for rights}
`;

const SOUND: Files = {
  'recipes/repository.yaml': REPOSITORY,
  'recipes/app-misc/tool/pkg.yaml': TOOL,
  'recipes/app-misc/tool/files/tool.conf': 'a = b\n',
  'recipes/app-misc/tool/patches/a.patch': PATCH,
  'recipes/dev-libs/tls/pkg.yaml': TOOL.replace('app-misc/tool', 'dev-libs/tls')
    .replace(/patches:\n.*\n/, '')
    .replace(/flags:\n.*\n.*\n/, '')
    .replace(/ {4}install .*\n/, ''),
  'recipes/sys-apps/baselayout/pkg.yaml': `name: sys-apps/baselayout
description: The base
license: MIT
version: 1
class: none
root: minimal
phases: {install: 'mkdir "$DESTDIR/etc"'}
test: [{run: ["true"]}]
`,
  'box/container.yaml': `- vars: {name: box, version: 1.0}
- package: {type: embedded, path: ./pkgs/tool}
- sync: {src: ./etc, dest: /etc, recursive: true, chmod: 0644}
- image: {type: oci}
`,
  'box/etc/a': 'a\n',
  'box/pkgs/tool/pkg.yaml': 'base: app-misc/tool-1.0\npatches: {patches/b.patch: "Another"}\n',
  'box/pkgs/tool/patches/b.patch': PATCH.replaceAll('x', 'y'),
};

function project(files: Files): string {
  const directory = temporaryDirectory();
  writeFiles(directory, { ...SOUND, ...files });
  return directory;
}

async function findingsOf(
  files: Files,
  kind: LintTarget['kind'] = 'repository',
  place = 'recipes',
): Promise<readonly DefinitionFinding[]> {
  const directory = project(files);
  const recipes = [{ name: 'main', path: join(directory, 'recipes') }];
  const found = await lintDefinitions(
    { kind, directory: join(directory, place) },
    {
      config: { recipes, use: { with: [], without: [] } },
      platform: { os: 'linux', architecture: 'amd64' },
    },
  );
  return found.map((finding) => ({
    ...finding,
    message: finding.message.replaceAll(`${directory}/`, ''),
    position: { ...finding.position, file: finding.position.file.replace(`${directory}/`, '') },
  }));
}

function told({ code, severity, message, position }: DefinitionFinding): string {
  return `${position.file}:${position.line}:${position.column} ${severity} ${code} ${message}`;
}

const tool = (from: string | RegExp, to: string): Files => {
  const text = TOOL.replace(from, to);
  if (text === TOOL) throw new Error(`The recipe does not hold ${from}`);
  return { 'recipes/app-misc/tool/pkg.yaml': text };
};
const PKG = 'recipes/app-misc/tool/pkg.yaml';

// biome-ignore format: a table
const STYLE: readonly (readonly [code: string, files: Files, finding: string | RegExp])[] = [
  ['allow-without-reason', tool('it asks for rights', '{reason: "TODO!"}'), `${PKG}:21:9 error allow-without-reason expected a reason for "allow.set-id", found "TODO!"`],
  ['allow-without-reason', tool('it asks for rights', '"…"'), /:21:9 error allow-without-reason/],
  ['boolean-spelling', tool('default: on', 'default: Yes'), `${PKG}:11:20 warning boolean-spelling "default" is spelt Yes, expected true`],
  ['boolean-spelling', tool('default: off', 'default: "no"'), /:12:18 warning boolean-spelling "default" is spelt "no", expected false/],
  ['default-phase', tool('phases:\n', 'phases:\n  build: make -j"$JOBS"\n'), `${PKG}:14:3 warning default-phase the phase "build" is the same as that of class: autotools`],
  ['deprecated-license', tool('license: MIT', 'license: GPL-2.0'), `${PKG}:4:10 warning deprecated-license Cannot read "license": "GPL-2.0" is an old identifier of SPDX`],
  ['insecure-homepage', tool('homepage: https', 'homepage: http'), `${PKG}:3:11 warning insecure-homepage expected an https URL, found "http://example.org/"`],
  ['missing-description', tool('description: A tool\n', ''), `${PKG}:1:1 warning missing-description expected "description", found none`],
  ['missing-homepage', tool('homepage: https://example.org/\n', ''), `${PKG}:1:1 warning missing-homepage expected "homepage", found none`],
  ['missing-license', tool('license: MIT\n', ''), `${PKG}:1:1 warning missing-license expected "license", found none`],
  ['missing-test', tool(/test:\n.*\n/, ''), `${PKG}:1:1 warning missing-test expected "test", found none`],
  ['trailing-space', tool('license: MIT', 'license: MIT \t'), `${PKG}:4:13 warning trailing-space expected the end of the line, found spaces before it`],
  ['undescribed-flag', tool('description: Run faster, ', ''), `${PKG}:11:3 warning undescribed-flag expected a description of the flag "speed", found none`],
  ['unknown-license', tool('license: MIT', 'license: MIT OR Apche-2.0'), `${PKG}:4:17 error unknown-license Cannot read "license": expected an identifier of the SPDX list, found "Apche-2.0"`],
  ['unused-file', { 'recipes/app-misc/tool/files/old.conf': 'x\n' }, `${PKG}:13:1 warning unused-file expected the phases to use "files/old.conf", found them without it`],
  ['unused-file', tool(/ {4}install .*\n/, ''), `${PKG}:13:1 warning unused-file expected the phases to use "files", found them without it`],
  ['unused-patch', { 'recipes/app-misc/tool/patches/old.patch': PATCH }, `${PKG}:17:1 warning unused-patch expected "patches/old.patch" to be applied, found it unused`],
  ['versions-order', tool(/( {2}2\.0.*\n)( {2}1\.0.*\n)/, '$2$1'), `${PKG}:6:3 warning versions-order expected the newest version first, found 1.0 before 2.0`],
];

describe('lintDefinitions', () => {
  test('takes for newest what the recipe’s scheme does', async () => {
    const text = TOOL.replace('  2.0:', '  4rc1:').replace('  1.0:', '  4:');
    const ofScheme = (scheme: string) => ({ [PKG]: text.replace('class:', `version-scheme: ${scheme}\nclass:`) });
    expect((await findingsOf(ofScheme('debian'))).map(told)).toEqual([]);
    expect((await findingsOf(ofScheme('loose'))).map(told)).toEqual([
      `${PKG}:6:3 warning versions-order expected the newest version first, found 4rc1 before 4`,
    ]);
  });

  test.each([
    ['a repository', 'repository', 'recipes'],
    ['a recipe', 'package', 'recipes/app-misc/tool'],
    ['a container', 'container', 'box'],
    ['a derivation of a container', 'package', 'box/pkgs/tool'],
  ] as const)('finds nothing in %s that is sound', async (_, kind, place) => {
    expect((await findingsOf({}, kind, place)).map(told)).toEqual([]);
  });

  test('finds recipes that need each other in a circle, through what they provide too', async () => {
    const tls = String(SOUND['recipes/dev-libs/tls/pkg.yaml']);
    const files = {
      ...tool('default: off', 'default: on'),
      'recipes/dev-libs/tls/pkg.yaml': tls.replace('class:', 'dependencies: {link: [virtual/zip]}\nclass:'),
      'recipes/dev-libs/zip/pkg.yaml': tls
        .replaceAll('dev-libs/tls', 'dev-libs/zip')
        .replace('class:', 'provides: [virtual/zip]\ndependencies: {link: [app-misc/tool]}\nclass:'),
    };
    const found = (await findingsOf(files)).map(told);
    expect(found).toEqual([
      expect.stringMatching(/ error dependency-cycle .*app-misc\/tool → dev-libs\/tls → dev-libs\/zip/),
    ]);
  });

  test.each(STYLE)('finds %s', async (_code, files, finding) => {
    const found = (await findingsOf(files)).map(told);
    expect(found).toEqual([typeof finding === 'string' ? finding : expect.stringMatching(finding)]);
  });

  test('has tried every matter of style', () => {
    const tried = new Set(['mode-spelling', ...STYLE.map(([code]) => code)]);
    expect(Object.keys(STYLE_CODES).filter((code) => !tried.has(code))).toEqual([]);
  });

  test.each(['644', '0o644', '"644"', '00644'])('finds the mode %s', async (mode) => {
    const files = { 'box/container.yaml': String(SOUND['box/container.yaml']).replace('0644', mode) };
    expect((await findingsOf(files, 'container', 'box')).map(told)).toEqual([
      `box/container.yaml:3:58 warning mode-spelling "chmod" is spelt ${mode}, expected 0644`,
    ]);
  });

  test('tells what reading refuses, at its place, in every recipe', async () => {
    const found = await findingsOf({
      ...tool('class: autotools', 'class: autotool'),
      'recipes/dev-libs/tls/pkg.yaml': 'name: dev-libs/tls\nversion: [\n',
      'recipes/app-misc/other/pkg.yaml': 'name: app-misc/else\nversion: 1\nclass: none\n',
    });
    const refused = found.filter(({ code }) => code === 'definition-invalid').map(told);
    expect(refused).toEqual([
      expect.stringMatching(/^recipes\/app-misc\/other\/pkg\.yaml:1:7 error .*expected "app-misc\/other"/),
      expect.stringMatching(/^recipes\/app-misc\/tool\/pkg\.yaml:9:8 error .*found "autotool"/),
      expect.stringMatching(/^recipes\/dev-libs\/tls\/pkg\.yaml:3:1 error /),
    ]);
  });

  test('reads what is behind flags that are off, and older versions', async () => {
    const missing = (await findingsOf(tool('link: [dev-libs/tls]', 'link: [dev-libs/tsl]'))).map(told);
    expect(missing).toEqual([expect.stringMatching(/:12:69 error dependency-unsatisfied Cannot find "dev-libs\/tsl"/)]);
    const old = (await findingsOf(tool(`  1.0: {sha256: ${DIGEST}}`, '  1.0: {}'))).map(told);
    expect(old).toEqual([expect.stringMatching(/error definition-invalid .*SHA-256/)]);
  });

  test('tells a derivation of a version that its base does not have', async () => {
    const files: Files = { 'box/pkgs/tool/pkg.yaml': 'base: app-misc/tool-3.0\n' };
    expect((await findingsOf(files, 'package', 'box/pkgs/tool')).map(told)).toEqual([
      'box/pkgs/tool/pkg.yaml:1:7 error dependency-unsatisfied Cannot choose a version of "app-misc/tool": expected 3.0, found 2.0, 1.0',
    ]);
  });

  test('tells mistakes of container.yaml and of embedded packages together', async () => {
    const files: Files = {
      'box/container.yaml': String(SOUND['box/container.yaml']).replace('type: oci', 'type: ocj'),
      'box/pkgs/tool/pkg.yaml': 'base: app-misc/tool-1.0\nuse: {with: [sped]}\n',
    };
    expect((await findingsOf(files, 'container', 'box')).map(({ position, code }) => [position.file, code])).toEqual([
      ['box/container.yaml', 'definition-invalid'],
      ['box/pkgs/tool/pkg.yaml', 'definition-invalid'],
    ]);
  });

  test('takes a directory of files in use as used', async () => {
    for (const use of [
      'cp -r "$FILESDIR" etc',
      'cp "$FILESDIR"/*.conf etc',
      `cd "\${FILESDIR}/"`,
      'cp -r $FILESDIR/more etc',
    ]) {
      const files = { ...tool(/ {4}install .*\n/, `    ${use}\n`), 'recipes/app-misc/tool/files/more/a.conf': 'x\n' };
      const found = (await findingsOf(files)).map(({ code, message }) => `${code} ${message}`);
      const unused = use.includes('more') ? [expect.stringContaining('unused-file')] : [];
      expect([use, ...found]).toEqual([use, ...unused]);
    }
  });

  test('takes a file that is a source, a patch or a lock file as used', async () => {
    const place = 'recipes/app-misc/tool/';
    const text = TOOL.replace(/ {4}install .*\n/, '')
      .replace('source: https://example.org/tool-{{version}}.tar.gz', 'source: {file: "files/tool-{{ version }}.tar"}')
      .replaceAll(`{sha256: ${DIGEST}}`, '{}')
      .replace('patches:\n', 'patches:\n  files/fixes/b.patch: "Another change"\n')
      .replace('class:', 'vendor: [{ecosystem: cargo, file: files/Cargo.lock}]\nclass:');
    const files = {
      [`${place}pkg.yaml`]: text,
      [`${place}files/tool.conf`]: 'a = b\n',
      [`${place}files/tool-1.0.tar`]: '1',
      [`${place}files/tool-2.0.tar`]: '2',
      [`${place}files/fixes/b.patch`]: PATCH,
      [`${place}files/Cargo.lock`]: 'version = 3\n',
    };
    const unused = (await findingsOf(files)).filter(({ code }) => code === 'unused-file');
    expect(unused.map(({ message }) => message)).toEqual([
      'expected the phases to use "files/tool.conf", found them without it',
    ]);
  });

  test('does not ask a package without a source for its homepage', async () => {
    const found = await findingsOf({}, 'package', 'recipes/sys-apps/baselayout');
    expect(found).toEqual([]);
  });
});

test('every key of the formats that is a truth value or a mode is known', () => {
  const keys = { boolean: new Set<string>(), mode: new Set<string>() };
  const collect = (value: unknown, key: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const kind = /^#\/\$defs\/(boolean|mode)$/.exec(String((value as { $ref?: unknown }).$ref))?.[1];
    if (kind !== undefined) keys[kind as keyof typeof keys].add(key);
    for (const [name, child] of Object.entries(value)) collect(child, name);
  };
  for (const name of ['container', 'pkg']) {
    collect(JSON.parse(readFileSync(new URL(`../../../schemas/${name}.schema.json`, import.meta.url), 'utf8')), '');
  }
  expect([...keys.boolean].sort()).toEqual([...BOOLEAN_KEYS].sort());
  expect([...keys.mode].sort()).toEqual([...MODE_KEYS].sort());
});
