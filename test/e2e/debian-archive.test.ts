import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { openPlace, type Person } from './support/place.ts';
import { runWithPodman } from './support/run-image.ts';
import { runInstalled } from './support/run-installed.ts';
import { archivedFiles, layoutFiles } from './support/unpacked-files.ts';

const BUILD_MS = 1_800_000;

/** tmux needs the locale of libc-bin; the others need not mind. */
const LOCALE_PACKAGE = '- package: {type: debian, name: libc-bin}';

/** A patch that changes nothing that is packed: what comes out must be what the archive has. */
const PATCH = '--- /dev/null\n+++ b/NOTE.own\n@@ -0,0 +1 @@\n+patched\n';

/**
 * Source packages that have little in common: their programs, how those say what they are, and what they say. Those whose
 * published programs were made by an older compiler than the archive has now differ in them, and in nothing else.
 */
const SOURCES: readonly [name: string, command: readonly string[], says: RegExp, byOlderCompiler?: true][] = [
  ['curl', ['/usr/bin/curl', '--version'], /^curl 7\.88\.1 .*nghttp2/],
  ['dnsmasq', ['/usr/sbin/dnsmasq', '--version'], /^Dnsmasq version 2\./],
  ['haproxy', ['/usr/sbin/haproxy', '-vv'], /^HAProxy version 2\./, true],
  ['jq', ['/usr/bin/jq', '--null-input', '--compact-output', '[1,2]|map(.+1)'], /^\[2,3\]$/m],
  ['lighttpd', ['/usr/sbin/lighttpd', '-v'], /^lighttpd\/1\.4\./, true],
  ['memcached', ['/usr/bin/memcached', '--version'], /^memcached 1\.6\./, true],
  ['redis', ['/usr/bin/redis-server', '--version'], /^Redis server v=7\./, true],
  ['rsync', ['/usr/bin/rsync', '--version'], /^rsync +version 3\.2\./],
  ['sqlite3', ['/usr/bin/sqlite3', ':memory:', 'select 6*7'], /^42$/m],
  ['tmux', ['/usr/bin/tmux', '-V'], /^tmux 3\./, true],
];

/** The binary packages that are asked for, where they are called otherwise. */
const BINARIES: Readonly<Record<string, readonly string[]>> = { redis: ['redis-server', 'redis-tools'] };

const place = openPlace();

function writeContainer(name: string, command: readonly string[]): Person {
  const home = join(place.path, name);
  const container = join(home, name);
  mkdirSync(join(container, 'pkgs', name, 'patches'), { recursive: true });
  writeFileSync(join(container, 'pkgs', name, 'patches/own.patch'), PATCH);
  const binaries = BINARIES[name];
  const lines = [`base: debian/${name}`, ...(binaries ? [`subpackages: [${binaries.join(', ')}]`] : [])];
  writeFileSync(join(container, 'pkgs', name, 'pkg.yaml'), `---\n${lines.join('\n')}\n`);
  writeFileSync(
    join(container, 'container.yaml'),
    `---
- vars: {name: own-${name}, version: 1, os: linux, arch: amd64}
- package: {type: embedded, path: ./pkgs/${name}}
${LOCALE_PACKAGE}
- image: {type: oci, config: {environment: {LC_ALL: C.UTF-8}, entrypoint: ${JSON.stringify(command)}}}
`,
  );
  // What one has fetched serves the next.
  return { user: undefined, home, store: join(place.path, 'store'), container };
}

interface SourcePin {
  readonly version: string;
  readonly binaries: readonly string[];
}

requires('long tests', 'archive', 'user namespaces', 'podman', 'runc', 'root', 'apt-get', 'dpkg-deb', 'zstd').describe(
  'a source package of the archive with a patch that changes nothing',
  () => {
    test.each(SOURCES)(
      '%s runs in an image, and its files are those of the published packages',
      async (name, command, says, byOlderCompiler = undefined) => {
        const person = writeContainer(name, command);
        const built = await runInstalled({ installation: place.installation(), person, args: [name] });
        expect(built, built.stderr).toMatchObject({ exitCode: 0 });
        expect(runWithPodman(place.path, `oci:${join(person.container, 'out/oci')}:1`)).toMatch(says);

        const lock = JSON.parse(readFileSync(join(person.container, 'buildit.lock'), 'utf8'));
        const ours = await layoutFiles(join(person.container, 'out/oci'));
        const pin: SourcePin = lock.sources[name];
        const inImage = pin.binaries.filter((binary) => Object.hasOwn(lock.debian, binary));
        expect(inImage).toEqual(expect.arrayContaining([...(BINARIES[name] ?? [])]));
        expect(inImage.length).toBeGreaterThan(0);
        for (const binary of inImage) {
          const theirs = await publishedFiles(binary, lock.debian[binary].version);
          const differing = [...theirs].filter(([path, digest]) => ours.get(path) !== digest).map(([path]) => path);
          const programs = differing.filter((path) => /^usr\/(s?bin|lib)\//.test(path) && ours.has(path));
          expect(differing, binary).toEqual(byOlderCompiler ? programs : []);
        }
      },
      BUILD_MS,
    );
  },
);

/** Type, mode and content of everything in a published package, by its path below a merged /usr. */
async function publishedFiles(binary: string, version: string): Promise<ReadonlyMap<string, string>> {
  const directory = mkdtempSync(join(place.path, 'published-'));
  try {
    execFileSync('apt-get', ['download', '-q', `${binary}=${version}`], { cwd: directory, stdio: 'pipe' });
    const deb = readdirSync(directory).find((file) => file.endsWith('.deb'))!;
    const tree = execFileSync('dpkg-deb', ['--fsys-tarfile', join(directory, deb)], {
      maxBuffer: 2 ** 30,
      stdio: 'pipe',
    });
    return await archivedFiles(tree);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
