import { carriedDependencies } from '../model/package.ts';
import type { BuildStep } from '../model/plan.ts';
import { memberName, type PlannedSteps } from './compare-plans.ts';
import { debianNames, ownNames } from './compose-members.ts';

/** A package that another touches. */
export interface AffectedPackage {
  readonly step: BuildStep;
  /** `itself`, or the nearest of what it is built or runs with that is affected. */
  readonly because: { readonly kind: 'itself' } | { readonly kind: 'built-with' | 'runs-with'; readonly name: string };
}

/**
 * Everything in a plan that is touched where the named packages are others: these themselves, what has one of them or
 * something touched in its root, and what runs with it. Dependencies first. Names are `category/name` and `debian/name`.
 */
export function affectedSteps({ steps, stepsByHash }: PlannedSteps, names: ReadonlySet<string>): AffectedPackage[] {
  const touched = new Set(names);
  const running = new Set(names);
  const affected: AffectedPackage[] = [];
  for (const step of steps) {
    const because = reasonOf(step, { names, touched, running }, stepsByHash);
    if (because === undefined) continue;
    affected.push({ step, because });
    running.add(step.name);
    // What runs with something is the same as before: nothing that is built with it is touched by that.
    if (because.kind !== 'runs-with') touched.add(step.name);
  }
  return affected;
}

function reasonOf(
  step: BuildStep,
  { names, touched, running }: Readonly<Record<'names' | 'touched' | 'running', ReadonlySet<string>>>,
  stepsByHash: PlannedSteps['stepsByHash'],
): AffectedPackage['because'] | undefined {
  if (names.has(step.name)) return { kind: 'itself' };
  const direct = new Set(declaredNames(step));
  const members = step.root.map((hash) => memberName(stepsByHash.get(hash)!)).filter((name) => touched.has(name));
  const built = members.find((name) => direct.has(name)) ?? members.at(-1);
  if (built !== undefined) return { kind: 'built-with', name: built };
  const carried = carriedDependencies(step.package);
  const runs = [...ownNames(carried), ...debianNames(carried).map((name) => `debian/${name}`)];
  const run = runs.find((name) => running.has(name));
  return run === undefined ? undefined : { kind: 'runs-with', name: run };
}

function declaredNames({ package: { dependencies } }: BuildStep): readonly string[] {
  const atoms = [...dependencies.build, ...dependencies.link];
  return [...ownNames(atoms), ...debianNames(atoms).map((name) => `debian/${name}`)];
}
