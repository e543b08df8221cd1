import { describe, expect, test } from 'vitest';
import { type RealiseServices, type Records, realisePlan } from '../../src/build/realise-plan.ts';
import type { Lookup } from '../../src/cache/find-record.ts';
import { sha256 } from '../../src/model/digest.ts';
import { BuilditError, type BuilditErrors } from '../../src/model/errors.ts';
import type { BuilditEvent } from '../../src/model/events.ts';
import type { ResolvedPackage } from '../../src/model/package.ts';
import type { Hash } from '../../src/model/package-hash.ts';
import type { BuildStep, Plan } from '../../src/model/plan.ts';
import { type PackageRecord, RECORD_FORMAT } from '../../src/model/record.ts';
import { createPlan } from '../../src/plan/create-plan.ts';
import { buildKey } from '../../src/plan/package-inputs.ts';
import { definitionsOf, emptyContainerLock, packageNamed, repositoryLock } from '../support/packages.ts';

function planOf(packages: ResolvedPackage[], requested?: string[]): Plan {
  const locks = { repositories: { main: repositoryLock() }, container: emptyContainerLock };
  return createPlan(definitionsOf(packages, requested), locks, { contract: 1, generatedFiles: sha256('') });
}

/** A world in memory: what a build gives is the text of its install phase, so content follows from the definition. */
class World {
  readonly built: string[] = [];
  readonly events: BuilditEvent[] = [];
  readonly records = new Map<Hash, PackageRecord>();
  mostAtOnce = 0;
  failing: readonly string[] = [];
  failingTest: string | undefined;
  /** By name: what has to be there before a package is tested. */
  readonly neededForTest = new Map<string, readonly Hash[]>();
  readonly tested: string[] = [];
  /** Names of what cannot be fetched. */
  gone: readonly string[] = [];
  readonly fetched: string[] = [];
  /** What binhosts say of every package. */
  elsewhere: { readonly place: string; readonly record: PackageRecord }[] = [];
  readonly stop = new AbortController();
  private running = 0;

  services(): RealiseServices {
    const lookup = (record: PackageRecord | undefined): Lookup =>
      record === undefined ? { kind: 'miss', reason: 'never built here' } : { kind: 'hit', record, place: 'locally' };
    return {
      findByHash: async (hash) => lookup(this.records.get(hash)),
      findEarlier: async (hash) => [
        ...[this.records.get(hash) ?? []].flat().map((record) => ({ place: 'locally', record })),
        ...this.elsewhere,
      ],
      findSameBuild: async (key) => lookup([...this.records.values()].find((record) => record.buildKey === key)),
      buildKeyOf: (step, contents) => buildKey(step.inputs, contents),
      convert: async (steps) =>
        new Map(steps.map((step) => [step.hash, recordOf(step.hash, step.name, undefined, step.pin.sha256)])),
      fetchInputs: async (steps) => {
        this.fetched.push(...steps.map(({ name }) => name));
        return new Map(
          steps.filter(({ name }) => this.gone.includes(name)).map((step) => [step.hash, [goneError(step.name)]]),
        );
      },
      fetchTools: async () => {},
      build: async (step, key) => this.build(step, key),
      neededForTest: (step) => this.neededForTest.get(step.name) ?? [],
      test: async (step, _record, members) => this.test(step, members),
      keep: async (record) => {
        this.records.set(record.hash, record);
      },
    };
  }

  async realise(
    plan: Plan,
    {
      wanted = plan.requested,
      ...options
    }: { wanted?: readonly Hash[]; fromSource?: boolean; binaryOnly?: boolean; keepGoing?: boolean } = {},
  ) {
    const context = { signal: this.stop.signal, emit: (event: BuilditEvent) => this.events.push(event) };
    return realisePlan(
      plan,
      wanted,
      this.services(),
      { jobs: 2, fromSource: false, binaryOnly: false, keepGoing: false, rebuilt: new Set(), ...options },
      context,
    );
  }

  private async test({ name }: BuildStep, members: Records): Promise<void> {
    for (const hash of this.neededForTest.get(name) ?? []) expect(members.has(hash)).toBe(true);
    if (this.failingTest === name) throw new BuilditError('test-failed', `Cannot pass the test of "${name}"`);
    this.tested.push(name);
  }

  private async build(step: BuildStep, key: string): Promise<PackageRecord> {
    this.running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.running -= 1;
    if (this.failing.includes(step.name)) throw new BuilditError('build-failed', `Cannot build "${step.name}"`);
    this.built.push(step.name);
    return recordOf(step.hash, step.name, key, sha256(step.package.phases.install!.trim()));
  }
}

function goneError(name: string): BuilditError {
  return new BuilditError('unreachable', `Cannot fetch "${name}.tar.gz"`);
}

