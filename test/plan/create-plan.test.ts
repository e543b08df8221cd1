import { describe, expect, test } from 'vitest';
import { digestOfJson, sha256 } from '../../src/model/digest.ts';
import type { ContainerLock } from '../../src/model/lock.ts';
import type { ResolvedPackage } from '../../src/model/package.ts';
import type { BuildStep, Plan } from '../../src/model/plan.ts';
import { createPlan } from '../../src/plan/create-plan.ts';
import { buildKey } from '../../src/plan/package-inputs.ts';
import {
  definitionsOf,
  emptyContainerLock,
  mainRoots,
  packageNamed,
  pinNamed,
  repositoryLock,
  setOf,
} from '../support/packages.ts';

const sandbox = { contract: 1, generatedFiles: sha256('generated') };

function planOf(
  packages: ResolvedPackage[],
  { roots = mainRoots, container = {} as Partial<ContainerLock> } = {},
): Plan {
  const locks = { repositories: { main: repositoryLock(roots) }, container: { ...emptyContainerLock, ...container } };
  return createPlan(definitionsOf(packages), locks, sandbox);
}

function step(plan: Plan, name: string): BuildStep {
  return plan.steps.find((candidate) => candidate.name === name)!;
}

function rootNames(plan: Plan, name: string): string[] {
  return step(plan, name).root.map((hash) => plan.stepsByHash.get(hash)!.name);
}

describe('a plan', () => {
  test('names the HASH after everything that explains it', () => {
    const plan = planOf([packageNamed('a/zip')]);
    expect(digestOfJson(step(plan, 'a/zip').inputs)).toBe(step(plan, 'a/zip').hash);
  });

  test('composes a root of the essential packages, the toolchain, and what is declared', () => {
    const plan = planOf([packageNamed('a/zip', { build: ['debian/pkgconf'] })]);
    expect(rootNames(plan, 'a/zip')).toEqual(['bash', 'binutils', 'gcc', 'libc6', 'pkgconf']);
  });

  test('a minimal root holds the shell and what is declared alone', () => {
    expect(rootNames(planOf([packageNamed('a/base', { root: 'minimal' })]), 'a/base')).toEqual(['bash', 'libc6']);
  });

  test('lays packages of our own over those of Debian, dependencies first', () => {
    const plan = planOf([
      packageNamed('a/zip'),
      packageNamed('a/tls', { link: ['a/zip'] }),
      packageNamed('a/web', { link: ['a/tls'] }),
    ]);
    expect(rootNames(plan, 'a/web')).toEqual(['bash', 'binutils', 'gcc', 'libc6', 'a/zip', 'a/tls']);
  });

  test('build dependencies bring their run closure, not their build dependencies', () => {
    const plan = planOf([
      packageNamed('a/generator'),
      packageNamed('a/runtime'),
      packageNamed('a/tool', { build: ['a/generator'], run: ['a/runtime'] }),
      packageNamed('a/app', { build: ['a/tool'] }),
    ]);
    expect(rootNames(plan, 'a/app').filter((name) => name.startsWith('a/'))).toEqual(['a/runtime', 'a/tool']);
  });

  test('what a member replaces is not in the root', () => {
    const replaces = [{ category: 'debian', name: 'zlib1g' }];
    const plan = planOf([
      packageNamed('a/zip', { replaces }),
      packageNamed('a/app', { link: ['a/zip', 'debian/zlib1g'] }),
    ]);
    expect(rootNames(plan, 'a/app')).not.toContain('zlib1g');
  });

  test('a pin that no lock has is an error that says how to get it', () => {
    expect(() => planOf([packageNamed('a/app', { build: ['debian/unknown'] })])).toThrowError(
      expect.objectContaining({ code: 'lock-outdated', hint: expect.stringContaining('lock --root') }),
    );
  });

  test("what an embedded recipe adds never moves one of the repository's pins", () => {
    const additions = setOf(pinNamed('flex', '2.6', ['libc6']), pinNamed('libc6', '99'));
    const plan = planOf([packageNamed('a/app', { build: ['debian/flex'] })], { container: { additions } });
    expect([...plan.conversions.values()].map(({ name, version }) => `${name} ${version}`)).toContain('libc6 1');
    expect(rootNames(plan, 'a/app')).toContain('flex');
  });

  test('a security update in the image rebuilds nothing', () => {
    const before = planOf([packageNamed('a/app')], { container: { debian: setOf(pinNamed('libc6', '1')) } });
    const after = planOf([packageNamed('a/app')], { container: { debian: setOf(pinNamed('libc6', '1+deb12u1')) } });
    expect(step(after, 'a/app').hash).toBe(step(before, 'a/app').hash);
    expect(after.imageCandidates).not.toEqual(before.imageCandidates);
  });

  test('every member of the root changes the HASH', () => {
    const hash = (roots = mainRoots) => step(planOf([packageNamed('a/app')], { roots }), 'a/app').hash;
    expect(hash({ ...mainRoots, binutils: pinNamed('binutils', '2.41', ['libc6']) })).not.toBe(hash());
    expect(hash({ ...mainRoots, unused: pinNamed('unused') })).toBe(hash());
  });

  test('a patch by URL that the lock does not pin is an error', () => {
    const patch = {
      location: { kind: 'url', url: 'https://example.org/a.patch' },
      description: '',
      fixes: [],
      strip: 1,
      sha256: undefined,
      normalisedSha256: undefined,
    } as const;
    expect(() => planOf([packageNamed('a/app', { patches: [patch] })])).toThrowError(
      expect.objectContaining({ code: 'lock-outdated' }),
    );
    const pins = {
      'https://example.org/a.patch': { sha256: sha256('raw'), size: 3, normalisedSha256: sha256('normal') },
    };
    expect(
      step(planOf([packageNamed('a/app', { patches: [patch] })], { container: { patches: pins } }), 'a/app').inputs
        .patches,
    ).toEqual([sha256('normal')]);
  });

  test('a build key stays when a dependency is rebuilt to the same content, although every HASH changes', () => {
    const header = packageNamed('a/header', { phases: { install: 'cp header.h /out' } });
    const renamed = packageNamed('a/header', { phases: { install: 'cp  header.h /out' } });
    const rest = [packageNamed('a/library', { link: ['a/header'] }), packageNamed('a/app', { link: ['a/library'] })];
    const [before, after] = [planOf([header, ...rest]), planOf([renamed, ...rest])];
    const contents = (plan: Plan, headerContent: string) =>
      step(plan, 'a/app').root.map((hash) =>
        plan.stepsByHash.get(hash)!.name === 'a/header' ? headerContent : sha256(plan.stepsByHash.get(hash)!.name),
      );
    expect(step(after, 'a/app').hash).not.toBe(step(before, 'a/app').hash);
    const keyOf = (plan: Plan, headerContent: string) =>
      buildKey(step(plan, 'a/app').inputs, contents(plan, headerContent));
    expect(keyOf(after, sha256('same header'))).toBe(keyOf(before, sha256('same header')));
    expect(keyOf(after, sha256('an inline function more'))).not.toBe(keyOf(before, sha256('same header')));
  });
});
