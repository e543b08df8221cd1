import { append } from '../model/append.ts';
import type { Hash } from '../model/package-hash.ts';
import type { PlanStep } from '../model/plan.ts';
import { runDependencies } from '../model/run-exclusions.ts';

export interface PossibleMembersInput {
  readonly requested: readonly Hash[];
  /** Steps of the plan's image candidates. */
  readonly candidates: readonly PlanStep[];
  /** Debian packages that anything may need without saying so: the repository's runtime. */
  readonly runtime: readonly string[];
}

/**
 * Everything `selectMembers` may ask for, before any record is there: all packages built from recipes, and the Debian
 * packages that are requested, declared by one of those or its runtime, with their closure. Only these need converting.
 */
export function possibleMembers({ requested, candidates, runtime }: PossibleMembersInput): Hash[] {
  const wanted = new Set(requested);
  const pins = new Map(candidates.flatMap((step) => (step.kind === 'debian' ? [[step.pin.name, step] as const] : [])));
  const pending = candidates.flatMap((step) => {
    if (step.kind === 'debian') return wanted.has(step.hash) ? [step.pin.name] : [];
    const { link, run } = step.package.dependencies;
    return [...link, ...run].filter(({ category }) => category === 'debian').map(({ name }) => name);
  });
  append(pending, runtime);
  const reached = new Set<string>();
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const step = pins.get(name);
    if (step === undefined || reached.has(name)) continue;
    reached.add(name);
    append(pending, runDependencies(step.pin));
  }
  return candidates.filter((step) => step.kind === 'build' || reached.has(step.pin.name)).map(({ hash }) => hash);
}