function recordOf(hash: Hash, name: string, key: string | undefined, diffId: string): PackageRecord {
  return {
    format: RECORD_FORMAT,
    kind: key === undefined ? 'debian' : 'build',
    hash,
    buildKey: key,
    name,
    version: '1.0',
    platform: 'linux/amd64',
    outputs: { main: { diffId, size: 1, listing: sha256('[]'), elf: [] } },
    sources: [],
    patches: [],
    sourceDate: 0,
    builder: 'test',
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:00:00Z',
    log: undefined,
  };
}

const chain = (installOfHeader: string) => [
  packageNamed('a/header', { phases: { install: installOfHeader } }),
  packageNamed('a/library', { link: ['a/header'], phases: { install: 'library' } }),
  packageNamed('a/app', { link: ['a/library'], phases: { install: 'app' } }),
];

describe('realising a plan', () => {
  test('builds what is missed, dependencies first, and nothing the second time', async () => {
    const world = new World();
    await world.realise(planOf(chain('header')));
    expect(world.built).toEqual(['a/header', 'a/library', 'a/app']);
    await world.realise(planOf(chain('header')));
    expect(world.built).toHaveLength(3);
  });

  test('a hit at the top is enough: nothing below it is looked at', async () => {
    const world = new World();
    const plan = planOf([packageNamed('a/tool'), packageNamed('a/app', { build: ['a/tool'] })]);
    await world.realise(plan);
    world.records.delete(plan.steps[0]!.hash);
    await world.realise(plan);
    expect(world.built).toEqual(['a/tool', 'a/app']);
  });

  test('a dependency two steps away that comes out the same rebuilds itself alone', async () => {
    const world = new World();
    await world.realise(planOf(chain('header')));
    world.built.length = 0;
    const records = await world.realise(planOf(chain('header ')));
    expect(world.built).toEqual(['a/header']);
    expect(records.size).toBeGreaterThan(3);
  });

  test('a header that changes two steps away rebuilds everything that could have read it', async () => {
    const world = new World();
    await world.realise(planOf(chain('header')));
    world.built.length = 0;
    await world.realise(planOf(chain('header with one more inline function')));
    expect(world.built).toEqual(['a/header', 'a/library', 'a/app']);
  });

  test('independent packages are built side by side, never more than allowed', async () => {
    const world = new World();
    const leaves = ['a/one', 'a/two', 'a/three', 'a/four'].map((name) => packageNamed(name));
    await world.realise(planOf([...leaves, packageNamed('a/app', { link: leaves.map(({ name }) => name) })]));
    expect(world.mostAtOnce).toBe(2);
    expect(world.built.at(-1)).toBe('a/app');
  });

  test('after a failure nothing further is started, and what was running is kept', async () => {
    const world = new World();
    world.failing = ['a/one'];
    const packages = [
      packageNamed('a/one'),
      packageNamed('a/two'),
      packageNamed('a/app', { link: ['a/one', 'a/two'] }),
    ];
    await expect(world.realise(planOf(packages))).rejects.toMatchObject({ code: 'build-failed' });
    expect(world.built).toEqual(['a/two']);
    expect(world.records.size).toBe(1);
  });

  test('what fails its own tests is not kept', async () => {
    const world = new World();
    world.failingTest = 'a/library';
    await expect(world.realise(planOf(chain('header')))).rejects.toMatchObject({ code: 'test-failed' });
    expect(world.built).toEqual(['a/header', 'a/library']);
    expect([...world.records.values()].map(({ name }) => name)).toEqual(['a/header']);
    expect(world.events.at(-1)).toMatchObject({ kind: 'package-failed' });
  });

  test('what a test needs is built first, and only for what is built itself', async () => {
    const world = new World();
    const plan = planOf([packageNamed('a/server'), packageNamed('a/module', { run: ['a/server'] })]);
    const hashOf = (name: string) => plan.steps.find((step) => step.name === name)!.hash;
    world.neededForTest.set('a/module', [hashOf('a/server')]);
    await world.realise(plan, { wanted: [hashOf('a/module')] });
    expect(world.tested).toEqual(['a/server', 'a/module']);

    world.records.delete(hashOf('a/server'));
    await world.realise(plan, { wanted: [hashOf('a/module')] });
    expect(world.tested).toHaveLength(2);
  });

  test('--binary-only lists what would have to be built and builds nothing', async () => {
    const world = new World();
    await expect(world.realise(planOf([packageNamed('a/app')]), { binaryOnly: true })).rejects.toMatchObject({
      code: 'dependency-unsatisfied',
      details: [expect.stringContaining('a/app-1.0')],
    });
    expect(world.built).toEqual([]);
  });

  test('--from-source builds again and refuses another result', async () => {
    const world = new World();
    const plan = planOf([packageNamed('a/app')]);
    await world.realise(plan);
    await world.realise(plan, { fromSource: true });
    expect(world.built).toEqual(['a/app', 'a/app']);
    world.records.set(plan.steps[0]!.hash, recordOf(plan.steps[0]!.hash, 'a/app', 'k', sha256('something else')));
    await expect(world.realise(plan, { fromSource: true })).rejects.toMatchObject({ code: 'not-reproducible' });
  });

  test('--from-source compares with the records of binhosts too', async () => {
    const world = new World();
    const plan = planOf([packageNamed('a/app')]);
    world.elsewhere = [{ place: 'theirs', record: recordOf(plan.steps[0]!.hash, 'a/app', 'k', sha256('other bytes')) }];
    await expect(world.realise(plan, { fromSource: true })).rejects.toMatchObject({
      code: 'not-reproducible',
      details: [`at 'theirs': main ${sha256('other bytes')}`],
    });
    expect(world.records.size).toBe(0);
    await world.realise(plan);
    expect(world.records.size).toBe(1);
  });

  test('says that --from-source is why it builds', async () => {
    const world = new World();
    await world.realise(planOf([packageNamed('a/app')]), { fromSource: true });
    expect(world.events.find(({ kind }) => kind === 'package-missed')).toMatchObject({ asked: '--from-source' });
  });
});

