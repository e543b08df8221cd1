import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { publishPackages } from '../src/binhost/publish-packages.ts';
import { sha256 } from '../src/model/digest.ts';
import { openFilePlace } from '../src/remote/open-file-place.ts';
import { openStore } from '../src/store/store.ts';
import { programCommand } from './support/buildit.ts';
import { compare, type Finding } from './support/comparison.ts';
import { builderKey, builderOptions, madePackages } from './support/made-packages.ts';
import { interleave } from './support/measure.ts';
import { type Place, removeTree } from './support/place.ts';
import { startWebServer } from './support/remote-servers.ts';
import { runProgram } from './support/run-program.ts';

const PACKAGES = 150;
/** Layers of 300 MB together: a few are large, most are small. */
const SIZES = Array.from({ length: PACKAGES }, (_, index) => Math.round(40e6 / (index + 1) ** 1.05 + 5e5));
/** Packages under way at the same time; the peer has as many connections as that makes. */
const AT_ONCE = 8;

/** Packages taken from a binhost behind 100 ms, beside a download of the same files that looks at nothing. */
export async function pullPackages(place: Place, repetitions: number): Promise<readonly Finding[]> {
  const packages = await madePackages(place, 'pulled', SIZES);
  const directory = place.path('pull-place');
  removeTree(directory);
  mkdirSync(directory);
  const own = packages.records.map((record) => ({ kind: 'own', record }) as const);
  await publishPackages(await openStore(packages.store), openFilePlace(directory), own, builderOptions(place));
  const hashesFile = place.path('pull-hashes.json');
  const filesFile = place.path('pull-files.json');
  writeFileSync(hashesFile, JSON.stringify(packages.records.map(({ hash }) => hash)));
  writeFileSync(filesFile, JSON.stringify(filesBelow(directory)));
  const server = await startWebServer(place, directory);
  const [store, target] = [place.path('pull-store'), place.path('pull-target')];
  const pull = [
    'pull-packages',
    store,
    builderKey(place),
    server.ca,
    server.delayed,
    hashesFile,
    String(AT_ONCE),
  ] as const;
  const download = ['download-files', target, server.ca, server.delayed, filesFile, String(2 * AT_ONCE)] as const;
  try {
    const [buildit, undici, verifying] = await interleave(
      [
        { name: 'taking them', prepare: () => removeTree(store), run: () => runProgram(programCommand(...pull)) },
        {
          name: 'undici alone, the same files',
          prepare: () => {
            removeTree(target);
            mkdirSync(target);
          },
          run: () => runProgram(programCommand(...download)),
        },
        { name: 'signatures and digests alone', run: verifier(place, directory) },
      ],
      repetitions,
    );
    removeTree(store);
    removeTree(target);
    const what = `${PACKAGES} packages of 300 MB`;
    return [
      compare(`verifying ${what}: signatures and digests alone`, verifying!, buildit!, 0.05),
      compare(`taking ${what}`, buildit!, undici!, undefined),
    ];
  } finally {
    await server.remove();
  }
}

/** All that taking the packages proves, in this process and one after the other, of files that are in memory. */
function verifier(place: Place, directory: string): () => void {
  const { policy } = builderOptions(place);
  const files = new Map(filesBelow(directory).map((path) => [path, readFileSync(join(directory, path))]));
  return () => {
    for (const [path, bytes] of files) {
      if (path.startsWith('blobs/')) {
        if (sha256(bytes) !== basename(path)) throw new Error(`${path} is damaged`);
      } else if (path.endsWith('.json')) {
        const signature = files.get(`${path}.sig`)!.toString();
        const verdict = policy.trust.judge(bytes, signature, { namespace: 'buildit-package', at: policy.now });
        if (verdict.kind !== 'trusted') throw new Error(`${path} is not trusted`);
      }
    }
  };
}

/** Relative to the directory, `/` between names. */
function filesBelow(directory: string): readonly string[] {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => /^(blobs|packages)\//.test(path) && statSync(join(directory, path)).isFile());
}
