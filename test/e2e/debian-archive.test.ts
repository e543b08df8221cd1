import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { openPlace, type Person } from './support/place.ts';
import { createPlainSystem, type PlainSystem } from './support/plain-system.ts';
import { runWithPodman } from './support/run-image.ts';
import { runInstalled } from './support/run-installed.ts';
import { archivedFiles, layoutFiles } from './support/unpacked-files.ts';

const BUILD_MS = 1_800_000;

/** tmux needs the locale of libc-bin; the others need not mind. */
const LOCALE_PACKAGE = '- package: {type: debian, name: libc-bin}';

/** A patch that changes nothing that is packed. */
const PATCH = '--- /dev/null\n+++ b/NOTE.own\n@@ -0,0 +1 @@\n+patched\n';

/** Source packages that have little in common: their programs, how those say what they are, and what they say. */
const SOURCES: readonly [name: string, command: readonly string[], says: RegExp][] = [
  ['curl', ['/usr/bin/curl', '--version'], /^curl 7\.88\.1 .*nghttp2/],
  ['dnsmasq', ['/usr/sbin/dnsmasq', '--version'], /^Dnsmasq version 2\./],
  ['haproxy', ['/usr/sbin/haproxy', '-vv'], /^HAProxy version 2\./],
  ['jq', ['/usr/bin/jq', '--null-input', '--compact-output', '[1,2]|map(.+1)'], /^\[2,3\]$/m],
  ['lighttpd', ['/usr/sbin/lighttpd', '-v'], /^lighttpd\/1\.4\./],
  ['memcached', ['/usr/bin/memcached', '--version'], /^memcached 1\.6\./],
  ['redis', ['/usr/bin/redis-server', '--version'], /^Redis server v=7\./],
  ['rsync', ['/usr/bin/rsync', '--version'], /^rsync +version 3\.2\./],
  ['sqlite3', ['/usr/bin/sqlite3', ':memory:', 'select 6*7'], /^42$/m],
  ['tmux', ['/usr/bin/tmux', '-V'], /^tmux 3\./],
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

const debian = requires('long tests', 'archive', 'user namespaces', 'podman', 'runc', 'root', 'mmdebstrap', 'zstd');

debian.describe('a source package of the archive with a trivial patch', () => {
  let plain: PlainSystem;

  beforeAll(() => {
    plain = createPlainSystem(place.path, 'bookworm');
  }, BUILD_MS);

  test.each(SOURCES)(
    '%s runs in an image, and its files are those that dpkg-buildpackage makes in a plain tree',
    async (name, command, says) => {
      const person = writeContainer(name, command);
      const built = await runInstalled({ installation: place.installation(), person, args: [name] });
      expect(built, built.stderr).toMatchObject({ exitCode: 0 });
      expect(runWithPodman(place.path, `oci:${join(person.container, 'out/oci')}:1`)).toMatch(says);

      const lock = JSON.parse(readFileSync(join(person.container, 'buildit.lock'), 'utf8'));
      const pin: SourcePin = lock.sources[name];
      const inImage = pin.binaries.filter((binary) => Object.hasOwn(lock.debian, binary));
      expect(inImage).toEqual(expect.arrayContaining([...(BINARIES[name] ?? [])]));
      expect(inImage.length).toBeGreaterThan(0);
      const ours = await layoutFiles(join(person.container, 'out/oci'));
      const theirs = plain.build({ name, version: pin.version, patch: PATCH });
      const differing: string[] = [];
      for (const binary of inImage) {
        const files = await archivedFiles(theirs.filesOf(binary));
        expect(files.size, binary).toBeGreaterThan(0);
        for (const [path, facts] of files) if (ours.get(path) !== facts) differing.push(`${binary}: ${path}`);
      }
      theirs.remove();
      expect(differing).toEqual([]);
    },
    BUILD_MS,
  );
});