describe('what cannot be fetched', () => {
  test('ends the run before anything is built, all of it at once', async () => {
    const world = new World();
    world.gone = ['a/library', 'a/app'];
    const failure = await world.realise(planOf(chain('header'))).catch((error: unknown) => error);
    expect((failure as BuilditErrors).errors.map(({ message }) => message)).toEqual([
      'Cannot fetch "a/library.tar.gz"',
      'Cannot fetch "a/app.tar.gz"',
    ]);
    expect(world.built).toEqual([]);
    expect(world.events.filter(({ kind }) => kind === 'package-failed')).toHaveLength(2);
  });

  test('is not looked for where the package is there', async () => {
    const world = new World();
    await world.realise(planOf(chain('header')));
    world.fetched.length = 0;
    world.gone = ['a/header', 'a/library', 'a/app'];
    await world.realise(planOf(chain('header')));
    expect(world.fetched).toEqual([]);
  });

  test('is not missed where an earlier build had the same inputs', async () => {
    const world = new World();
    await world.realise(planOf([packageNamed('a/header', { phases: { install: 'header' } })]));
    await world.realise(planOf(chain('header')));
    await world.realise(planOf([packageNamed('a/header', { phases: { install: 'header ' } })]));
    world.gone = ['a/library'];
    world.built.length = 0;
    await expect(world.realise(planOf(chain('header ')))).resolves.toBeDefined();
    expect(world.built).toEqual([]);
  });

  test('fails with --keep-going only what needs it, when its turn comes', async () => {
    const world = new World();
    world.gone = ['a/one'];
    const packages = [packageNamed('a/one'), packageNamed('a/two'), packageNamed('a/app', { link: ['a/one'] })];
    await expect(world.realise(planOf(packages, ['a/app', 'a/two']), { keepGoing: true })).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(world.built).toEqual(['a/two']);
  });
});

describe('--keep-going', () => {
  const packages = [
    packageNamed('a/one'),
    packageNamed('a/two'),
    packageNamed('a/three'),
    packageNamed('a/needs-one', { link: ['a/one'] }),
    packageNamed('a/needs-two', { link: ['a/two'] }),
    packageNamed('a/app', { link: ['a/needs-one', 'a/needs-two'] }),
  ];
  const plan = planOf(packages, ['a/app', 'a/three']);

  test('builds everything that does not depend on a failure, and throws all failures', async () => {
    const world = new World();
    world.failing = ['a/one', 'a/three'];
    const failure = await world.realise(plan, { keepGoing: true }).catch((error: unknown) => error);
    expect((failure as BuilditErrors).errors.map(({ message }) => message).sort()).toEqual([
      'Cannot build "a/one"',
      'Cannot build "a/three"',
    ]);
    expect(world.built.toSorted()).toEqual(['a/needs-two', 'a/two']);
    const skipped = world.events.flatMap((event) => (event.kind === 'package-skipped' ? [event.needs] : []));
    expect(skipped).toEqual([['a/one'], ['a/one']]);
  });

  test('ends at once at an interrupt', async () => {
    const world = new World();
    world.failing = ['a/one'];
    setTimeout(() => world.stop.abort(), 2);
    await expect(world.realise(plan, { keepGoing: true })).rejects.toMatchObject({ code: 'interrupted' });
    expect(world.built.length).toBeLessThan(3);
  });
});
