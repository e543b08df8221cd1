import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { openPerson, openPlace, type Person } from './support/place.ts';
import { runWithPodman } from './support/run-image.ts';
import { type InstalledResult, runInstalled } from './support/run-installed.ts';

/** Sixty packages are fetched besides the toolchain, and configure takes its time. */
const BUILD_MS = 900_000;

const PATCH = `--- a/src/hello.c
+++ b/src/hello.c
@@ -57,7 +57,7 @@
 #endif
 
   /* Having initialized gettext, get the default message. */
-  greeting_msg = _("Hello, world!");
+  greeting_msg = "Hello, patched world!";
 
   /* Even exiting has subtleties.  On exit, if any writes failed, change
      the exit status.  The /dev/full device on GNU/Linux can be used for
`;

const place = openPlace();

/** A container of one Debian source package with one patch: what a person writes. */
function writeContainer(directory: string, name: string, patch: string): void {
  mkdirSync(join(directory, `pkgs/${name}/patches`), { recursive: true });
  writeFileSync(
    join(directory, 'container.yaml'),
    `---
- vars: {name: own-${name}, version: 1, os: linux, arch: amd64}
- package: {type: embedded, path: ./pkgs/${name}}
- image: {type: oci, config: {entrypoint: [/usr/bin/${name}]}}
`,
  );
  writeFileSync(join(directory, `pkgs/${name}/pkg.yaml`), `---\nbase: debian/${name}\n`);
  writeFileSync(join(directory, `pkgs/${name}/patches/own.patch`), patch);
}

requires('archive', 'user namespaces').describe('a Debian source package with a patch on top', () => {
  let person: Person;
  let built: InstalledResult;

  beforeAll(async () => {
    person = openPerson(place, 'somebody', 'hello', undefined);
    rmSync(person.container, { recursive: true });
    writeContainer(person.container, 'hello', PATCH);
    built = await runInstalled({ installation: place.installation(), person, args: ['hello/'] });
  }, BUILD_MS);

  test('is built in five lines, with its own patches and build dependencies', () => {
    expect(built, built.stderr).toMatchObject({ exitCode: 0 });
    expect(built.stdout).toContain("Processing package from './pkgs/hello' for linux/amd64.");
  });

  test('is pinned with its files and what it is built with, and the image holds what its package needs', () => {
    const lock = JSON.parse(readFileSync(join(person.container, 'buildit.lock'), 'utf8'));
    expect(lock.sources.hello).toMatchObject({ name: 'hello', format: '3.0 (quilt)', binaries: ['hello'] });
    expect(lock.sources.hello.buildDepends).toContain('debhelper');
    expect(Object.keys(lock.debian)).toEqual(expect.arrayContaining(['hello', 'libc6']));
  });

  test('is found the second time', async () => {
    const again = await runInstalled({
      installation: place.installation(),
      person,
      args: ['hello/', '--verify', '--locked', '--offline'],
    });
    expect(again, again.stderr).toMatchObject({ exitCode: 0 });
    expect(again.stdout).not.toContain('Defaulting to local build');
  });

  test('can be changed before anything was locked, and names what it has where the name is no binary package', async () => {
    const installation = place.installation();
    const fresh = join(person.container, '../fresh');
    writeContainer(fresh, 'hello', PATCH);
    const args = ['patch', 'new', '--no-shell', 'fresh/pkgs/hello', 'mine', '--author', 'A B <a@b.c>'];
    const opened = await runInstalled({ installation, person, args });
    expect(opened, opened.stderr).toMatchObject({ exitCode: 0 });
    expect(readdirSync(opened.stdout.trim())).toContain('configure.ac');
    expect(JSON.parse(readFileSync(join(fresh, 'buildit.lock'), 'utf8')).sources).toHaveProperty('hello');
    writeContainer(fresh, 'glibc', PATCH);
    const refused = await runInstalled({ installation, person, args: ['plan', 'fresh/'] });
    expect(refused).toMatchObject({ exitCode: 65, stderr: expect.stringContaining('subpackages: [') });
    expect(refused.stderr).toMatch(/glibc\/pkg\.yaml:2:1[\s\S]* libc6, /);
  });

  requires('podman', 'runc', 'root').test('gives an image that runs', () => {
    const layout = `oci:${join(person.container, 'out/oci')}:1`;
    expect(runWithPodman(place.path, layout)).toBe('Hello, patched world!\n');
  });

  requires('dpkg-buildpackage', 'dh', 'help2man', 'makeinfo', 'root').test(
    'holds the files that dpkg-buildpackage makes in a plain tree',
    async () => {
      const plain = mkdtempSync(join(tmpdir(), 'buildit-plain-'));
      try {
        const ours = unpackedByBuildit(person, plain);
        const theirs = unpackedByDpkg(person, plain);
        expect(filesOf(ours)).toEqual(filesOf(theirs));
      } finally {
        rmSync(plain, { recursive: true });
      }
    },
    BUILD_MS,
  );
});

/** The layer of the package in our image: the one that holds its program. */
function unpackedByBuildit({ container }: Person, plain: string): string {
  const target = join(plain, 'ours');
  mkdirSync(target);
  const blobs = join(container, 'out/oci/blobs/sha256');
  for (const blob of readdirSync(blobs)) {
    const names = tar(['--list', '--zstd', '--file', join(blobs, blob)]);
    if (!names.includes('usr/bin/hello\n')) continue;
    tar(['--extract', '--zstd', '--file', join(blobs, blob), '--directory', target, '--exclude=var/lib/dpkg']);
    rmSync(join(target, 'var'), { recursive: true, force: true });
    return target;
  }
  throw new Error('no layer of the image holds /usr/bin/hello');
}

function tar(args: readonly string[]): string {
  try {
    return execFileSync('tar', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

/** As a person would who has the same sources: unpack, apply Debian's patches and ours, build, unpack the package. */
function unpackedByDpkg({ store, container }: Person, plain: string): string {
  const { sources } = JSON.parse(readFileSync(join(container, 'buildit.lock'), 'utf8'));
  const tree = join(plain, 'hello-2.10');
  mkdirSync(tree);
  for (const { path, sha256 } of sources.hello.files) {
    const blob = join(store, 'blobs/sha256', sha256.slice(0, 2), sha256);
    const isDebian = path.includes('.debian.');
    execFileSync('tar', [
      '--extract',
      '--file',
      blob,
      '--directory',
      tree,
      ...(isDebian ? [] : ['--strip-components=1']),
    ]);
  }
  cpSync(join(container, 'pkgs/hello/patches/own.patch'), join(plain, 'own.patch'));
  execFileSync('dpkg-source', ['--before-build', '.'], { cwd: tree, stdio: 'ignore' });
  execFileSync('patch', ['-p1', '-i', '../own.patch'], { cwd: tree, stdio: 'ignore' });
  const environment = { PATH: process.env.PATH, DEB_BUILD_OPTIONS: 'nocheck', LC_ALL: 'C.UTF-8', HOME: plain };
  execFileSync('dpkg-buildpackage', ['--build=binary', '--no-sign', '--no-check-builddeps'], {
    cwd: tree,
    env: environment,
    stdio: 'ignore',
  });
  const deb = readdirSync(plain).find((name) => /^hello_.*\.deb$/.test(name))!;
  execFileSync('dpkg-deb', ['--extract', join(plain, deb), join(plain, 'theirs')]);
  return join(plain, 'theirs');
}

function filesOf(directory: string): string {
  return execFileSync('sh', ['-c', 'find . ! -type d -exec sha256sum {} + | sort -k 2'], {
    cwd: directory,
    encoding: 'utf8',
  });
}
