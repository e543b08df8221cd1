import { relative } from 'node:path';
import { Problems } from '../document/problems.ts';
import type { Config } from '../model/config.ts';
import type { ContainerDefinition, Definitions, RepositoryDefinition } from '../model/container.ts';
import type { PackageOrigin } from '../model/package.ts';
import type { Platform } from '../model/platform.ts';
import type { Witness } from '../system/witness.ts';
import { createClassLibrary } from './class-library.ts';
import { recipeDirectories } from './debian-dependencies.ts';
import type { DefinitionContext } from './definition-context.ts';
import type { PackageRequest } from './package-requests.ts';
import { refuseCycle } from './read-definitions.ts';
import type { Recipe } from './recipe.ts';
import { createRecipeLibrary } from './recipe-library.ts';
import { solvePackages } from './solve-packages.ts';

export interface RepositoryPackagesOptions {
  readonly config: Pick<Config, 'use'>;
  /** All repositories whose recipes may be named; the one that is read among them. */
  readonly repositories: readonly RepositoryDefinition[];
  readonly platform: Platform;
  readonly witness?: Witness;
}

/**
 * Every recipe of a repository as a package, with the flags that are on by default: first all of them in their newest
 * versions, then each older version by itself, among the newest of what it needs. Throws all that is wrong.
 */
export async function readRepositoryPackages(
  repository: RepositoryDefinition,
  { config, repositories, platform, witness }: RepositoryPackagesOptions,
): Promise<readonly Definitions[]> {
  const problems = new Problems('definition-invalid');
  const library = createRecipeLibrary({ repositories, problems, witness });
  const recipes: Recipe[] = [];
  for (const directory of await recipeDirectories(repository.directory, witness)) {
    const [category, name] = relative(repository.directory, directory).split('/') as [string, string];
    const recipe = await library.find({ category, name });
    if (recipe !== undefined) recipes.push(recipe);
  }
  problems.throwAll();
  const context: DefinitionContext = {
    directory: repository.directory,
    platform,
    problems,
    witness,
    library,
    classes: createClassLibrary({ problems, witness }),
    repositories,
    defaultRepository: repository.name,
    embedded: new Set(),
    requested: undefined,
    use: config.use,
    pinnedVersions: {},
    userPatches: undefined,
  };
  const container = nobodysContainer(repository, platform);
  const read = async (requests: readonly PackageRequest[]): Promise<Definitions> => {
    const packages = await solvePackages(requests, context);
    problems.throwAll();
    refuseCycle(packages);
    return {
      container,
      repositories,
      packages: [...packages.values()].map((reading) => reading.package).sort((a, b) => (a.name < b.name ? -1 : 1)),
      requested: requests.map(({ recipe }) => recipe.name),
      debianRequested: [],
    };
  };
  const all = [await read(recipes.map((recipe) => requestOf(recipe)))];
  for (const recipe of recipes) {
    for (const version of recipe.versions.slice(1)) all.push(await read([requestOf(recipe, version)]));
  }
  return all;
}

function requestOf(recipe: Recipe, version?: string): PackageRequest {
  const origin: PackageOrigin = { kind: 'repository', repository: recipe.repository, directory: recipe.directory };
  const { root } = recipe;
  const node = { kind: 'scalar', style: 'plain', text: version ?? '', value: version ?? null } as const;
  const place = { ...node, document: root.document, start: root.start, end: root.end };
  const exact = version === undefined ? undefined : { wanted: { kind: 'exact' as const, version }, node: place };
  return { recipe, origin, derivation: undefined, version: exact, asked: [], node: root };
}

/** Stands where plans name a container: nothing is asked for and no image is made. */
function nobodysContainer({ name, directory }: RepositoryDefinition, platform: Platform): ContainerDefinition {
  return {
    directory,
    author: undefined,
    name,
    version: '0',
    platform,
    variables: {},
    base: false,
    packages: [],
    steps: [],
    images: [],
  };
}
