import { symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { containerWants } from '../../src/lock/wanted.ts';
import type { ResolvedPackage } from '../../src/model/package.ts';
import { createWitness, looksUnchanged } from '../../src/system/witness.ts';
import { DIGEST, type Files, mistakesOf, PATCH, packageOf, project, readFiles, readProject } from './project.ts';

const NGINX = 'www-servers/nginx';

/** A package without what differs when the same thing is written elsewhere or in another way. */
function meaningOf({ position, origin, patches, ...rest }: ResolvedPackage): unknown {
  return { ...rest, patches: patches.map(({ position, ...patch }) => patch) };
}

async function nginxOf(pkg: string, files: Files = {}): Promise<ResolvedPackage> {
  return packageOf(await readFiles({ 'pkgs/nginx/pkg.yaml': pkg, ...files }), NGINX);
}

describe('a container', () => {
  test('is the founding one, word for word', async () => {
    const { container, requested } = await readFiles({
      'container.yaml': `---
- vars:
    author: Sysadmin42
    name: nginx-production
    version: 1.7.6-p1
    os: linux
    arch: amd64

- package:
    type: embedded
    path: ./pkgs/nginx

- sync:
    src: ./files/nginx.conf
    dest: /etc/nginx/nginx.conf
    recursive: True
    chmod: 0644

- image:
    type: aci
    content: |
      {
        "acKind": "ImageManifest",
        "name": "{{ name }}-{{ version }}",
        "labels": [{"name": "os", "value": "{{ os }}"}, {"name": "arch", "value": "{{ arch }}"}]
      }
`,
      'files/nginx.conf': 'events {}\n',
    });
    expect(container).toMatchObject({
      author: 'Sysadmin42',
      name: 'nginx-production',
      version: '1.7.6-p1',
      platform: { os: 'linux', architecture: 'amd64' },
      base: 'sys-apps/baselayout',
      packages: [{ kind: 'embedded', shownPath: './pkgs/nginx', position: { line: 10, column: 5 } }],
      steps: [{ kind: 'sync', dest: '/etc/nginx/nginx.conf', recursive: true, mode: 0o644, directoryMode: 0o755 }],
    });
    expect(container.images).toHaveLength(1);
    expect(JSON.parse((container.images[0] as { manifest: string }).manifest)).toMatchObject({
      name: 'nginx-production-1.7.6-p1',
      labels: [
        { name: 'os', value: 'linux' },
        { name: 'arch', value: 'amd64' },
      ],
    });
    expect(requested).toEqual(['sys-apps/baselayout', NGINX]);
  });

  test('takes texts as they are written', async () => {
    const { container } = await readFiles({
      'container.yaml': `- vars: {name: 0123, version: 1.10, one: 1e3, two: no, three: 12:30, four: 0o17, five: True, six: "1.0"}
- base: none
- image: {type: oci}
`,
    });
    expect(container.variables).toEqual({
      arch: 'amd64',
      five: 'True',
      four: '0o17',
      name: '0123',
      one: '1e3',
      os: 'linux',
      six: '1.0',
      three: '12:30',
      two: 'no',
      version: '1.10',
    });
  });

  test.each(['0644', '"0644"', '0o644', '644', "'644'"])('reads the mode %s as octal', async (mode) => {
    const text = `- vars: {name: a, version: 1}\n- file: {dest: /a, content: x, chmod: ${mode}}\n- image: {type: oci}\n`;
    const { container } = await readFiles({ 'container.yaml': text });
    expect(container.steps).toMatchObject([{ kind: 'file', mode: 0o644 }]);
  });

  test.each(['True', 'true', 'yes', 'on', '"yes"', 'Yes'])('understands %s as true', async (word) => {
    const text = `- vars: {name: a, version: 1}\n- sync: {src: f, dest: /a, template: ${word}}\n- image: {type: oci}\n`;
    const { container } = await readFiles({ 'container.yaml': text, f: '' });
    expect(container.steps).toMatchObject([{ template: true }]);
  });

  test('ignores what begins with x-, and the ends of Windows lines', async () => {
    const plain = '- vars: {name: a, version: 1}\n- link: {dest: /a, target: b}\n- image: {type: oci}\n';
    const odd = plain.replace('target: b', 'target: b, x-note: {any: [thing]}').replaceAll('\n', '\r\n');
    const [first, second] = await Promise.all([plain, odd].map((text) => readFiles({ 'container.yaml': text })));
    expect(second!.container.steps).toMatchObject([{ kind: 'link', dest: '/a', target: 'b' }]);
    expect(first!.container.steps).toMatchObject([{ kind: 'link', dest: '/a', target: 'b' }]);
  });

  test('knows no variable of the environment', async () => {
    process.env.BUILDIT_CANARY = 'canary';
    const { container } = await readFiles({
      'container.yaml': `- vars: {name: a, version: 1}
- file: {dest: /a, content: "\${BUILDIT_CANARY} $BUILDIT_CANARY"}
- image: {type: oci}
`,
    });
    delete process.env.BUILDIT_CANARY;
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what was written
    expect(container.steps).toMatchObject([{ content: '${BUILDIT_CANARY} $BUILDIT_CANARY' }]);
  });

  test('escapes values for JSON in a manifest and nowhere else', async () => {
    const { container } = await readFiles({
      'container.yaml': `- vars: {name: a, version: 1, odd: 'say "hi" & \\ <b>'}
- file: {dest: /a, content: "{{ odd }}"}
- image: {type: aci, content: '{"x": "{{ odd }}"}'}
`,
    });
    expect(container.steps).toMatchObject([{ content: 'say "hi" & \\ <b>' }]);
    expect(JSON.parse((container.images[0] as { manifest: string }).manifest)).toEqual({ x: 'say "hi" & \\ <b>' });
  });

  test('renders a value once, and \\{{ as {{', async () => {
    const { container } = await readFiles({
      'container.yaml': `- vars: {name: a, version: 1}
- file: {dest: /a, content: '\\{{ name }} {{ name }} }}'}
- image: {type: oci}
`,
    });
    expect(container.steps).toMatchObject([{ content: '{{ name }} a }}' }]);
  });

  test('has steps, packages and images in the order written', async () => {
    const { container, debianRequested, requested } = await readFiles({
      'container.yaml': `- vars: {name: a, version: 1+b}
- package: {type: debian, name: libc6, version: 2.36-9+deb12u14}
- user: {name: web, uid: 101}
- package: {type: repository, name: dev-libs/openssl-3.0.15}
- directory: {dest: /srv/, chmod: 1777, chown: web}
- link: {dest: /a, target: ../b}
- image:
    type: oci
    compression: gzip
    config: {entrypoint: [/a, 1.10], ports: [80/tcp], environment: {B: 2, A: 1.0}, working-directory: /, stop-signal: SIGQUIT}
- image: {type: oci, tags: ["{{ name }}", latest]}
`,
    });
    expect(container.steps).toMatchObject([
      { kind: 'user', name: 'web', uid: 101, gid: 101, home: '/', shell: '/sbin/nologin' },
      { kind: 'directory', dest: '/srv', mode: 0o1777, owner: { user: 'web', group: '0' } },
      { kind: 'link', dest: '/a', target: '../b' },
    ]);
    expect(debianRequested).toMatchObject([{ name: 'libc6', version: '2.36-9+deb12u14' }]);
    expect(requested).toEqual(['sys-apps/baselayout', 'dev-libs/openssl']);
    expect(container.images).toMatchObject([
      {
        compression: 'gzip',
        layerBudget: 100,
        tags: ['1_b'],
        config: {
          entrypoint: ['/a', '1.10'],
          ports: ['80/tcp'],
          environment: { A: '1.0', B: '2' },
          workingDirectory: '/',
          stopSignal: 'SIGQUIT',
        },
      },
      { compression: 'zstd', tags: ['a', 'latest'], config: {} },
    ]);
  });

  test('puts a single file into a destination that ends in a slash', async () => {
    const text = '- vars: {name: a, version: 1}\n- sync: {src: ./f, dest: /etc/}\n- image: {type: oci}\n';
    const { container } = await readFiles({ 'container.yaml': text, f: 'x' });
    expect(container.steps).toMatchObject([{ dest: '/etc/f', mode: undefined }]);
  });
});

describe('a derivation', () => {
  test('keeps name and version of its base and adds to it', async () => {
    const nginx = await nginxOf(
      `base: www-servers/nginx-1.22.1
author: Sysadmin42 <sys@admin42.org>
patches:
  patches/z.patch: "This patch denies all plain http requests"
  https://github.com/nginx/nginx/commit/52e4dc2f.patch:
    "Fix buffer overruns"
  patches/a.patch: {description: A, fixes: [CVE-2025-23419], strip: 0}
use: {with: [mail], without: [http2]}
configure: {append: [--with-debug]}
environment: {LDFLAGS: {append: -fuse}, NEW: "{{ version }}"}
`,
      {
        'pkgs/nginx/patches/z.patch': PATCH,
        'pkgs/nginx/patches/a.patch': PATCH,
        'pkgs/nginx/patches/unused.patch': PATCH,
      },
    );
    expect(nginx).toMatchObject({
      name: NGINX,
      version: '1.22.1',
      author: 'Sysadmin42 <sys@admin42.org>',
      license: 'BSD-2-Clause',
      repository: 'main',
      origin: { kind: 'embedded', shownPath: './pkgs/nginx' },
      flags: {
        http2: { enabled: false, applies: true },
        ipv6: { enabled: true, applies: false },
        mail: { enabled: true, applies: true },
        ssl: { enabled: true, applies: true },
      },
      dependencies: {
        build: [],
        link: [
          { category: 'debian', name: 'libcrypt1' },
          { category: 'dev-libs', name: 'openssl' },
        ],
      },
      users: [{ name: 'nginx', uid: 101, gid: 101, home: '/', shell: '/sbin/nologin' }],
      notices: [],
    });
    expect(nginx.environment).toMatchObject({
      BUILDIT_CONFIGURE: '--with-mail --with-http_ssl_module --with-debug',
      LDFLAGS: '-Wl,-z,relro,-z,now -fuse',
      NEW: '1.22.1',
    });
    expect(nginx.sources).toMatchObject([
      {
        location: {
          kind: 'remote',
          urls: ['https://nginx.org/download/nginx-1.22.1.tar.gz'],
          mirrors: [{ kind: 'debian', sourcePackage: 'nginx' }],
        },
        sha256: DIGEST,
        fileName: 'nginx-1.22.1.tar.gz',
        action: 'unpack',
        strip: 1,
        directory: '.',
      },
    ]);
    expect(nginx.patches.map(({ location, description }) => [location.kind, description])).toEqual([
      ['file', 'This patch denies all plain http requests'],
      ['url', 'Fix buffer overruns'],
      ['file', 'A'],
    ]);
    expect(nginx.patches[1]).toMatchObject({
      sha256: undefined,
      normalisedSha256: undefined,
      position: { line: 5, column: 3 },
    });
    expect(nginx.patches[2]).toMatchObject({ fixes: ['CVE-2025-23419'], strip: 0 });
  });

  test('applies patches that look like numbers in the order written', async () => {
    const patches = ['10', '9', 'b', '1', 'a'];
    const files = Object.fromEntries(patches.map((name) => [`pkgs/nginx/${name}`, PATCH]));
    const list = patches.map((name) => `  ${name}: "patch ${name}"`).join('\n');
    const nginx = await nginxOf(`base: www-servers/nginx-1.22.1\npatches:\n${list}\n`, files);
    expect(nginx.patches.map(({ description }) => description)).toEqual(patches.map((name) => `patch ${name}`));
  });

  test('applies patches/*.patch in the order of their bytes where none are named', async () => {
    const names = ['b.patch', 'B.patch', 'a.patch', '10.patch', '9.patch', 'ignored.diff'];
    const files = Object.fromEntries(names.map((name) => [`pkgs/nginx/patches/${name}`, PATCH]));
    const nginx = await nginxOf('base: www-servers/nginx\n', files);
    const paths = nginx.patches.map(({ location }) =>
      location.kind === 'file' ? location.path.split('/').at(-1) : '',
    );
    expect(paths).toEqual(['10.patch', '9.patch', 'B.patch', 'a.patch', 'b.patch']);
  });

  test('is told when a flag it asks for has no effect', async () => {
    const nginx = await nginxOf('base: www-servers/nginx-1.22.1\nuse: {with: [ipv6]}\n');
    expect(nginx.flags.ipv6).toEqual({ enabled: true, applies: false });
    expect(nginx.environment.BUILDIT_CONFIGURE).not.toContain('ipv6');
    expect(nginx.notices).toEqual([
      'the flag "ipv6" of www-servers/nginx has no effect at version 1.22.1 (only at <1.11.5)',
    ]);
  });

  test('turns a default flag off with what it requires, and says so', async () => {
    const nginx = await nginxOf('base: www-servers/nginx-1.22.1\nuse: {without: [ssl]}\n');
    expect(nginx.flags.http2).toEqual({ enabled: false, applies: true });
    expect(nginx.dependencies.link).toEqual([{ category: 'debian', name: 'libcrypt1' }]);
    expect(nginx.notices).toEqual(['the flag "http2" of www-servers/nginx is off because "ssl" is']);
  });

  test('sees its own files over those of the recipe', async () => {
    const nginx = await nginxOf('base: www-servers/nginx\n', {
      'recipes/www-servers/nginx/files/a': 'recipe',
      'recipes/www-servers/nginx/files/deep/b': 'recipe',
      'pkgs/nginx/files/a': 'own',
    });
    expect(nginx.files.map(({ path, absolutePath }) => [path, absolutePath.includes('/pkgs/')])).toEqual([
      ['a', true],
      ['deep/b', false],
    ]);
  });

  test('means the same however it is written', async () => {
    const files = { 'pkgs/nginx/p.patch': PATCH };
    const one = await nginxOf(
      'base: www-servers/nginx-1.22.1\npatches: {p.patch: x}\nuse: {with: [mail, ssl], without: []}\nenvironment: {A: 1, B: 2}\n',
      files,
    );
    const other = await nginxOf(
      `# the same
"environment":
  B: "2"
  A: '1'
x-note: not part of it
use:
  with:
    - ssl
    - mail
patches:
  ./p.patch:
    description: x
    strip: 1
base: 'www-servers/nginx-1.22.1'
`,
      { 'pkgs/nginx/p.patch': PATCH },
    );
    const withoutPlaces = (value: unknown) => JSON.stringify(value).replaceAll(/"[^"]*\/(pkgs|recipes)\//g, '"$1/');
    expect(withoutPlaces(meaningOf(other))).toBe(withoutPlaces(meaningOf(one)));
  });
});

describe('choices', () => {
  test('a version is the one named, else the pinned, else the newest', async () => {
    const step = (text: string) => ({
      'container.yaml': `- vars: {name: a, version: 1}\n- package: {type: repository, ${text}}\n- image: {type: oci}\n`,
    });
    const version = async (text: string, pinnedVersions = {}) =>
      packageOf(await readFiles(step(text), { pinnedVersions }), NGINX).version;
    const pinned = { [NGINX]: '1.22.1' };
    expect(await version(`name: ${NGINX}`)).toBe('1.26.3');
    expect(await version(`name: ${NGINX}`, pinned)).toBe('1.22.1');
    expect(await version(`name: ${NGINX}, version: 1.26.3`, pinned)).toBe('1.26.3');
    expect(await version(`name: ${NGINX}-1.26.3`, pinned)).toBe('1.26.3');
  });

  test('a version that a later dependency names counts everywhere', async () => {
    const definitions = await readFiles({
      'container.yaml': `- vars: {name: a, version: 1}
- package: {type: repository, name: www-servers/nginx}
- package: {type: repository, name: a/needs-2nginx}
- image: {type: oci}
`,
      'recipes/a/needs-2nginx/pkg.yaml':
        'name: a/needs-2nginx\nversion: 1\nclass: make\ndependencies: {run: [www-servers/nginx-1.22.1]}\n',
    });
    expect(packageOf(definitions, NGINX).version).toBe('1.22.1');
    expect(packageOf(definitions, 'a/needs-2nginx').dependencies.run).toEqual([
      { category: 'www-servers', name: 'nginx', version: '1.22.1' },
    ]);
  });

  test('flags: recipe, repository, configuration, container and derivation, each beats the one before', async () => {
    const repository = {
      'recipes/repository.yaml': `name: main
debian: {suites: [bookworm], components: [main]}
root: {toolchain: [build-essential], minimal: [bash], runtime: [libc6], tools: [bubblewrap]}
use: {with: [mail, unknown-elsewhere], without: [http2]}
`,
    };
    const step = (use: string) => ({
      ...repository,
      'container.yaml': `- vars: {name: a, version: 1}\n- package: {type: repository, name: ${NGINX}${use}}\n- image: {type: oci}\n`,
    });
    const mail = async (files: Files, without: string[] = []) =>
      packageOf(await readFiles(files, { use: { with: [], without } }), NGINX).flags.mail?.enabled;
    expect(await mail(step(''))).toBe(true);
    expect(await mail(step(''), ['mail'])).toBe(false);
    expect(await mail(step(', use: {with: [mail]}'), ['mail'])).toBe(true);
    const derivation = { ...repository, 'pkgs/nginx/pkg.yaml': 'base: www-servers/nginx\nuse: {with: [mail]}\n' };
    expect(await mail(derivation, ['mail'])).toBe(true);
  });

  test('a recipe of the container stands in for the repository’s in all of it', async () => {
    const definitions = await readFiles({
      'container.yaml': `- vars: {name: a, version: 1}
- package: {type: repository, name: www-servers/nginx}
- package: {type: embedded, path: pkgs/ssl/}
- image: {type: oci}
`,
      'pkgs/ssl/pkg.yaml': 'base: dev-libs/openssl\nauthor: Me\n',
    });
    expect(packageOf(definitions, 'dev-libs/openssl')).toMatchObject({
      author: 'Me',
      origin: { kind: 'embedded', shownPath: 'pkgs/ssl' },
    });
    expect(definitions.packages.map(({ name }) => name)).toEqual(['dev-libs/openssl', 'sys-apps/baselayout', NGINX]);
  });

  test('nothing is built for a test alone: its dependencies are packages of Debian', async () => {
    const withTest = (atom: string) =>
      readFiles({ 'pkgs/nginx/pkg.yaml': `name: a/b\nversion: 1\nclass: none\ndependencies: {test: [${atom}]}\n` });
    const { packages } = await withTest('debian/dash');
    expect(packages.find(({ name }) => name === 'a/b')?.dependencies.test).toEqual([
      { category: 'debian', name: 'dash' },
    ]);
    await expect(withTest('dev-libs/openssl')).rejects.toMatchObject({
      code: 'definition-invalid',
      message: expect.stringContaining('expected a Debian package such as debian/dash, found "dev-libs/openssl"'),
    });
  });
});

describe('a recipe', () => {
  const pkg = (text: string, files: Files = {}) => readFiles({ 'pkgs/nginx/pkg.yaml': text, ...files });

  test.each([
    ['autotools', 'configure,build,check,install,licenses,strip', []],
    ['make', 'build,check,install,licenses,strip', []],
    ['cmake', 'configure,build,check,install,licenses,strip', ['cmake', 'ninja-build']],
    ['meson', 'configure,build,check,install,licenses,strip', ['meson', 'ninja-build', 'pkgconf']],
    ['none', 'licenses,strip', []],
  ])('of class %s has its phases and tools', async (name, phases, tools) => {
    const found = packageOf(await pkg(`name: a/b\nversion: 1\nclass: ${name}\n`), 'a/b');
    expect(
      Object.keys(found.phases)
        .filter((phase) => phase !== 'prepare')
        .join(','),
    ).toBe(phases);
    expect(found.dependencies.build).toEqual(tools.map((tool) => ({ category: 'debian', name: tool })));
    expect(found.environment.CFLAGS).toContain('-ffile-prefix-map=');
  });

  test('replaces phases of its class, and leaves out those that are none', async () => {
    const found = packageOf(
      await pkg(`name: a/b
version: 1.10
class: autotools
phases:
  prepare: none
  configure: ./setup {{version}} {{name}} {{triplet}} "\${HOME}" \\{{x}}
  check: none
`),
      'a/b',
    );
    expect(Object.keys(found.phases)).toEqual(['configure', 'build', 'install', 'licenses', 'strip']);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's variable
    expect(found.phases.configure).toBe('./setup 1.10 b x86_64-linux-gnu "${HOME}" {{x}}');
  });

  test('hashes sources of its own directory and pairs digests with the others', async () => {
    const found = packageOf(
      await pkg(
        `name: a/b
versions:
  2: {sha256: [${DIGEST}, ${'a'.repeat(64)}]}
  1: {sha256: [${'b'.repeat(64)}, ${'c'.repeat(64)}]}
source:
  - https://x.org/a%2B{{version}}.tar.xz
  - {file: ./own.c, unpack: no, directory: extra}
  - {mirrors: [{debian: bb}], filename: "b_{{version}}.orig.tar.gz", strip: 0, directory: ./b/}
class: none
root: minimal
`,
        { 'pkgs/nginx/own.c': 'int main;' },
      ),
      'a/b',
    );
    expect(found.root).toBe('minimal');
    expect(found.sources).toMatchObject([
      { fileName: 'a+2.tar.xz', sha256: DIGEST, action: 'unpack' },
      {
        location: { kind: 'file' },
        fileName: 'own.c',
        sha256: 'd0044c695f618c01506cfe1ea63eb15ba1150c21fcc302d40acea345fd4710fa',
        action: 'keep',
        directory: 'extra',
      },
      { location: { urls: [] }, fileName: 'b_2.orig.tar.gz', sha256: 'a'.repeat(64), strip: 0, directory: 'b' },
    ]);
  });

  test.each([
    ['{file: ./x-1.tar.lz}', { 'pkgs/nginx/x-1.tar.lz': 'LZIP' }, /found data compressed by lzip/],
    ['{file: ./v1.0}', { 'pkgs/nginx/v1.0': 'PK\u0003\u0004' }, /tells whether it is unpacked, found a zip archive/],
    [`{url: "https://x.org/x.7z", sha256: ${DIGEST}}`, {}, /found an archive of 7-Zip/],
  ])('refuses an archive that would be kept without a decision: %s', async (source, files, message) => {
    const text = (rest: string) =>
      `name: a/b\nversion: 1\nclass: none\nroot: minimal\nsource: ${source.slice(0, -1)}${rest}}\n`;
    await expect(pkg(text(''), files)).rejects.toMatchObject({ message: expect.stringMatching(message) });
    const found = packageOf(await pkg(text(', unpack: false'), files), 'a/b');
    expect(found.sources[0]).toMatchObject({ action: 'keep' });
    expect(found.sources[0]).not.toHaveProperty('isUndecided');
  });

  test('keeps what is for people and for tests out of what it is made of', async () => {
    const found = packageOf(
      await pkg(`name: a/b
version: 1
class: none
replaces: [debian/gcc-12, debian/bb]
test: [{run: [/bin/b, -v], stdout: "b {{version}}"}]
update: {watch: [{html: "https://x.org/", pattern: 'b-(?<version>[\\d.]+)'}]}
security: {debian: b}
`),
      'a/b',
    );
    expect(found.tests).toMatchObject([{ action: { kind: 'run', command: ['/bin/b', '-v'] }, stdout: 'b 1' }]);
    expect(found.replaces).toEqual([
      { category: 'debian', name: 'bb' },
      { category: 'debian', name: 'gcc-12' },
    ]);
  });
});

describe('a base of its own', () => {
  const BASE = 'name: my/base\nversion: 12\nclass: none\nroot: minimal\nphases: {install: "true"}\n';
  const container = (base: string) => `---
- vars: {name: web, version: 1.0}
${base}- package: {type: embedded, path: ./pkgs/nginx}
- image: {type: oci}
`;
  const read = (base: string) => readFiles({ 'container.yaml': container(base), 'recipes/my/base/pkg.yaml': BASE });

  test('may be named with a version or a range, and is known by its name', async () => {
    for (const text of ['my/base', 'my/base-12', '"my/base>=11"']) {
      const { container: found, requested, packages } = await read(`- base: ${text}\n`);
      expect(found.base).toBe('my/base');
      expect(requested[0]).toBe('my/base');
      expect(packages.filter(({ replacesBase }) => replacesBase).map(({ name }) => name)).toEqual(['my/base']);
    }
    expect((await read('- base: none\n')).container.base).toBe(false);
  });

  test('is the only thing that marks a package: baselayout is known by its name', async () => {
    const { container: found, packages } = await read('');
    expect(found.base).toBe('sys-apps/baselayout');
    expect(packages.filter((one) => 'replacesBase' in one)).toEqual([]);
  });
});

describe('what a part of a package runs with', () => {
  const files: Files = {
    'pkgs/nginx/pkg.yaml': `name: app-misc/tool
version: 1
class: none
phases: {install: "true"}
subpackages: {doc: {files: ["usr/share/doc/**"], dependencies: {run: [dev-libs/openssl, debian/less]}}}
`,
  };

  test('is read and planned as what the package runs with', async () => {
    const definitions = await readFiles(files);
    expect(definitions.packages.map(({ name }) => name)).toContain('dev-libs/openssl');
    expect(containerWants(definitions, {}).image.map(({ name }) => name)).toContain('less');
    expect(containerWants(definitions, {}).additions).toContain('less');
  });

  test('is told with its place where it is nowhere', async () => {
    const wrong = { 'pkgs/nginx/pkg.yaml': String(files['pkgs/nginx/pkg.yaml']).replace('openssl', 'opensssl') };
    expect(await mistakesOf(project(wrong))).toEqual([expect.stringMatching(/pkgs\/nginx\/pkg\.yaml:5:.*openssl/)]);
  });
});

describe('what is read', () => {
  test('is witnessed: definitions, patches, files, and where a recipe might have been', async () => {
    const witness = createWitness();
    const directory = project({ 'pkgs/nginx/patches/a.patch': PATCH, 'pkgs/nginx/files/x': '' });
    await readProject(directory, { witness });
    const seen = witness.sightings().map(({ path }) => path.slice(directory.length + 1));
    for (const path of [
      'container.yaml',
      'pkgs/nginx/pkg.yaml',
      'pkgs/nginx/patches',
      'pkgs/nginx/patches/a.patch',
      'pkgs/nginx/files',
      'pkgs/nginx/files/x',
      'recipes/repository.yaml',
      'recipes/www-servers/nginx/pkg.yaml',
      'recipes/www-servers/nginx-1.22.1/pkg.yaml',
    ]) {
      expect(seen).toContain(path);
    }
  });
});

describe('cycles', () => {
  test('are printed as a path, at the place of the first step', async () => {
    const recipe = (name: string, needs: string) =>
      `name: a/${name}\nversion: 1\nclass: make\ndependencies:\n  link: [a/${needs}]\n`;
    const reading = readFiles({
      'pkgs/nginx/pkg.yaml': recipe('x', 'y'),
      'recipes/a/y/pkg.yaml': recipe('y', 'z'),
      'recipes/a/z/pkg.yaml': recipe('z', 'y'),
    });
    await expect(reading).rejects.toMatchObject({
      code: 'dependency-cycle',
      message: 'Cannot order the packages: expected no cycle, found a/y → a/z → a/y',
      position: { line: 5, column: 10 },
    });
  });

  test('is seen where a link leads, so that another target is noticed', async () => {
    const directory = project({
      'pkgs/nginx/pkg.yaml': 'base: www-servers/nginx\npatches: {patches/fix.patch: A fix}\n',
      'pkgs/nginx/patches/1.txt': PATCH,
      'pkgs/nginx/patches/2.txt': PATCH.replace('+b', '+c'),
    });
    const link = join(directory, 'pkgs/nginx/patches/fix.patch');
    symlinkSync('1.txt', link);
    const witness = createWitness();
    await readProject(directory, { witness });
    expect(witness.sightings().filter((sighting) => !looksUnchanged(sighting))).toEqual([]);
    unlinkSync(link);
    symlinkSync('2.txt', link);
    const changed = witness.sightings().filter((sighting) => !looksUnchanged(sighting));
    expect(changed.map(({ path }) => path)).toContain(link);
  });
});
