import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { builditCommand, builtContainer, forgetImages } from './support/buildit.ts';
import { compare, type Finding } from './support/comparison.ts';
import { debTrees, imagePins } from './support/debian-packages.ts';
import { podmanBuild, removeStorage, storageArguments } from './support/engine-storage.ts';
import { interleave } from './support/measure.ts';
import { peakMebibytes } from './support/peak-memory.ts';
import { type Place, removeTree } from './support/place.ts';
import { runProgram, runScript } from './support/run-program.ts';

/** An image of 150 Debian packages that the store holds. */
export async function assembleImage(place: Place, repetitions: number): Promise<readonly Finding[]> {
  const directory = builtContainer(place, 'bench/containers/debian-150');
  const trees = await debTrees(place, await imagePins(directory));
  const own = builditCommand(place, directory);
  const [buildit, umoci, buildah] = await interleave(
    [
      { name: 'buildit', prepare: () => forgetImages(place, directory), run: () => runProgram(own) },
      umociContender(place, trees),
      buildahContender(place, trees),
    ],
    repetitions,
  );
  const what = `assembling an image of ${trees.length} packages`;
  forgetImages(place, directory);
  const peak = peakMebibytes(place, builditCommand(place, directory));
  return [
    compare(what, buildit!, umoci!, 0.15),
    compare(what, buildit!, buildah!, 0.06),
    { what: `${what}: largest memory`, amount: peak, unit: 'MiB', limit: 256 },
    ...(await nothingChanged(place, directory, trees, repetitions)),
  ];
}

async function nothingChanged(
  place: Place,
  directory: string,
  trees: readonly string[],
  repetitions: number,
): Promise<readonly Finding[]> {
  const cached = podmanBuild(place, podmanContext(place, trees), 'debian-150');
  const own = builditCommand(place, directory);
  runProgram(own);
  runProgram(cached);
  const [again, restored, podman] = await interleave(
    [
      { name: 'buildit', run: () => runProgram(own) },
      { name: 'buildit', prepare: () => forgetImages(place, directory), run: () => runProgram(own) },
      { name: '`podman build --layers`, nothing changed', run: () => runProgram(cached) },
    ],
    repetitions,
  );
  removeStorage(place, 'podman');
  const what = `an image of ${trees.length} packages`;
  return [
    compare(`${what}, nothing changed`, again!, podman!, 0.1),
    compare(`${what}, assembled again`, restored!, podman!, 0.1),
  ];
}

/** A layer for each package, as buildit writes it. */
function umociContender(place: Place, trees: readonly string[]) {
  const layout = place.path('umoci-layout');
  const rootless = process.getuid?.() === 0 ? '' : '--rootless';
  const script = `
    layout=$1; shift
    umoci init --layout "$layout"
    umoci new --image "$layout:bench"
    for tree; do umoci insert ${rootless} --image "$layout:bench" "$tree" /; done`;
  return {
    name: '`umoci insert` of each package',
    prepare: () => removeTree(layout),
    run: () => runScript(script, [layout, ...trees]),
  };
}

function buildahContender(place: Place, trees: readonly string[]) {
  const layout = place.path('buildah-layout');
  const script = `
    layout=$1; shift
    buildah() { command buildah ${storageArguments(place, 'buildah').join(' ')} "$@"; }
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$@" /
    buildah commit --quiet "$container" "oci:$layout:bench"
    buildah rm "$container"`;
  return {
    name: '`buildah add` and `commit`',
    prepare: () => removeTree(layout),
    run: () => runScript(script, [layout, ...trees]),
  };
}

/** Engines start no image of more layers than this, so the smallest packages share steps, as they do with buildit. */
const MOST_STEPS = 100;

function podmanContext(place: Place, trees: readonly string[]): string {
  const context = place.path('podman-debian-150', 'context');
  removeTree(context);
  mkdirSync(context);
  runScript('context=$1; shift; cp --archive --link "$@" "$context"', [context, ...trees]);
  const names = trees.map((tree) => basename(tree));
  const steps = Array.from({ length: Math.min(MOST_STEPS, names.length) }, (_, step) => {
    const group = names.filter((_, index) => index % MOST_STEPS === step);
    return `COPY ${group.map((name) => `${name}/`).join(' ')} /`;
  });
  writeFileSync(join(context, 'Containerfile'), ['FROM scratch', ...steps, ''].join('\n'));
  return context;
}
