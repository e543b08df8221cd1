import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type LocalGit, openLocalGit, pathInside } from '../discover/local-git.ts';
import type { RevisionRange } from '../discover/revision-range.ts';
import { containerTitle } from '../model/container.ts';
import { BuilditError, BuilditErrors } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { comparePlans, type PackageChange, type PlannedSteps } from '../plan/compare-plans.ts';
import type { Store } from '../store/store.ts';
import { openTemporary } from '../store/temporary.ts';
import type { BuildOptions } from './contract.ts';
import { changedFacts, type ImageFacts, imageFacts } from './image-facts.ts';
import { planRepository, versionedName } from './plan-repository.ts';
import { openRunStore, prepareRun } from './prepare-run.ts';

/** What a range of revisions changes in one directory. */
export interface DirectoryChanges {
  /** Absolute, in the work tree. */
  readonly directory: string;
  readonly kind: 'container' | 'repository';
  /** `Sysadmin42/nginx-production-1.7.6-p1`, or the repository's name. */
  readonly title: string;
  /** In build order, dependencies first; those that are gone last. */
  readonly packages: readonly PackageChange[];
  /** How many packages are what they were. */
  readonly unchanged: number;
  /** Of a container: what makes its images others; empty where they stay as they are. */
  readonly image: readonly string[];
}

export interface RevisionChanges {
  /** Full ids; `to` is undefined for the work tree. */
  readonly from: string;
  readonly to: string | undefined;
  readonly directories: readonly DirectoryChanges[];
}

export interface CompareRequest {
  /** Absolute paths of containers and repositories, all in one work tree. */
  readonly directories: readonly string[];
  readonly range: RevisionRange;
  /** What a verb gives to the pipeline for a directory, wherever it lies. */
  optionsAt(directory: string): Promise<BuildOptions>;
}

/**
 * Plans directories at two revisions and says what differs. Each revision is written to a private temporary directory, as
 * far as plans read it; the work tree is read where it is.
 */
export async function compareRevisions({ directories, range, optionsAt }: CompareRequest): Promise<RevisionChanges> {
  const options = await optionsAt(directories[0]!);
  const store = await openRunStore(options);
  const temporary = await openTemporary(store, 'revisions');
  try {
    const git = openLocalGit(directories[0]!, { home: join(temporary.path, 'home'), signal: options.context.signal });
    const inside = directories.map((directory) => placeIn(git, directory));
    const from = await git.commitOf(range.from);
    const to = range.to === undefined ? undefined : await git.commitOf(range.to);
    const before = await checkOut(git, from, inside, join(temporary.path, 'from'));
    const after = to === undefined ? git.topLevel : await checkOut(git, to, inside, join(temporary.path, 'to'));
    const changes: DirectoryChanges[] = [];
    for (const [index, path] of inside.entries()) {
      const directory = directories[index]!;
      const plan = (tree: string, revision: string) => planned({ store, optionsAt, git, tree, path, revision });
      const earlier = await plan(before, range.from);
      const later = await plan(after, range.to ?? 'the work tree');
      const known = later ?? earlier;
      if (known === undefined) throw absentError(directory, range);
      changes.push({ directory, kind: known.kind, title: known.title, ...changesOf(earlier, later) });
    }
    return { from, to, directories: changes };
  } finally {
    await temporary.release();
  }
}

function placeIn({ topLevel }: LocalGit, directory: string): string {
  const path = pathInside(topLevel, realpathSync(directory));
  if (path !== undefined) return path;
  throw new BuilditError(
    'usage',
    `Cannot compare revisions of "${printable(directory)}": expected directories of the git repository ${topLevel}, found one outside`,
  );
}

/** What a plan may read: the directories themselves, every repository of recipes, and the configuration above them. */
async function checkOut(git: LocalGit, commit: string, directories: readonly string[], tree: string): Promise<string> {
  mkdirSync(tree);
  const paths = await git.pathsOf(commit);
  const repositories = paths.filter((path) => /(?:^|\/)repository\.yaml$/.test(path)).map((path) => dirname(path));
  const configurations = paths.filter((path) => /(?:^|\/)\.buildit-config\.yaml$/.test(path));
  await git.checkOut(commit, outermost([...directories, ...repositories, ...configurations]), tree);
  return tree;
}

