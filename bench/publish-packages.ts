import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MOST_TAIL_BYTES } from '../src/binhost/commit-entries.ts';
import { publishPackages as publish } from '../src/binhost/publish-packages.ts';
import { openFilePlace } from '../src/remote/open-file-place.ts';
import { openStore } from '../src/store/store.ts';
import { programCommand } from './support/buildit.ts';
import { compare, type Finding } from './support/comparison.ts';
import { entriesInTail, makeIndex } from './support/made-index.ts';
import { builderKey, builderOptions, type MadePackages, noisePackages } from './support/made-packages.ts';
import { interleave, type Series } from './support/measure.ts';
import { type Place, removeTree } from './support/place.ts';
import { type SshServer, startSshServer } from './support/remote-servers.ts';
import { runProgram } from './support/run-program.ts';

/** Packages that go over SSH to a host behind 100 ms. */
export async function publishPackages(place: Place, repetitions: number): Promise<readonly Finding[]> {
  const server = await startSshServer(place, 'publish-place');
  try {
    return [
      await besideScp(place, server, repetitions, {
        what: 'publishing one package of 300 MB',
        packages: await noisePackages(place, 'one-large', [300e6]),
        limit: 1 / 0.9,
      }),
      await besideScp(place, server, repetitions, {
        what: 'publishing 1,000 packages of 10 kB',
        packages: await noisePackages(
          place,
          'small',
          Array.from({ length: 1000 }, () => 8e3),
        ),
        limit: 1 / 5,
        partOfPeer: 50,
      }),
    ];
  } finally {
    await server.remove();
  }
}

interface ScpComparison {
  readonly what: string;
  readonly packages: MadePackages;
  readonly limit: number;
  /** scp copies the files of every so manieth package only; its time is taken so many times. */
  readonly partOfPeer?: number;
}

/** buildit into an empty place, and `scp -r` of the files that then lie there. */
async function besideScp(
  place: Place,
  server: SshServer,
  repetitions: number,
  { what, packages, limit, partOfPeer = 1 }: ScpComparison,
): Promise<Finding> {
  const some = { ...packages, records: packages.records.filter((_, index) => index % partOfPeer === 0) };
  const files = await publishedFiles(place, some);
  const name =
    partOfPeer === 1 ? '`scp -r` of the same files' : `\`scp -r\` of every ${partOfPeer}th, times ${partOfPeer}`;
  const [buildit, scp] = await interleave(
    [
      {
        name: 'buildit',
        prepare: () => void server.emptyDirectory('own'),
        run: () => runProgram(publishCommand(place, server, packages, 'own')),
      },
      {
        name,
        prepare: () => void server.emptyDirectory('peer'),
        run: () => runProgram(server.scp(files, 'peer')),
      },
    ],
    repetitions,
  );
  server.emptyDirectory('own');
  server.emptyDirectory('peer');
  return compare(what, buildit!, times(scp!, partOfPeer), limit);
}

/** Directories with the files that publishing puts to a place, but for the index. */
async function publishedFiles(place: Place, { store, records }: MadePackages): Promise<readonly string[]> {
  const directory = place.path('published');
  removeTree(directory);
  mkdirSync(directory);
  const packages = records.map((record) => ({ kind: 'own', record }) as const);
  await publish(await openStore(store), openFilePlace(directory), packages, builderOptions(place));
  return ['blobs', 'packages'].map((name) => join(directory, name));
}

function publishCommand(place: Place, server: SshServer, packages: MadePackages, directory: string) {
  const path = `${server.at}/${directory}`;
  return programCommand('publish-packages', packages.store, builderKey(place), server.home, path, packages.recordsFile);
}

function times({ name, wallMs, cpuMs }: Series, factor: number): Series {
  return { name, wallMs: wallMs.map((ms) => ms * factor), cpuMs: cpuMs.map((ms) => ms * factor) };
}

/** With another package the tail must not become too large: that would make one base of both parts. */
const ONE_ENTRY_BYTES = 256;

/** All that passes, both ways, less the files of the package, where the tail of the index is as large as it gets. */
export async function publishOnePackage(place: Place, repetitions: number): Promise<readonly Finding[]> {
  const server = await startSshServer(place, 'publish-one-place');
  try {
    return [await bytesMoved(place, server, repetitions)];
  } finally {
    await server.remove();
  }
}

async function bytesMoved(place: Place, server: SshServer, repetitions: number): Promise<Finding> {
  const one = await noisePackages(place, 'one-small', [8e3]);
  const files = (await publishedFiles(place, one)).flatMap(filesBelow);
  const own = files.reduce((sum, path) => sum + statSync(path).size, 0);
  const inTail = await entriesInTail(place, MOST_TAIL_BYTES - ONE_ENTRY_BYTES);
  const moved: number[] = [];
  for (let round = 0; round < repetitions; round += 1) {
    await makeIndex(place, server.emptyDirectory('full'), { inBase: 20_000 - inTail, inTail });
    server.adopt('full');
    const before = await server.proxy.bytes();
    runProgram(publishCommand(place, server, one, 'full'));
    moved.push((await server.proxy.bytes()) - before - own);
  }
  const what = 'publishing one package to a place of 20,000: bytes besides its own';
  return { what, amount: Math.max(...moved) / 1024, unit: 'KiB', limit: 64 };
}

function filesBelow(directory: string): readonly string[] {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => join(directory, path));
  return paths.filter((path) => statSync(path).isFile());
}
