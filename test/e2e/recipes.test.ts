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
import { type FlagChoice, MAIN, shippedRecipes, writeEverything } from './support/every-recipe.ts';
import { imageDigests } from './support/image-digests.ts';
import { openPlace, type Person } from './support/place.ts';
import { runInstalled } from './support/run-installed.ts';
import { giveTo, ordinaryUser, type User } from './support/users.ts';
import type { VariedRun } from './support/variations.ts';

const config = { recipes: [{ name: 'main', path: MAIN }], use: { with: [], without: [] } };
const platform = { os: 'linux', architecture: 'amd64' } as const;
const CHOICES: readonly FlagChoice[] = ['as they are', 'all on', 'all off'];
const EVERYTHING_MS = 3_600_000;

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

/** BUILDIT_RECIPES=app-text/tree,sys-process/tini builds those alone. */
const names = process.env.BUILDIT_RECIPES?.split(',');

requires('long tests', 'archive', 'user namespaces', 'bwrap', 'tar').describe(
  names ? 'some recipes' : 'all recipes',
  () => {
    let first: RecipeBuilder;

    beforeAll(() => {
      first = openBuilder('somebody', undefined);
    });

    test(
      'build from an empty store, and for somebody else at another place to the same bytes',
      async () => {
        await first.build({});
        const user = process.getuid?.() === 0 ? ordinaryUser(1) : undefined;
        const other = openBuilder('Ein anderer Ort — with spaces, äöü', user);
        await other.build({
          umask: '077',
          hostName: 'another-machine.example',
          environment: {
            TZ: 'Pacific/Kiritimati',
            LANG: 'tr_TR.UTF-8',
            LC_ALL: 'tr_TR.UTF-8',
            CFLAGS: '-O0 -DSTRANGE=1',
          },
          args: ['--jobs', '1'],
        });
        expect(other.digests()).toEqual(first.digests());
      },
      2 * EVERYTHING_MS,
    );

    test('pass their own tests again from what was built', async () => {
      let tested = 0;
      for (const container of first.containers) {
        const again = await runInstalled({
          installation: place.installation(),
          person: { ...first.person, container },
          args: ['test', '--json', container],
        });
        expect(again, again.stderr).toMatchObject({ exitCode: 0 });
        for (const { tests } of JSON.parse(again.stdout).tested) tested += tests.length;
      }
      expect(tested).toBeGreaterThan((names ?? shippedRecipes()).length / 2);
    }, 600_000);
  },
);

interface RecipeBuilder {
  readonly person: Person;
  readonly containers: readonly string[];
  build(run: VariedRun): Promise<void>;
  digests(): readonly unknown[];
}

/** Somebody with containers of the recipes and an empty store. */
function openBuilder(name: string, user: User): RecipeBuilder {
  const home = join(place.path, name);
  mkdirSync(home);
  const containers = writeEverything(home, 'as they are', names);
  giveTo(user, home);
  const person = { user, home, store: join(home, 'store'), container: containers[0]! };
  return {
    person,
    containers,
    async build({ args = [], ...run }) {
      const built = await runInstalled({
        installation: place.installation(),
        person,
        ...run,
        args: ['build', ...args, ...containers],
      });
      expect(built, built.stderr).toMatchObject({ exitCode: 0 });
    },
    digests: () => containers.map((container) => imageDigests({ container })),
  };
}
