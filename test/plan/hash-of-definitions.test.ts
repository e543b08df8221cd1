import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/model/digest.ts';
import type { DebianPin } from '../../src/model/lock.ts';
import type { Hash } from '../../src/model/package-hash.ts';
import type { RegistryArtefact } from '../../src/model/registry.ts';
import { vendorLockText } from '../../src/model/vendor-lock.ts';
import { createPlan } from '../../src/plan/create-plan.ts';
import { type Files, readFiles } from '../definition/project.ts';
import { emptyContainerLock, pinNamed, repositoryLock, setOf } from '../support/packages.ts';

const DIGEST = sha256('source');
const OTHER_DIGEST = sha256('another source');
const PATCH = (line: string) => `--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+${line}\n`;

const RECIPE = `name: app-misc/tool
description: A tool
homepage: https://example.org/
license: MIT
versions:
  1.0: {sha256: ${DIGEST}}
  2.0: {sha256: ${DIGEST}}
source:
  - url: https://example.org/tool-{{version}}.tar.gz
    mirrors: [{debian: tool}]
    strip: 1
    directory: .
  - {url: "https://example.org/data.bin", sha256: ${DIGEST}, filename: data.bin, unpack: false}
vendor: {ecosystem: go, file: files/go.sum}
class: autotools
version-scheme: loose
root: toolchain
flags:
  colour: {default: on, description: Colours, configure: [--with-colour]}
  speed: {default: off, configure: {on: [--fast], off: [--slow]}, environment: {SPEED: full}}
  tls: {default: off, dependencies: {link: [dev-libs/tls]}}
  wide: {default: on, requires: [colour], configure: [--wide]}
  old: {default: on, when: "<1.0", configure: [--old]}
configure: [--sysconfdir=/etc]
dependencies:
  build: [debian/pkgconf]
  link: [dev-libs/zip]
  run: [app-misc/helper]
  test: [debian/curl]
environment: {GREETING: hello}
phases:
  prepare: touch prepared
  configure: ./configure $BUILDIT_CONFIGURE
  build: make
  check: make check
  install: make install DESTDIR="$DESTDIR"
patches:
  patches/own.patch: "A change of the recipe"
subpackages:
  doc: {files: ["usr/share/doc/**"]}
  dev: {files: ["usr/include/**"], dependencies: {run: []}}
capabilities: {usr/bin/tool: [cap_net_admin, cap_chown], usr/bin/gear: [cap_chown]}
users: [{name: tool, uid: 200}]
provides: [virtual/tool]
replaces: [debian/tool]
test: [{run: [/usr/bin/tool], stdout: "tool {{version}}"}]
allow: {set-id: tool asks for rights}
update: {streams: ["~1"]}
security: {debian: tool}
x-note: nothing
`;

const DERIVATION = `base: app-misc/tool-1.0
author: Sysadmin42 <sys@admin42.org>
description: Our tool
patches:
  patches/first.patch: "First"
  patches/second.patch: {description: "Second", fixes: [CVE-2025-1], strip: 1}
use: {with: [speed], without: [colour]}
configure: {append: [--with-debug]}
environment: {GREETING: {append: again}}
allow: {build-path: {reason: it tells its flags, paths: [usr/bin/*]}}
`;

const MODULE: RegistryArtefact = { ecosystem: 'go', name: 'example.org/x', version: 'v1.0.0', fileName: 'v1.0.0.zip' };
const VENDORED = { from: { go: sha256('') }, files: [{ artefact: MODULE, sha256: 'cd'.repeat(32), size: 7 }] };

const FILES: Files = {
  'container.yaml': `---
- vars: {name: box, version: 1}
- package: {type: embedded, path: ./pkgs/tool}
- image: {type: oci}
`,
  'pkgs/tool/pkg.yaml': DERIVATION,
  'pkgs/tool/patches/first.patch': PATCH('b'),
  'pkgs/tool/patches/second.patch': PATCH('c'),
  'recipes/app-misc/tool/pkg.yaml': RECIPE,
  'recipes/app-misc/tool/patches/own.patch': PATCH('d'),
  'recipes/app-misc/tool/files/tool.conf': 'greeting = hello\n',
  'recipes/app-misc/tool/files/go.sum': '',
  'recipes/app-misc/tool/vendor.lock': vendorLockText(
    new Map([
      ['1.0', VENDORED],
      ['2.0', VENDORED],
    ]),
  ),
  'recipes/app-misc/helper/pkg.yaml': 'name: app-misc/helper\nversion: 1\nclass: none\nphases: {install: "true"}\n',
  'recipes/dev-libs/zip/pkg.yaml': 'name: dev-libs/zip\nversion: 1\nclass: none\nphases: {install: "true"}\n',
  'recipes/dev-libs/tls/pkg.yaml': 'name: dev-libs/tls\nversion: 1\nclass: none\nphases: {install: "true"}\n',
};

