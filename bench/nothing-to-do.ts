import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builditCommand, builtContainer } from './support/buildit.ts';
import { compare, type Finding } from './support/comparison.ts';
import { podmanBuild } from './support/engine-storage.ts';
import { interleave } from './support/measure.ts';
import type { Place } from './support/place.ts';
import { runProgram, runScript } from './support/run-program.ts';

/** A second run of a container whose images are there. */
export async function nothingToDo(place: Place, repetitions: number): Promise<readonly Finding[]> {
  const directory = builtContainer(place, 'examples/nginx-prod');
  const context = podmanContext(place, directory);
  const again = builditCommand(place, directory);
  const cached = podmanBuild(place, context, 'nothing-to-do');
  runProgram(again);
  runProgram(cached);
  const [buildit, node, podman] = await interleave(
    [
      { name: 'buildit', run: () => runProgram(again) },
      { name: '`node -e 0`', run: () => runProgram([process.execPath, '-e', '0']) },
      { name: '`podman build`, everything cached', run: () => runProgram(cached) },
    ],
    repetitions,
  );
  return [compare('nothing to do', buildit!, node!, 3), compare('nothing to do', buildit!, podman!, 1)];
}

/** The same image as a container file: a step for each layer. */
function podmanContext(place: Place, directory: string): string {
  const context = place.path('podman-nginx-prod', 'context');
  rmSync(context, { recursive: true, force: true });
  const layout = join(directory, 'out', 'oci');
  const layers = layerDigests(layout);
  for (const [index, digest] of layers.entries()) {
    const script = 'mkdir -p "$2" && zstd --decompress --stdout "$1" | tar --extract --no-same-owner --directory "$2"';
    runScript(script, [join(layout, 'blobs', 'sha256', digest), join(context, String(index))]);
  }
  const steps = layers.map((_, index) => `COPY ${index} /`);
  writeFileSync(
    join(context, 'Containerfile'),
    ['FROM scratch', ...steps, 'ENTRYPOINT ["/sbin/nginx"]', ''].join('\n'),
  );
  return context;
}

interface Described {
  readonly digest: string;
}

function layerDigests(layout: string): readonly string[] {
  const hex = ({ digest }: Described) => digest.replace('sha256:', '');
  const read = (path: string) => JSON.parse(readFileSync(join(layout, path), 'utf8'));
  const index = read('index.json') as { readonly manifests: readonly [Described] };
  const manifest = read(`blobs/sha256/${hex(index.manifests[0])}`) as { readonly layers: readonly Described[] };
  return manifest.layers.map(hex);
}
