import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** A Debian system, made by Debian's own tools, where packages are built as Debian documents it. */
export interface PlainSystem {
  /** Builds a source package with a patch in it, in a fresh copy of the system. */
  build(source: { readonly name: string; readonly version: string; readonly patch: string }): PlainBuild;
}

export interface PlainBuild {
  /** The archive of the files in a binary package. */
  filesOf(binary: string): Uint8Array;
  remove(): void;
}

/** Needs root, mmdebstrap and the host's apt configuration, whose archive it takes. */
export function createPlainSystem(directory: string, suite: string): PlainSystem {
  const list = join(directory, 'plain.list');
  const system = join(directory, 'plain');
  // As the root of a build: headers of updates would be other debug information, and so another build ID.
  const binary = aptLines('deb').filter((line) => line.split(' ')[2] === suite);
  writeFileSync(list, [...binary, ...aptLines('deb-src')].join(''));
  const variant = ['--variant=buildd', '--include=fakeroot', '--skip=check/qemu'];
  execFileSync('mmdebstrap', [...variant, suite, system, list], { stdio: 'pipe' });
  return {
    build({ name, version, patch }) {
      // What one needs would be found by the next.
      const root = join(directory, `plain-${name}`);
      execFileSync('cp', ['--archive', system, root]);
      const place = join(root, 'build');
      mkdirSync(place);
      writeFileSync(join(place, 'own.patch'), patch);
      runInside(root, BUILD, [name, version, String(availableParallelism())]);
      const debs = readdirSync(place).filter((file) => file.endsWith('.deb'));
      const byName = new Map(debs.map((file) => [file.split('_')[0]!, join(place, file)]));
      return {
        filesOf: (binary) =>
          execFileSync('dpkg-deb', ['--fsys-tarfile', byName.get(binary)!], { maxBuffer: 2 ** 30, stdio: 'pipe' }),
        remove: () => execFileSync('rm', ['--recursive', '--force', '--one-file-system', root]),
      };
    },
  };
}

const BUILD = `
cd /build
apt-get update -q
apt-get source -q --only-source "$1=$2"
apt-get build-dep -qy --no-install-recommends "$1=$2"
cd "$1"-*/
patch -p1 <../own.patch
export DEB_BUILD_OPTIONS="nocheck parallel=$3"
dpkg-buildpackage --build=binary --no-sign
`;

/** What the host's apt takes packages from, as lines of a sources.list. */
function aptLines(kind: string): readonly string[] {
  const format = `${kind} $(SITE) $(RELEASE) $(COMPONENT)`;
  const text = execFileSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    encoding: 'utf8',
  });
  return [...new Set(text.trim().split('\n'))].map((line) => `${line}\n`);
}

/** In namespaces of its own, so that nothing stays mounted. */
function runInside(root: string, script: string, parameters: readonly string[]): void {
  const enter =
    'mount --rbind /dev "$0/dev"; mount -t proc proc "$0/proc"; exec chroot "$0" bash -euo pipefail -c "$@"';
  execFileSync(
    'unshare',
    [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      'bash',
      '-euo',
      'pipefail',
      '-c',
      enter,
      root,
      script,
      'build',
      ...parameters,
    ],
    {
      // A proxy of the host's is needed inside too.
      env: {
        ...proxies(),
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: '/root',
        LC_ALL: 'C.UTF-8',
        DEBIAN_FRONTEND: 'noninteractive',
      },
      maxBuffer: 2 ** 28,
      stdio: 'pipe',
    },
  );
}

function proxies(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => /_proxy$/i.test(name)));
}
