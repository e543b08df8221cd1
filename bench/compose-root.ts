import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256 } from '../src/model/digest.ts';
import type { DebianPin } from '../src/model/lock.ts';
import { programCommand } from './support/buildit.ts';
import { compare, type Finding } from './support/comparison.ts';
import { debFiles, debTrees, pinsFile, toolchainPins } from './support/debian-packages.ts';
import { interleave } from './support/measure.ts';
import { type Place, removeTree } from './support/place.ts';
import { runProgram, runScript } from './support/run-program.ts';

/** The root of a build: Essential and build-essential. */
export async function composeBuildRoot(place: Place, repetitions: number): Promise<readonly Finding[]> {
  const pins = await toolchainPins();
  const trees = await debTrees(place, pins);
  const compose = programCommand('compose-root', place.store, pinsFile(place, pins, 'toolchain.json'));
  const mirror = await localMirror(place, pins);
  const target = place.path('mmdebstrap-root');
  const [buildit, mmdebstrap] = await interleave(
    [
      {
        name: 'buildit',
        prepare: () => rmSync(join(place.store, 'roots'), { recursive: true, force: true }),
        run: () => runProgram(compose),
      },
      {
        name: '`mmdebstrap` from a local mirror',
        prepare: () => removeTree(target),
        run: () => runProgram(mmdebstrapCommand(mirror, target)),
      },
    ],
    repetitions,
  );
  removeTree(target);
  return [compare(`composing a build root of ${trees.length} packages`, buildit!, mmdebstrap!, 0.1)];
}

/** A mirror that apt can read: the same packages, an index of them, and a Release that says which suite they are. */
async function localMirror(place: Place, pins: readonly DebianPin[]): Promise<string> {
  const mirror = await debFiles(place, pins, 'mirror');
  const index = `main/binary-${pins.find(({ architecture }) => architecture !== 'all')!.architecture}/Packages`;
  const suite = join(mirror, 'dists', 'bookworm');
  mkdirSync(dirname(join(suite, index)), { recursive: true });
  runScript('dpkg-scanpackages --multiversion . > "$1"', [join(suite, index)], { cwd: mirror });
  const packages = readFileSync(join(suite, index));
  const release = ['Suite: bookworm', 'Codename: bookworm', 'Date: Thu, 01 Jan 2026 00:00:00 UTC', 'Components: main'];
  const entry = ['SHA256:', ` ${sha256(packages)} ${packages.length} ${index}`];
  writeFileSync(join(suite, 'Release'), [...release, ...entry, ''].join('\n'));
  return mirror;
}

function mmdebstrapCommand(mirror: string, target: string): readonly string[] {
  const mode = process.getuid?.() === 0 ? 'root' : 'unshare';
  return [
    'mmdebstrap',
    `--mode=${mode}`,
    '--variant=essential',
    '--include=usr-is-merged,build-essential',
    '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
    'bookworm',
    target,
    `deb [trusted=yes] copy:${mirror} bookworm main`,
  ];
}
