import { expect, test } from 'vitest';
import { planLines } from '../../src/cli/commands/plan.ts';
import { answerFor, answerLines, nameInPlan } from '../../src/cli/commands/why.ts';
import type { MemberReason } from '../../src/image/member-reason.ts';
import type { Plan } from '../../src/model/plan.ts';

/** nginx runs with openssl and libc6; gcc is only in its build root. */
const steps = [
  { kind: 'debian', name: 'libc6', hash: 'libc6' },
  { kind: 'debian', name: 'gcc', hash: 'gcc' },
  { kind: 'build', name: 'dev-libs/openssl', hash: 'openssl', root: ['libc6', 'gcc'] },
  { kind: 'build', name: 'www-servers/nginx', hash: 'nginx', root: ['libc6', 'gcc', 'openssl'] },
];
const plan = {
  steps: steps.filter(({ kind }) => kind === 'build'),
  stepsByHash: new Map(steps.map((step) => [step.hash, step])),
} as unknown as Plan;
const reasons = new Map<string, readonly MemberReason[]>([
  ['www-servers/nginx', [{ kind: 'requested' }]],
  ['dev-libs/openssl', [{ kind: 'library', by: 'www-servers/nginx', file: 'usr/sbin/nginx', soname: 'libssl.so.3' }]],
  [
    'debian/libc6',
    [
      { kind: 'library', by: 'dev-libs/openssl', file: 'usr/lib/libssl.so.3', soname: 'libc.so.6' },
      { kind: 'run', by: 'www-servers/nginx' },
      { kind: 'run', by: 'www-servers/nginx' },
    ],
  ],
]);
const selected = { reasons, replaced: new Map([['debian/libssl3', 'dev-libs/openssl']]) };
const why = (name: string) => answerLines(answerFor(nameInPlan(plan, name), plan, selected));

test('a package in the image is explained down from what the container asks for', () => {
  expect(why('libc6')).toEqual([
    'debian/libc6 is in the image',
    '  www-servers/nginx  the container asks for it',
    '  dev-libs/openssl   www-servers/nginx needs libssl.so.3 (usr/sbin/nginx)',
    '  debian/libc6       dev-libs/openssl needs libc.so.6 (usr/lib/libssl.so.3)',
    '  also: www-servers/nginx declares that it runs it',
    'debian/libc6 is in the build root of dev-libs/openssl, www-servers/nginx',
  ]);
});

test('a package that is only in build roots is explained by them', () => {
  expect(why('debian/gcc')).toEqual([
    'debian/gcc is not in the image',
    'debian/gcc is in the build root of dev-libs/openssl, www-servers/nginx',
  ]);
});

test('a package is meant by its name alone too, and a mistyped one is suggested', () => {
  expect(why('nginx')[0]).toBe('www-servers/nginx is in the image');
  expect(() => nameInPlan(plan, 'opensl')).toThrow(/Cannot find "opensl" in the plan/);
});

test('a package that another stands in for is said to be replaced', () => {
  expect(answerLines(answerFor('debian/libssl3', plan, selected))).toEqual([
    'debian/libssl3 is not in the image',
    '  dev-libs/openssl stands in for it',
  ]);
});

test('a plan is a table with the reasons and a sum', () => {
  const outcome = {
    plan,
    steps: [
      {
        ...{ name: 'sys-libs/zlib', version: '1.3', hash: 'a'.repeat(64), buildKey: undefined },
        ...{ state: 'found' as const, reason: 'found locally' },
      },
      {
        ...{ name: 'www-servers/nginx', version: '1.22', hash: 'b'.repeat(64), buildKey: undefined },
        ...{ state: 'build' as const, reason: 'never built' },
      },
    ],
  };
  expect(planLines(outcome)).toEqual([
    'STATE  PACKAGE                 HASH                                  REASON',
    'found  sys-libs/zlib-1.3       aaaaaaaa-aaaa-8aaa-aaaa-aaaaaaaaaaaa  found locally',
    'build  www-servers/nginx-1.22  bbbbbbbb-bbbb-8bbb-bbbb-bbbbbbbbbbbb  never built',
    '1 to build, 1 found',
  ]);
});
