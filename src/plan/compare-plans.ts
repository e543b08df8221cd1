import type { JsonValue } from '../model/canonical-json.ts';
import { jsonDifferences } from '../model/json-difference.ts';
import { type Atom, atomText, type ResolvedPackage } from '../model/package.ts';
import type { Hash } from '../model/package-hash.ts';
import type { BuildStep, Plan, PlanStep } from '../model/plan.ts';

export type PlannedSteps = Pick<Plan, 'steps' | 'stepsByHash'>;

/** A package that is not what it was. */
export interface PackageChange {
  /** `category/name`. */
  readonly name: string;
  /** After the change; before it where the package is gone. */
  readonly version: string;
  readonly before: Hash | undefined;
  readonly after: Hash | undefined;
  /** `own`: what it is made of itself differs. `dependency`: nothing but members of its root. */
  readonly kind: 'added' | 'removed' | 'own' | 'dependency';
  /** What differs in itself, as the HASH's inputs are named: `patches`, `phases.configure`, `dependencies`. */
  readonly inputs: readonly string[];
  /** Members of its root that changed by themselves: `category/name`, `debian/name`. */
  readonly becauseOf: readonly string[];
}

/**
 * Which packages changed between two plans, dependencies first, then those that are gone. Packages are the same where
 * `nameOf` says so.
 */
export function comparePlans(
  before: PlannedSteps,
  after: PlannedSteps,
  nameOf: (step: BuildStep) => string = ({ name }) => name,
): readonly PackageChange[] {
  const known = new Map(before.steps.map((step) => [nameOf(step), step]));
  const changes: PackageChange[] = [];
  /** Names of packages that changed by themselves: what everything else is traced back to. */
  const origins = new Set<string>();
  for (const step of after.steps) {
    const earlier = known.get(nameOf(step));
    if (earlier?.hash === step.hash) continue;
    const change = earlier === undefined ? addedPackage(step) : changedPackage(earlier, step, before, after, origins);
    if (change.kind !== 'dependency') origins.add(step.name);
    changes.push(change);
  }
  const present = new Set(after.steps.map(nameOf));
  for (const step of before.steps) {
    if (present.has(nameOf(step))) continue;
    changes.push({ ...addedPackage(step), before: step.hash, after: undefined, kind: 'removed' });
  }
  return changes;
}

function addedPackage({ name, version, hash }: BuildStep): PackageChange {
  return { name, version, before: undefined, after: hash, kind: 'added', inputs: [], becauseOf: [] };
}

function changedPackage(
  earlier: BuildStep,
  step: BuildStep,
  before: PlannedSteps,
  after: PlannedSteps,
  origins: ReadonlySet<string>,
): PackageChange {
  const inputs = ownDifferences(earlier, step);
  const [left, right] = [membersOf(earlier, before), membersOf(step, after)];
  const names = [...new Set([...right.keys(), ...left.keys()])].filter((name) => left.get(name) !== right.get(name));
  const becauseOf = names.filter((name) => name.startsWith('debian/') || origins.has(name) || !right.has(name));
  const isOwn = inputs.length > 0 || names.length === 0;
  return {
    name: step.name,
    version: step.version,
    before: earlier.hash,
    after: step.hash,
    kind: isOwn ? 'own' : 'dependency',
    inputs: names.length === 0 && inputs.length === 0 ? ['root'] : inputs,
    becauseOf,
  };
}

/** Everything but the root; of that, what the package itself declares. */
function ownDifferences(earlier: BuildStep, step: BuildStep): readonly string[] {
  const [left, right] = [earlier, step].map(({ inputs: { root: _, ...own } }) => own as JsonValue);
  const paths = jsonDifferences(left, right).map(({ path }) =>
    path
      .slice(0, 2)
      .filter((part) => typeof part === 'string')
      .join('.'),
  );
  if (declared(earlier.package) !== declared(step.package)) paths.push('dependencies');
  return [...new Set(paths)];
}

/** The dependencies that make up a root. */
function declared({ dependencies: { build, link }, root }: ResolvedPackage): string {
  const texts = (atoms: readonly Atom[]) => atoms.map(atomText).join(' ');
  return [root, texts(build), texts(link)].join('\n');
}

/** HASHes of the members of a root by their names. */
function membersOf({ root }: BuildStep, { stepsByHash }: PlannedSteps): ReadonlyMap<string, Hash> {
  return new Map(root.map((hash) => [memberName(stepsByHash.get(hash)!), hash]));
}

export function memberName({ kind, name }: Pick<PlanStep, 'kind' | 'name'>): string {
  return kind === 'debian' ? `debian/${name}` : name;
}
