import { expect, test } from 'vitest';
import { planLines } from '../../src/cli/commands/plan.ts';
import { stepsNamed, whyIncluded } from '../../src/cli/why-included.ts';
import type { Atom } from '../../src/model/package.ts';
import type { Hash } from '../../src/model/package-hash.ts';
import type { BuildStep, ConvertStep, Plan, PlanStep } from '../../src/model/plan.ts';

function debian(name: string, hash: Hash, depends: readonly string[] = []): ConvertStep {
  return { kind: 'debian', name, version: '1', hash, pin: { name, depends } as unknown as ConvertStep['pin'] };
}

function built(name: string, hash: Hash, link: readonly Atom[], root: readonly Hash[]): BuildStep {
  const dependencies = { build: [], link, run: [], test: [] };
  return {
    kind: 'build',
    name,
    version: '1.22',
    hash,
    root,
    inputs: {},
    package: { dependencies } as unknown as BuildStep['package'],
  };
}

/** nginx links openssl, which needs libc6; gcc is only in the root, and libc6 is there in two versions. */
const openssl = built('dev-libs/openssl', 'openssl', [{ category: 'debian', name: 'libc6' }], ['libc6-root', 'gcc']);
const nginx = built('www-servers/nginx', 'nginx', [{ category: 'dev-libs', name: 'openssl' }], ['gcc', 'openssl']);
const steps: readonly PlanStep[] = [
  debian('libc6', 'libc6-root'),
  debian('libc6', 'libc6-image', ['gcc-12-base']),
  debian('gcc-12-base', 'gcc-12-base'),
  debian('gcc', 'gcc', ['libc6']),
  openssl,
  nginx,
];
const plan = {
  steps: [openssl, nginx],
  stepsByHash: new Map(steps.map((step) => [step.hash, step])),
  requested: ['nginx'],
  imageCandidates: ['nginx', 'openssl', 'libc6-image', 'gcc-12-base'],
} as unknown as Plan;

const chainTo = (hash: Hash) => whyIncluded(plan, hash).map(({ step, because }) => [step.hash, because]);

test('a package in the image is explained by who asks for it, links it and needs it', () => {
  expect(chainTo('gcc-12-base')).toEqual([
    ['nginx', 'asked for by container.yaml'],
    ['openssl', 'linked by www-servers/nginx'],
    ['libc6-image', 'linked by dev-libs/openssl'],
    ['gcc-12-base', 'needed by libc6'],
  ]);
});

test('a package that is only in a build root is explained by that root', () => {
  expect(chainTo('gcc')).toEqual([
    ['nginx', 'asked for by container.yaml'],
    ['gcc', 'in the build root of www-servers/nginx'],
  ]);
});

test('a package is found by its name with and without its category debian', () => {
  expect(stepsNamed(plan, 'debian/libc6').map(({ hash }) => hash)).toEqual(['libc6-root', 'libc6-image']);
  expect(stepsNamed(plan, 'libc6')).toHaveLength(2);
  expect(stepsNamed(plan, 'www-servers/nginx')).toEqual([nginx]);
});

test('a plan is a table with the reasons and a sum', () => {
  const outcome = {
    plan,
    steps: [
      {
        name: 'libc6',
        version: '2.36',
        hash: 'a'.repeat(64),
        buildKey: undefined,
        state: 'found' as const,
        reason: 'found locally',
      },
      {
        name: 'www-servers/nginx',
        version: '1.22',
        hash: 'b'.repeat(64),
        buildKey: undefined,
        state: 'build' as const,
        reason: 'never built',
      },
    ],
  };
  expect(planLines(outcome)).toEqual([
    'STATE  PACKAGE                 HASH                                  REASON',
    'found  libc6-2.36              aaaaaaaa-aaaa-8aaa-aaaa-aaaaaaaaaaaa  found locally',
    'build  www-servers/nginx-1.22  bbbbbbbb-bbbb-8bbb-bbbb-bbbbbbbbbbbb  never built',
    '1 to build, 1 found',
  ]);
});
