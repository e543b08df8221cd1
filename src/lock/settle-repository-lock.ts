import type { RepositoryDefinition } from '../model/container.ts';
import {
  type DebianSet,
  type DebianSourceSet,
  debianSourceKey,
  LOCK_FORMAT,
  type RepositoryLock,
  sourcePinAt,
} from '../model/lock.ts';
import { type ResolvedRoots, type RootsRequest, sourcePins } from './settle-container-lock.ts';
import type { DebianWant } from './wanted.ts';

/** What the recipes of a repository name of Debian's. */
export interface RecipeWants {
  /** Binary packages that any version and flag of any recipe names. */
  readonly packages: readonly string[];
  /** Source packages that recipes build. */
  readonly sources: readonly DebianWant[];
}

/** Everything a repository's roots are made of, as the lock remembers it. */
export function repositoryWants({ debian }: RepositoryDefinition, { packages, sources }: RecipeWants): string[] {
  const names = [...debian.toolchain, ...debian.minimal, ...debian.runtime, ...debian.tools, ...packages];
  return [...new Set([...names, ...sources.map((want) => `source:${debianSourceKey(want)}`)])].sort();
}

/** Resolves a repository's roots: all of them, or the named packages alone with every other pin held fast. */
export async function settleRepositoryLock(
  repository: RepositoryDefinition,
  wants: RecipeWants,
  resolve: (request: RootsRequest) => Promise<ResolvedRoots>,
  kept: { readonly roots: DebianSet; readonly sources: DebianSourceSet } = { roots: {}, sources: {} },
): Promise<RepositoryLock> {
  const names = repositoryWants(repository, { ...wants, sources: [] });
  const { set, sources } = await resolve({
    wants: names.map((name) => ({ name })),
    sources: wants.sources.map((want) => ({ want, kept: sourcePinAt(kept.sources, debianSourceKey(want)) })),
    fixed: kept.roots,
  });
  return {
    format: LOCK_FORMAT,
    kind: 'repository',
    wanted: repositoryWants(repository, wants),
    roots: set,
    ...sourcePins(wants.sources, sources),
  };
}
