import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepSealed } from '../src/cache/local-seal.ts';
import { readDefinitions } from '../src/definition/read-definitions.ts';
import { keepLayer } from '../src/layer/keep-layer.ts';
import { fileMember, type TarMember } from '../src/layer/tar-member.ts';
import { readRepositoryLock } from '../src/lock/lock-file.ts';
import { prepareRun } from '../src/pipeline/prepare-run.ts';
import { createWitness } from '../src/system/witness.ts';
import { recordOf } from '../test/support/records.ts';
import { benchConfig, programCommand, REPOSITORY, silentContext } from './support/buildit.ts';
import { compare, type Finding } from './support/comparison.ts';
import { FIFTY, LARGE, type RepositoryShape, writeMadeRepository } from './support/made-repository.ts';
import { interleave } from './support/measure.ts';
import { peakMebibytes } from './support/peak-memory.ts';
import type { Place } from './support/place.ts';
import { runProgram } from './support/run-program.ts';

interface PlanResult {
  readonly ms: number;
  readonly kibibytes: number;
  readonly members: number;
  readonly packages: number;
}

/** Ordering and identifying 10,000 packages whose definitions are read: a process of its own each time. */
export async function planLargeRepository(place: Place, repetitions: number): Promise<readonly Finding[]> {
  const { directory, config } = await madeRepository(place, 'large', LARGE);
  const definitions = await readDefinitions(directory, { config });
  const { lock } = (await readRepositoryLock(`${REPOSITORY}/repos/main`))!;
  const input = place.path('large-definitions.json');
  const result = place.path('large-plan.json');
  const locks = { repositories: { main: lock }, container: NO_PINS };
  const values = [{ definitions: { ...definitions, packages: [] }, locks }, ...definitions.packages];
  writeFileSync(input, values.map((value) => `${JSON.stringify(value)}\n`).join(''));
  const plan = programCommand('create-plan', input, result);
  runProgram(plan);
  const results: PlanResult[] = [];
  const [buildit, hashing] = await interleave(
    [
      {
        name: 'buildit',
        run: () => runProgram(plan),
        after: () => {
          results.push(JSON.parse(readFileSync(result, 'utf8')) as PlanResult);
        },
      },
      {
        name: 'SHA-256 of the same roots, and nothing else',
        run: () => runProgram(programCommand('hash-roots', result)),
      },
    ],
    repetitions,
  );
  const { packages, members } = results[0]!;
  const what = `planning ${packages} packages, ${(members / 1e6).toFixed(1)} million members of roots`;
  const seconds = Math.min(...results.map(({ ms }) => ms)) / 1000;
  const mebibytes = Math.max(...results.map(({ kibibytes }) => kibibytes)) / 1024;
  return [
    { what, amount: seconds, unit: 's', limit: 1 },
    { what: `${what}: memory`, amount: mebibytes, unit: 'MiB', limit: 256 },
    compare(`${what}; with Node and reading their JSON`, buildit!, hashing!, undefined),
  ];
}

/** `buildit plan` of a container of 50 recipes that are all in the store. */
export async function planFiftyRecipes(place: Place, repetitions: number): Promise<readonly Finding[]> {
  const stored = await storedContainer(place, 'fifty', FIFTY);
  const [unchanged, changed, node] = await interleave(
    [
      { name: 'buildit', prepare: stored.plan, run: stored.plan },
      { name: 'buildit', prepare: stored.changeComment, run: stored.plan },
      { name: '`node -e 0`', run: startNode },
    ],
    repetitions,
  );
  const what = 'planning 50 recipes, everything stored';
  return [
    { what, amount: Math.min(...unchanged!.wallMs) / 1000, unit: 's', limit: 0.3 },
    compare(what, unchanged!, node!, 3),
    compare(`${what}, a comment of one changed`, changed!, node!, undefined),
  ];
}

/** The same of 10,000. */
export async function planLargeContainer(place: Place, repetitions: number): Promise<readonly Finding[]> {
  const stored = await storedContainer(place, 'large', LARGE);
  stored.plan();
  const [unchanged, node] = await interleave(
    [
      { name: 'buildit', run: stored.plan },
      { name: '`node -e 0`', run: startNode },
    ],
    repetitions,
  );
  const changed = await interleave([{ name: 'buildit', prepare: stored.changeComment, run: stored.plan }], 1);
  const what = 'planning 10,000 recipes, everything stored';
  return [
    { what, amount: Math.min(...unchanged!.wallMs) / 1000, unit: 's', limit: 1 },
    { what: `${what}: memory`, amount: peakMebibytes(place, stored.command), unit: 'MiB', limit: 256 },
    compare(what, unchanged!, node!, undefined),
    compare(`${what}, a comment of one changed`, changed[0]!, node!, undefined),
  ];
}

function startNode(): void {
  runProgram([process.execPath, '-e', '0']);
}

/** A container whose packages are all in the store. */
async function storedContainer(place: Place, name: string, shape: RepositoryShape) {
  const { directory, config } = await madeRepository(place, name, shape);
  await storeAll(directory, config);
  const command = [
    process.execPath,
    `${REPOSITORY}/bin/buildit.js`,
    ...['plan', '--exit-code', '--store', place.store, directory],
  ];
  const recipe = join(config.recipes[0]!.path, 'stack-0/package-0-0/pkg.yaml');
  let changes = 0;
  return {
    command,
    plan: () => runProgram(command),
    changeComment: () => {
      changes += 1;
      writeFileSync(recipe, `${readFileSync(recipe, 'utf8')}# change ${changes}\n`);
    },
  };
}

async function madeRepository(place: Place, name: string, shape: RepositoryShape) {
  const directory = writeMadeRepository(place, name, shape);
  const recipes = [{ name: 'main', path: place.path(name, 'recipes') }];
  return { directory, config: { ...(await benchConfig(place)), recipes } };
}

/** Keeps a record of every package, as if it had been built here: they have one small layer in common. */
async function storeAll(directory: string, config: Awaited<ReturnType<typeof benchConfig>>): Promise<void> {
  const { store, plan, sharing } = await prepareRun({
    ...{ directory, config, context: silentContext(), witness: createWitness() },
    ...{
      platform: undefined,
      locked: false,
      frozen: false,
      fromSource: false,
      binaryOnly: false,
      check: false,
      test: true,
    },
    ...{ outputs: [], tag: [], push: false, discover: [] },
  });
  const layer = await keepLayer(store, oneFile(), {
    mtime: { kind: 'fixed', seconds: 1 },
    owner: 'root',
    encode: 'zstd',
  });
  for (const { name, version, hash } of plan.steps) {
    await keepSealed(store, recordOf(name, { name, version, hash, outputs: { main: layer } }), sharing.seal);
  }
  await sharing.close();
}

async function* oneFile(): AsyncGenerator<TarMember> {
  yield fileMember('usr/share/made', Buffer.from('made\n'));
}

const NO_PINS = { debian: {}, additions: {}, overrides: {}, patches: {} };