const roots = setOf(
  pinNamed('libc6'),
  pinNamed('bash', '5', ['libc6'], { essential: true }),
  pinNamed('build-essential', '12', ['libc6']),
  pinNamed('pkgconf', '1', ['libc6']),
  pinNamed('bison', '3', ['libc6']),
);

async function hashOf(files: Files, pins: Record<string, DebianPin> = roots, contract = 1): Promise<Hash> {
  const definitions = await readFiles(files);
  const locks = { repositories: { main: repositoryLock(pins) }, container: emptyContainerLock };
  const plan = createPlan(definitions, locks, { contract, generatedFiles: sha256('generated') });
  return plan.steps.find(({ name }) => name === 'app-misc/tool')!.hash;
}

interface Mutation {
  /** `recipe.…` or `derivation.…` as in the schema, or a file's path. */
  readonly field: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const recipe = (field: string, from: string, to: string): Mutation => ({
  field: `recipe.${field}`,
  file: 'recipes/app-misc/tool/pkg.yaml',
  from,
  to,
});
const derivation = (field: string, from: string, to: string): Mutation => ({
  field: `derivation.${field}`,
  file: 'pkgs/tool/pkg.yaml',
  from,
  to,
});

const CHANGING: readonly Mutation[] = [
  { field: 'recipe.vendor', file: 'recipes/app-misc/tool/vendor.lock', from: 'cdcd', to: 'cecd' },
  { field: 'recipe.vendor', file: 'recipes/app-misc/tool/vendor.lock', from: 'org/x@v1.0.0', to: 'org/y@v1.0.0' },
  recipe('versions', `1.0: {sha256: ${DIGEST}}`, `1.0: {sha256: ${OTHER_DIGEST}}`),
  recipe('versions', `1.0: {sha256: ${DIGEST}}`, `1.0: {sha256: ${DIGEST}, environment: {GREETING: hi}}`),
  recipe('versions', `1.0: {sha256: ${DIGEST}}`, `1.0: {sha256: ${DIGEST}, patches: {patches/own.patch: Again}}`),
  recipe(
    'versions',
    `1.0: {sha256: ${DIGEST}}`,
    `1.0: {sha256: ${DIGEST}, source: "https://example.org/old-1.0.tar.gz"}`,
  ),
  recipe('source', 'filename: data.bin', 'filename: other.bin'),
  recipe('source', 'strip: 1', 'strip: 2'),
  recipe('source', 'directory: .', 'directory: below'),
  recipe('source', 'filename: data.bin, unpack: false', 'filename: data.tar'),
  recipe('source', `sha256: ${DIGEST}, filename`, `sha256: ${OTHER_DIGEST}, filename`),
  recipe('phases', '  build: make\n', ''),
  recipe('root', 'root: toolchain', 'root: minimal'),
  recipe('flags', 'configure: {on: [--fast]', 'configure: {on: [--faster]'),
  recipe('flags', 'environment: {SPEED: full}', 'environment: {SPEED: half}'),
  recipe('flags', 'tls: {default: off', 'tls: {default: on'),
  recipe('configure', '[--sysconfdir=/etc]', '[--sysconfdir=/usr/etc]'),
  recipe('dependencies', 'build: [debian/pkgconf]', 'build: [debian/bison]'),
  recipe('dependencies', 'link: [dev-libs/zip]', 'link: [dev-libs/tls]'),
  recipe('dependencies', 'build: [debian/pkgconf]', 'build: [debian/pkgconf, debian/bison]'),
  recipe('environment', 'GREETING: hello', 'GREETING: goodbye'),
  recipe('environment', '{GREETING: hello}', '{GREETING: hello, SECOND: ""}'),
  recipe('phases', 'prepare: touch prepared', 'prepare: touch ready'),
  recipe('phases', 'configure: ./configure $BUILDIT_CONFIGURE', 'configure: ./configure'),
  recipe('phases', 'build: make', 'build: make all'),
  recipe('phases', 'install: make install DESTDIR="$DESTDIR"', 'install: make install-strip DESTDIR="$DESTDIR"'),
  recipe('patches', '  patches/own.patch: "A change of the recipe"', '  {}'),
  recipe('subpackages', 'usr/share/doc/**', 'usr/share/man/**'),
  recipe('subpackages', '  doc: {', '  docs: {'),
  recipe('subpackages', '  dev: {files: ["usr/include/**"], dependencies: {run: []}}\n', ''),
  recipe('capabilities', 'cap_net_admin, cap_chown', 'cap_net_admin'),
  recipe('capabilities', 'usr/bin/gear', 'usr/bin/cog'),
  recipe('capabilities', ', usr/bin/gear: [cap_chown]', ''),
  recipe('capabilities', 'capabilities: {usr/bin/tool: [cap_net_admin, cap_chown], usr/bin/gear: [cap_chown]}\n', ''),
  {
    field: 'the role of the base',
    file: 'container.yaml',
    from: '- package: {type: embedded, path: ./pkgs/tool}',
    to: '- base: app-misc/tool\n- package: {type: embedded, path: ./pkgs/tool}',
  },
  derivation('base', 'app-misc/tool-1.0', 'app-misc/tool-2.0'),
  derivation('patches', '  patches/first.patch: "First"\n', ''),
  derivation('use', 'with: [speed]', 'with: [speed, tls]'),
  derivation('use', 'without: [colour]', 'without: []'),
  derivation('configure', '[--with-debug]', '[--with-trace]'),
  derivation('environment', '{append: again}', '{append: once}'),
  { field: 'patch', file: 'pkgs/tool/patches/first.patch', from: '+b', to: '+bb' },
  {
    field: 'patch',
    file: 'recipes/app-misc/tool/patches/own.patch',
    from: '--- a/x.c\n+++ b/x.c',
    to: '--- a/y.c\n+++ b/y.c',
  },
  { field: 'files', file: 'recipes/app-misc/tool/files/tool.conf', from: 'hello', to: 'goodbye' },
  {
    field: 'a link dependency',
    file: 'recipes/dev-libs/zip/pkg.yaml',
    from: 'install: "true"',
    to: 'install: "false"',
  },
];

const KEEPING: readonly Mutation[] = [
  recipe('description', 'A tool', 'Another word for it'),
  recipe('homepage', 'https://example.org/', 'https://example.com/'),
  recipe('license', 'MIT', 'ISC'),
  recipe('source', 'url: https://example.org/tool-', 'url: https://mirror.example.org/elsewhere/tool-'),
  recipe('source', 'mirrors: [{debian: tool}]', 'mirrors: []'),
  recipe('flags', 'description: Colours', 'description: Many colours'),
  recipe('versions', `2.0: {sha256: ${DIGEST}}`, `2.0: {sha256: ${DIGEST}, environment: {GREETING: hi}}`),
  recipe('provides', '[virtual/tool]', '[virtual/other, virtual/tool]'),
  recipe('flags', 'old: {default: on', 'old: {default: off'),
  recipe('dependencies', 'test: [debian/curl]', 'test: []'),
  recipe('phases', 'check: make check', 'check: none'),
  recipe('subpackages', 'dependencies: {run: []}', 'dependencies: {run: [app-misc/helper]}'),
  recipe('capabilities', 'cap_net_admin, cap_chown', 'cap_chown, cap_net_admin, cap_chown'),
  recipe(
    'capabilities',
    '{usr/bin/tool: [cap_net_admin, cap_chown], usr/bin/gear: [cap_chown]}',
    '{usr/bin/gear: [cap_chown], "usr/bin/{{name}}": [cap_net_admin, cap_chown]}',
  ),
  recipe('users', 'uid: 200', 'uid: 201'),
  recipe('replaces', '[debian/tool]', '[]'),
  recipe('test', 'tool {{version}}', 'tool'),
  recipe('update', '["~1"]', '["~2"]'),
  recipe('security', 'debian: tool', 'debian: tools'),
  recipe('allow', 'set-id: tool', 'unstripped: tool'),
  recipe('x-', 'x-note: nothing', 'x-note: something'),
  recipe('versions', '  2.0:', '  3.0:'),
  recipe('version-scheme', 'version-scheme: loose', 'version-scheme: debian'),
  derivation('allow', 'usr/bin/*', 'usr/sbin/*'),
  derivation('author', 'Sysadmin42 <sys@admin42.org>', 'Sysadmin43'),
  derivation('description', 'Our tool', 'Their tool'),
  derivation('patches', '"First"', '"The first"'),
  derivation('patches', 'fixes: [CVE-2025-1]', 'fixes: [CVE-2025-2]'),
  {
    field: 'patch',
    file: 'pkgs/tool/patches/first.patch',
    from: '--- a/x.c',
    to: 'Why this is done\n\nindex 0123456..abcdef0 100644\n--- a/x.c',
  },
  { field: 'patch', file: 'pkgs/tool/patches/first.patch', from: '--- a/x.c', to: '--- a/x.c\t2026-01-01 00:00:00' },
];

function mutated({ file, from, to }: Mutation): Files {
  const text = String(FILES[file]);
  const changed = text.replace(from, () => to);
  if (changed === text) throw new Error(`${file} does not hold ${from}`);
  return { ...FILES, [file]: changed };
}

describe('the HASH of a definition', () => {
  test.each(CHANGING)('changes with $field: $from → $to', async (mutation) => {
    expect(await hashOf(mutated(mutation))).not.toBe(await hashOf(FILES));
  });

  test.each(KEEPING)('stays with $field: $from → $to', async (mutation) => {
    expect(await hashOf(mutated(mutation))).toBe(await hashOf(FILES));
  });

  test('was tried with every field that a pkg.yaml can have', () => {
    const schema = JSON.parse(readFileSync(new URL('../../schemas/pkg.schema.json', import.meta.url), 'utf8'));
    const fields = ['recipe', 'derivation'].flatMap((kind) =>
      Object.keys(schema.$defs[kind].properties).map((key) => `${kind}.${key}`),
    );
    const tried = new Set([...CHANGING, ...KEEPING].map(({ field }) => field));
    // The binary packages that an image gets are all built in any case.
    // A recipe's name is where it lies, and `version` is the short form of `versions`: each has a test of its own.
    const elsewhere = new Set(['recipe.name', 'recipe.version', 'recipe.class', 'derivation.subpackages']);
    expect(fields.filter((field) => !tried.has(field) && !elsewhere.has(field))).toEqual([]);
  });

  test('changes with the class where its phases are used, and not where the recipe has its own', async () => {
    const path = 'recipes/app-misc/tool/pkg.yaml';
    const made = RECIPE.replace('class: autotools', 'class: make');
    const withoutPhases = (text: string) => text.replace(/phases:\n(?: {2}.*\n)+/, '');
    expect(await hashOf({ ...FILES, [path]: made })).toBe(await hashOf(FILES));
    expect(await hashOf({ ...FILES, [path]: withoutPhases(made) })).not.toBe(
      await hashOf({ ...FILES, [path]: withoutPhases(RECIPE) }),
    );
  });

  test('changes with the name of a package', async () => {
    const renamed = Object.fromEntries(
      Object.entries(FILES).map(([path, text]) => [
        path.replace('app-misc/tool', 'app-misc/gear'),
        String(text).replaceAll('app-misc/tool', 'app-misc/gear'),
      ]),
    );
    const definitions = await readFiles(renamed);
    const locks = { repositories: { main: repositoryLock(roots) }, container: emptyContainerLock };
    const plan = createPlan(definitions, locks, { contract: 1, generatedFiles: sha256('generated') });
    expect(plan.steps.at(-1)!.hash).not.toBe(await hashOf(FILES));
  });

  test('changes with every member of the root and with the contract of the sandbox', async () => {
    for (const name of ['libc6', 'bash', 'build-essential', 'pkgconf']) {
      const pin = { ...roots[name]!, sha256: sha256(`another ${name}`) };
      expect(await hashOf(FILES, { ...roots, [name]: pin })).not.toBe(await hashOf(FILES));
    }
    expect(await hashOf(FILES, roots, 2)).not.toBe(await hashOf(FILES));
  });

  test('changes with the order of patches', async () => {
    const swapped = DERIVATION.replace(
      /( {2}patches\/first.*\n)( {2}patches\/second.*\n)/,
      (_, first: string, second: string) => second + first,
    );
    expect(await hashOf({ ...FILES, 'pkgs/tool/pkg.yaml': swapped })).not.toBe(await hashOf(FILES));
  });

  test('is equal for equal definitions written differently', async () => {
    const same = `# another hand
environment:
    GREETING:
        append: "again"
configure: {"append": ['--with-debug']}
use:
  without:
  - colour
  with:
  - speed
patches:
  "patches/first.patch": First
  patches/second.patch:
    strip: 1
    fixes:
      - CVE-2025-1
    description: >-
      Second
author: 'Sysadmin42 <sys@admin42.org>'
description: Our tool
base: "app-misc/tool-1.0"
`;
    expect(await hashOf({ ...FILES, 'pkgs/tool/pkg.yaml': same })).toBe(await hashOf(FILES));
  });

  test('does not fall for text that moves from one field to its neighbour', async () => {
    const hash = (build: string, install: string) =>
      hashOf({
        ...FILES,
        'recipes/app-misc/tool/pkg.yaml': RECIPE.replace('build: make', `build: '${build}'`).replace(
          'install: make install DESTDIR="$DESTDIR"',
          `install: '${install}'`,
        ),
      });
    expect(await hash('ab', 'c')).not.toBe(await hash('a', 'bc'));
    expect(await hash('a","install":"b', 'c')).not.toBe(await hash('a', 'b'));
  });
});
