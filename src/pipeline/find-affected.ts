import { existsSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DEBIAN_CATEGORY, readingsOfAtom } from '../definition/atom.ts';
import { didYouMean } from '../document/closest-name.ts';
import { containerTitle } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Hash } from '../model/package-hash.ts';
import type { PlanStep } from '../model/plan.ts';
import { type AffectedPackage, affectedSteps } from '../plan/affected-steps.ts';
import { memberName } from '../plan/compare-plans.ts';
import type { DirectoryChanges } from './compare-revisions.ts';
import type { BuildOptions } from './contract.ts';
import { prepareRun, type Run } from './prepare-run.ts';

/** What touches packages and images. */
export type Cause =
  /** `category/name`, `category/name-version` or `debian/name`. */
  | { readonly kind: 'package'; readonly text: string }
  /** Absolute: a file or directory of a recipe, of a repository or of the container. */
  | { readonly kind: 'path'; readonly path: string }
  /** What a range of revisions changes in this container. */
  | { readonly kind: 'changes'; readonly changes: DirectoryChanges };

export interface AffectedStep {
  readonly name: string;
  readonly version: string;
  readonly hash: Hash;
  readonly because: AffectedPackage['because'];
  /** Whether it would be built now, or is there. */
  readonly state: 'found' | 'build';
  /** Of the state. */
  readonly reason: string;
}

/** What a cause touches in one container. */
export interface AffectedContainer {
  readonly directory: string;
  readonly title: string;
  /** Dependencies first. */
  readonly steps: readonly AffectedStep[];
  /** What of it is in the images, or in what they are made of; empty where they stay as they are. */
  readonly image: readonly string[];
}

/** Plans a container and finds what a cause touches in it; nothing is built. */
export async function findAffected(options: BuildOptions, cause: Cause): Promise<AffectedContainer> {
  const run = await prepareRun(options);
  try {
    const { names, image } = originsOf(run, cause);
    const affected = affectedSteps(run.plan, names);
    const steps: AffectedStep[] = [];
    for (const { step, because } of affected) {
      const found = await run.sharing.cache.peek(step.hash);
      const { name, version, hash } = step;
      const there =
        found.kind === 'hit' ? (found.place === 'locally' ? 'found locally' : `found at '${found.place}'`) : '';
      const state = found.kind === 'hit' ? 'found' : 'build';
      steps.push({ name, version, hash, because, state, reason: found.kind === 'hit' ? there : found.reason });
    }
    const touched = new Set([...names, ...affected.map(({ step }) => step.name)]);
    const members = run.plan.imageCandidates.map((hash) => memberName(run.plan.stepsByHash.get(hash)!));
    const inImage = [
      ...members.filter((name) => touched.has(name)),
      ...image.filter((name) => !members.includes(name)),
    ];
    return { directory: options.directory, title: containerTitle(run.definitions.container), steps, image: inImage };
  } finally {
    await run.sharing.close();
  }
}

interface Origins {
  /** Names of packages that are touched themselves. */
  readonly names: ReadonlySet<string>;
  /** Parts of the image that are. */
  readonly image: readonly string[];
}

function originsOf(run: Run, cause: Cause): Origins {
  switch (cause.kind) {
    case 'package':
      return { names: namedPackages(run, cause.text), image: [] };
    case 'path':
      return ownersOf(run, cause.path);
    case 'changes':
      return { names: changedThemselves(cause.changes), image: cause.changes.image };
  }
}

/** What everything that changed is traced back to; what cannot be traced, since what it needed is gone, is there itself. */
function changedThemselves({ packages }: DirectoryChanges): ReadonlySet<string> {
  const present = packages.filter(({ kind }) => kind !== 'removed');
  const own = present.filter(({ kind }) => kind !== 'dependency').map(({ name }) => name);
  const debian = present.flatMap(({ becauseOf }) => becauseOf).filter((name) => name.startsWith('debian/'));
  const names = new Set([...own, ...debian]);
  const isTraced = new Set(names);
  for (const { name, becauseOf } of present) if (becauseOf.some((cause) => isTraced.has(cause))) isTraced.add(name);
  return new Set([...names, ...present.map(({ name }) => name).filter((name) => !isTraced.has(name))]);
}

function namedPackages(run: Run, text: string): ReadonlySet<string> {
  const steps = [...run.plan.stepsByHash.values()];
  const isMeant = (step: PlanStep) => memberName(step) === text || `${memberName(step)}-${step.version}` === text;
  const names = new Set(steps.filter(isMeant).map(memberName));
  if (names.size === 0 && !isKnown(run, text)) throw unknownError(text, new Set(steps.map(memberName)));
  return names;
}

/** A package that this container has nothing to do with is touched by nothing; one that is nowhere was mistyped. */
function isKnown({ definitions, repositoryLocks }: Run, text: string): boolean {
  return readingsOfAtom(text).some(({ category, name }) =>
    category === DEBIAN_CATEGORY
      ? Object.values(repositoryLocks).some(({ lock }) => Object.hasOwn(lock.roots, name))
      : definitions.repositories.some(({ directory }) => existsSync(join(directory, category, name, 'pkg.yaml'))),
  );
}

function unknownError(text: string, known: Iterable<string>): BuilditError {
  return new BuilditError(
    'usage',
    `Cannot rebuild what "${printable(text)}" affects: expected a package, a path or a range of git revisions, found none`,
    { hint: didYouMean(text, known) },
  );
}

/** Whose file it is: of packages, of a repository as a whole, or of the container's own. */
function ownersOf({ plan, definitions }: Run, typed: string): Origins {
  const path = realPath(typed);
  const isIn = (directory: string) => isBelow(path, realPath(directory));
  const names = new Set<string>();
  for (const { name, package: definition } of plan.steps) {
    const { origin } = definition;
    const repository = definitions.repositories.find((one) => one.name === definition.repository);
    const isOfRoot = ['repository.yaml', 'buildit.lock'].some(
      (file) => repository !== undefined && path === join(realPath(repository.directory), file),
    );
    // A recipe of the container may be derived from the repository's of the same name.
    const base = repository === undefined ? [] : [join(repository.directory, name)];
    if (isOfRoot || [origin.directory, ...base].some(isIn)) names.add(name);
  }
  const { directory } = definitions.container;
  const isOwn = names.size === 0 && isIn(directory) && !isBelow(path, join(realPath(directory), 'out'));
  return { names, image: isOwn ? [relative(realPath(directory), path) || '.'] : [] };
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

/** A file that is gone still has its place. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
