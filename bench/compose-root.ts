import { rmSync } from 'node:fs';
import { join } from 'node:path';
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
  const mirror = await localMirror(place);
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

/** A mirror that apt can read: the same packages and an index of them. */
async function localMirror(place: Place): Promise<string> {
  const mirror = await debFiles(place, await toolchainPins(), 'mirror');
  runScript('dpkg-scanpackages --multiversion . > Packages', [], { cwd: mirror });
  return mirror;
}

function mmdebstrapCommand(mirror: string, target: string): readonly string[] {
  const mode = process.getuid?.() === 0 ? 'root' : 'unshare';
  return [
    'mmdebstrap',
    `--mode=${mode}`,
    '--variant=essential',
    '--include=usr-is-merged,build-essential',
    'bookworm',
    target,
    `deb [trusted=yes] copy:${mirror} ./`,
  ];
}
