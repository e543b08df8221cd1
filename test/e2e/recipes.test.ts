import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { debianDependencies } from '../../src/definition/debian-dependencies.ts';
import { readDefinitions } from '../../src/definition/read-definitions.ts';
import { readRepository } from '../../src/definition/read-repository.ts';
import { readRepositoryLock } from '../../src/lock/lock-file.ts';
import { settleContainerLock } from '../../src/lock/settle-container-lock.ts';
import { repositoryWants } from '../../src/lock/settle-repository-lock.ts';
import type { Definitions } from '../../src/model/container.ts';
import type { DebianSet } from '../../src/model/lock.ts';
import { generatedFilesDigest, SANDBOX_CONTRACT_VERSION } from '../../src/model/sandbox-contract.ts';
import { createPlan } from '../../src/plan/create-plan.ts';
import { reachable } from '../../src/plan/order-packages.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { AS_IS } from './support/build-varied.ts';
import { type FlagChoice, MAIN, shippedRecipes, writeEverything } from './support/every-recipe.ts';
import { imageDigests } from './support/image-digests.ts';
import { openPlace } from './support/place.ts';
import { type InstalledResult, runInstalled } from './support/run-installed.ts';
import { giveTo, ordinaryUser } from './support/users.ts';
import { allAtOnce, VARIATIONS, type Variation } from './support/variations.ts';

const config = { recipes: [{ name: 'main', path: MAIN }], use: { with: [], without: [] } };
const platform = { os: 'linux', architecture: 'amd64' } as const;
const CHOICES: readonly FlagChoice[] = ['as they are', 'all on', 'all off'];
const EVERYTHING_MS = 7_200_000;

const place = openPlace();

function read(directory: string): Promise<Definitions> {
  return readDefinitions(directory, { config, platform });
}

/** The container's packages as the repository's own lock has them, which the same suite gives an image too. */
async function planWithCommittedLock(definitions: Definitions) {
  const { lock, digest } = (await readRepositoryLock(MAIN))!;
  const resolve = async ({ wants }: { readonly wants: readonly { readonly name: string }[] }): Promise<DebianSet> => {
    const names = reachable(
      wants.map(({ name }) => name),
      (name) => lock.roots[name]?.depends ?? [],
    );
    return Object.fromEntries(names.map((name) => [name, lock.roots[name]!]));
  };
  const settled = await settleContainerLock(definitions, {
    existing: undefined,
    repositoryLocks: { main: { lock, digest } },
    mode: { kind: 'use' },
    services: {
      resolveImage: resolve,
      resolveRoots: async ({ wants }) => ({ set: await resolve({ wants }), sources: [] }),
      pinPatch: () => Promise.reject(new Error('A shipped recipe needs a patch from elsewhere')),
    },
  });
  const sandbox = { contract: SANDBOX_CONTRACT_VERSION, generatedFiles: generatedFilesDigest() };
  const plan = createPlan(definitions, { repositories: { main: lock }, container: settled.lock }, sandbox);
  return { plan, container: settled.lock, roots: lock.roots };
}

describe('the shipped recipes', () => {
  test.each(CHOICES)('resolve and plan with the committed lock, every version of each, flags %s', async (flags) => {
    const directories = writeEverything(temporaryDirectory(), flags);
    const planned = new Set<string>();
    for (const directory of directories) {
      const definitions = await read(directory);
      const { plan, container } = await planWithCommittedLock(definitions);
      for (const { name, version } of plan.steps) planned.add(`${name}-${version}`);
      expect(container.additions, 'the repository lacks what its recipes need').toEqual({});
      expect(Object.values(container.debian)).not.toContain(undefined);
    }
    const all = shippedRecipes().flatMap(({ name, versions }) => versions.map((version) => `${name}-${version}`));
    expect([...planned].sort()).toEqual([...new Set(all)].sort());
  });

  test('have other HASHes with all flags on than with all off, where they have flags', async () => {
    const hashes = async (flags: FlagChoice) => {
      const [directory] = writeEverything(temporaryDirectory(), flags);
      const { plan } = await planWithCommittedLock(await read(directory!));
      return new Map(plan.steps.map(({ name, hash }) => [name, hash]));
    };
    const [on, off] = [await hashes('all on'), await hashes('all off')];
    const same = shippedRecipes().filter(({ name }) => on.get(name) === off.get(name));
    expect(same.filter(({ flags }) => flags.length > 0)).toEqual([]);
    expect(same.length).toBeGreaterThan(0);
  });

  test('say under which licence their files are, and what they are', async () => {
    const [directory] = writeEverything(temporaryDirectory());
    const { packages } = await read(directory!);
    expect(packages.filter(({ license, description }) => !license || !description).map(({ name }) => name)).toEqual([]);
  });

  test('name no Debian package that the committed lock lacks, and the lock none that nobody names', async () => {
    const main = await readRepository(MAIN);
    const { lock } = (await readRepositoryLock(MAIN))!;
    expect(lock.wanted).toEqual(repositoryWants(main, await debianDependencies(main)));
    expect(lock.wanted.filter((name) => !Object.hasOwn(lock.roots, name))).toEqual([]);
    const essential = Object.values(lock.roots).flatMap((pin) => (pin.essential ? [pin.name] : []));
    const needed = reachable([...lock.wanted, ...essential], (name) => lock.roots[name]!.depends);
    expect(Object.keys(lock.roots).sort()).toEqual(needed);
  });

  test('are locked to main alone: versions of updates and security vanish', async () => {
    const { lock } = (await readRepositoryLock(MAIN))!;
    expect([...new Set(Object.values(lock.roots).map(({ suite }) => suite))]).toEqual(['bookworm']);
    expect([...new Set(Object.values(lock.roots).map(({ archive }) => archive))]).toEqual(['debian']);
    expect(Object.values(lock.roots).filter(({ path }) => !path.startsWith('pool/main/'))).toEqual([]);
  });
});

