import { describe, expect, test } from 'vitest';
import { possibleMembers } from '../../src/image/possible-members.ts';
import type { PlanStep } from '../../src/model/plan.ts';

function debian(name: string, depends: readonly string[] = []): PlanStep {
  return {
    kind: 'debian',
    hash: name,
    name,
    pin: { name, depends, source: { name, version: '1' } },
  } as unknown as PlanStep;
}

function built(name: string, link: readonly string[] = [], run: readonly string[] = []): PlanStep {
  const atoms = (names: readonly string[]) => names.map((other) => ({ category: 'debian', name: other }));
  return {
    kind: 'build',
    hash: name,
    name,
    package: { name, dependencies: { build: atoms(['gcc']), link: atoms(link), run: atoms(run), test: [] } },
  } as unknown as PlanStep;
}

describe('packages that may enter an image', () => {
  const candidates = [
    built('nginx', ['libssl3'], ['bash']),
    debian('bash', ['debconf', 'libc6']),
    debian('libssl3', ['libc6']),
    debian('libc6', ['libgcc-s1']),
    debian('libgcc-s1', ['libc6']),
    debian('debconf', ['perl']),
    debian('perl'),
    debian('curl'),
    debian('gcc'),
    debian('libstdc++6'),
  ];

  test('are what is built, what that links to and runs, what is requested, the runtime, and their closure', () => {
    const found = possibleMembers({
      requested: ['nginx', 'curl'],
      candidates,
      runtime: ['libstdc++6'],
    });
    expect(found).toEqual(['nginx', 'bash', 'libssl3', 'libc6', 'libgcc-s1', 'curl', 'libstdc++6']);
  });

  test('do not include a Debian package that nothing leads to', () => {
    const found = possibleMembers({ requested: ['nginx'], candidates, runtime: [] });
    expect(found).not.toContain('curl');
    expect(found).not.toContain('gcc');
    expect(found).not.toContain('perl');
  });
});
