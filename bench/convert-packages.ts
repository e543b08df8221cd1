import { mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { builtContainer, programCommand } from './support/buildit.ts';
import { compare, type Finding } from './support/comparison.ts';
import { debFiles, imagePins, pinsFile, storeOfDebs } from './support/debian-packages.ts';
import { interleave } from './support/measure.ts';
import { type Place, removeTree } from './support/place.ts';
import { runProgram, runScript } from './support/run-program.ts';

/** 150 `.deb` files to layers: unpacked, checked, digested, listed and compressed. */
export async function convertPackages(place: Place, repetitions: number): Promise<readonly Finding[]> {
  const pins = await imagePins(builtContainer(place, 'bench/containers/debian-150'));
  const bySize = [...pins].sort((a, b) => b.size - a.size);
  const debs = await debFiles(place, bySize, 'debs');
  const files = bySize.map(({ name }) => readdirSync(debs).find((file) => file.startsWith(`${name}_`))!);
  const results = place.path('recompressed');
  const fresh = place.path('fresh-store');
  const convert = programCommand('convert-packages', fresh, pinsFile(place, pins, 'image.json'));
  const [buildit, shell] = await interleave(
    [
      {
        name: 'buildit',
        prepare: async () => {
          await storeOfDebs(place, pins, 'fresh-store');
        },
        run: () => runProgram(convert),
      },
      {
        name: '`xz -d \\| tee >(sha256sum) \\| zstd -3`',
        prepare: () => {
          removeTree(results);
          mkdirSync(results);
        },
        run: () => runScript(RECOMPRESS, [results, ...files.map((file) => join(debs, file))]),
      },
    ],
    repetitions,
  );
  removeTree(results);
  removeTree(fresh);
  return [compare(`converting ${pins.length} .deb files to layers`, buildit!, shell!, 1.3)];
}

/** As many files at once as there are processors, the largest first, which is buildit's order too. */
const RECOMPRESS = `
  export results=$1; shift
  one() {
    name=$(basename "$1" .deb)
    ar p "$1" data.tar.xz | xz -d | tee >(sha256sum > "$results/$name.sum") | zstd -q -3 -o "$results/$name.zst"
  }
  export -f one
  printf '%s\\0' "$@" | xargs -0 -n 1 -P ${availableParallelism()} bash -euo pipefail -c 'one "$1"' one`;