/** What every run of the tests builds: one recipe of each class that needs no large compiler and no registry. */
const FEW = ['app-text/tree', 'dev-libs/libyaml', 'sys-process/tini', 'app-misc/ack', 'dev-perl/file-next'];
const isLong = process.env.BUILDIT_LONG_TESTS === '1';
/** BUILDIT_RECIPES=app-text/tree,sys-process/tini builds those alone. */
const names = process.env.BUILDIT_RECIPES?.split(',') ?? (isLong ? undefined : FEW);
const everything = allAtOnce(
  'for somebody else, elsewhere and later, to the same bytes',
  VARIATIONS.filter(({ title }) => isLong || !title.includes('Node')),
);

requires('archive', 'user namespaces', 'bwrap', 'tar', 'setpriv', 'unshare', ...everything.needs).describe(
  names === undefined ? 'all recipes build' : 'some recipes build',
  () => {
    let first: RecipeBuilder;

    beforeAll(async () => {
      first = openBuilder('somebody', AS_IS);
      await first.build();
    }, EVERYTHING_MS);

    test(
      everything.title,
      async () => {
        const other = openBuilder('somebody else', everything);
        await other.build();
        expect(other.digests()).toEqual(first.digests());
      },
      EVERYTHING_MS,
    );

    test('and pass their own tests again from what was built', async () => {
      let tested = 0;
      for (const container of first.containers) {
        const again = await first.run(['test', '--json', container]);
        expect(again, again.stderr).toMatchObject({ exitCode: 0 });
        for (const { tests } of JSON.parse(again.stdout).tested) tested += tests.length;
      }
      expect(tested).toBeGreaterThan((names ?? shippedRecipes()).length / 2);
    }, 600_000);
  },
);

interface RecipeBuilder {
  readonly containers: readonly string[];
  run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<InstalledResult>;
  build(): Promise<void>;
  digests(): readonly unknown[];
}

/** Somebody with containers of the recipes and an empty store, on a machine that differs from this one. */
function openBuilder(name: string, variation: Variation): RecipeBuilder {
  const home = join(place.path, variation.names?.home ?? '', name);
  mkdirSync(home, { recursive: true });
  const containers = writeEverything(home, 'as they are', names);
  const user = variation.isOtherUser === true ? ordinaryUser(1) : undefined;
  giveTo(user, home);
  const person = { user, home, store: join(home, 'store'), container: containers[0]! };
  const { args: extra = [], ...changes } = variation.changes(place);
  const installation = place.installation(variation.names?.installation);
  const run: RecipeBuilder['run'] = (args, environment = changes.environment ?? {}) =>
    runInstalled({ installation, person, ...changes, environment, args });
  return {
    containers,
    run,
    async build() {
      const isLater = variation.isLater === true;
      for (const container of isLater ? containers : []) {
        const fetched = await run(['fetch', container], {});
        expect(fetched, fetched.stderr).toMatchObject({ exitCode: 0 });
      }
      const built = await run(['build', ...(isLater ? ['--offline'] : []), ...extra, ...containers]);
      expect(built, built.stderr).toMatchObject({ exitCode: 0 });
    },
    digests: () => containers.map((container) => imageDigests({ container })),
  };
}