/** Paths of which none lies below another. */
function outermost(paths: readonly string[]): readonly string[] {
  const unique = [...new Set(paths)];
  if (unique.includes('.')) return ['.'];
  return unique.filter((path) => !unique.some((other) => path.startsWith(`${other}/`)));
}

interface Planned {
  readonly kind: 'container' | 'repository';
  readonly title: string;
  readonly steps: PlannedSteps;
  readonly image: ImageFacts;
}

interface PlanPlace extends Pick<CompareRequest, 'optionsAt'> {
  readonly store: Store;
  readonly git: LocalGit;
  readonly tree: string;
  /** Of the directory in the tree. */
  readonly path: string;
  /** As typed, for messages. */
  readonly revision: string;
}

/** Undefined where the revision has no such container or repository. */
async function planned({ store, optionsAt, git, tree, path, revision }: PlanPlace): Promise<Planned | undefined> {
  const directory = join(tree, path);
  try {
    if (existsSync(join(directory, 'container.yaml'))) {
      const run = await prepareRun(inTree(await optionsAt(directory), git.topLevel, tree));
      await run.sharing.close();
      const title = containerTitle(run.definitions.container);
      return { kind: 'container', title, steps: run.plan, image: await imageFacts(run) };
    }
    if (!existsSync(join(directory, 'repository.yaml'))) return undefined;
    const steps = await planRepository(store, inTree(await optionsAt(directory), git.topLevel, tree));
    return { kind: 'repository', title: path, steps, image: new Map() };
  } catch (error) {
    throw atRevision(error, revision);
  }
}

/** The configuration may name recipes by where they lie in the work tree: of a revision, that revision's are meant. */
function inTree(options: BuildOptions, topLevel: string, tree: string): BuildOptions {
  if (tree === topLevel) return options;
  const recipes = options.config.recipes.map((recipe) => {
    if (!existsSync(recipe.path) || pathInside(realpathSync(tree), realpathSync(recipe.path)) !== undefined)
      return recipe;
    const path = pathInside(topLevel, realpathSync(recipe.path));
    return path === undefined ? recipe : { ...recipe, path: join(tree, path) };
  });
  return { ...options, config: { ...options.config, recipes } };
}

/** Places in messages are those of a copy that is gone when they are read: they say of which revision it was. */
function atRevision(error: unknown, revision: string): unknown {
  if (error instanceof BuilditErrors) return new BuilditErrors(error.errors.map((one) => placedAt(one, revision)));
  return error instanceof BuilditError ? placedAt(error, revision) : error;
}

function placedAt({ code, message, hint, details, position, cause }: BuilditError, revision: string): BuilditError {
  return new BuilditError(code, message, { hint, details: [...details, `in ${revision}`], position, cause });
}

function changesOf(
  before: Planned | undefined,
  after: Planned | undefined,
): Pick<DirectoryChanges, 'packages' | 'unchanged' | 'image'> {
  const nameOf = (after ?? before)?.kind === 'repository' ? versionedName : undefined;
  const packages = comparePlans(before?.steps ?? NOTHING, after?.steps ?? NOTHING, nameOf);
  const changed = packages.filter(({ after: hash }) => hash !== undefined).length;
  return {
    packages,
    unchanged: (after?.steps.steps.length ?? 0) - changed,
    image: changedFacts(before?.image ?? new Map(), after?.image ?? new Map()),
  };
}

const NOTHING: PlannedSteps = { steps: [], stepsByHash: new Map() };

function absentError(directory: string, { from, to = 'the work tree' }: RevisionRange): BuilditError {
  const message = `Cannot compare "${printable(directory)}": expected a container.yaml or repository.yaml in ${from} or ${to}, found none`;
  return new BuilditError('file-missing', message);
}
