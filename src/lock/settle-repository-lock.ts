import type { RepositoryDefinition } from '../model/container.ts';
import { type DebianSet, LOCK_FORMAT, type RepositoryLock } from '../model/lock.ts';
import type { DebianWant } from './wanted.ts';

/** Everything a repository's roots are made of, as the lock remembers it. */
export function repositoryWants({ debian }: RepositoryDefinition, recipeNames: readonly string[]): string[] {
  const names = [...debian.toolchain, ...debian.minimal, ...debian.runtime, ...debian.tools, ...recipeNames];
  return [...new Set(names)].sort();
}

/**
 * Resolves a repository's roots: all of them, or the named packages alone with every other pin held fast.
 * `recipeNames` are the Debian packages that any version and flag of any recipe names.
 */
export async function settleRepositoryLock(
  repository: RepositoryDefinition,
  recipeNames: readonly string[],
  resolve: (request: { wants: readonly DebianWant[]; fixed: DebianSet }) => Promise<DebianSet>,
  kept: DebianSet = {},
): Promise<RepositoryLock> {
  const wanted = repositoryWants(repository, recipeNames);
  const roots = await resolve({ wants: wanted.map((name) => ({ name })), fixed: kept });
  return { format: LOCK_FORMAT, kind: 'repository', wanted, roots };
}
