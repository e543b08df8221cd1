import { expect, test } from 'vitest';
import { sha256 } from '../../src/model/digest.ts';
import { affectedSteps } from '../../src/plan/affected-steps.ts';
import { createPlan } from '../../src/plan/create-plan.ts';
import { definitionsOf, emptyContainerLock, mainRoots, packageNamed, repositoryLock } from '../support/packages.ts';

test('what runs with something is affected over any number of steps, and what is built with that is not', () => {
  const definitions = definitionsOf(
    [
      packageNamed('a/runs-twice', { run: ['a/runs'] }),
      packageNamed('a/runs', { run: ['a/built'] }),
      packageNamed('a/built', { build: ['a/cause'] }),
      packageNamed('a/cause'),
      packageNamed('a/made-by', { build: ['a/runs-twice'] }),
      packageNamed('a/other'),
    ],
    ['a/made-by', 'a/other'],
  );
  const locks = { repositories: { main: repositoryLock(mainRoots) }, container: emptyContainerLock };
  const plan = createPlan(definitions, locks, { contract: 1, generatedFiles: sha256('generated') });
  const affected = affectedSteps(plan, new Set(['a/cause']));
  expect(affected.map(({ step, because }) => [step.name, because.kind])).toEqual([
    ['a/cause', 'itself'],
    ['a/built', 'built-with'],
    ['a/runs', 'runs-with'],
    ['a/runs-twice', 'runs-with'],
    ['a/made-by', 'built-with'],
  ]);
});
