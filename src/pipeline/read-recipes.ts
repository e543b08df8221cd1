import { join } from 'node:path';
import { asRecipe, readRecipeSource } from '../definition/read-recipe.ts';
import { readRepositories } from '../definition/read-repositories.ts';
import type { Recipe } from '../definition/recipe.ts';
import { listRecipes, type RecipePlace } from '../definition/recipe-library.ts';
import { YAML_LIMITS } from '../document/compose-yaml.ts';
import { Problems } from '../document/problems.ts';
import { readText } from '../document/read-text.ts';
import { BuilditError, BuilditErrors } from '../model/errors.ts';
import { openStore } from '../store/store.ts';
import { fetchRecipes } from './apply-discoveries.ts';
import type { SharingOptions } from './open-cache.ts';

/** A recipe of a configured repository, as it is written. */
export interface FoundRecipe {
  readonly place: RecipePlace;
  readonly recipe: Recipe;
}

/** Every directory of a recipe in the configured repositories, those in git too. A repository that cannot be had is warned of. */
export async function configuredRecipes(options: SharingOptions): Promise<readonly RecipePlace[]> {
  const { config, witness } = options;
  const places = [...config.recipes];
  if (config.gitRecipes.length > 0) {
    const store = await openStore(config.store, { onWarning: (text) => warn(options, text) });
    for (const git of config.gitRecipes) {
      try {
        const { directory } = await fetchRecipes(store, git, undefined, options);
        places.push({ name: git.name, path: directory });
      } catch (error) {
        warnOf(options, error);
      }
    }
  }
  return listRecipes(await readRepositories(places, witness));
}

/** Reads recipes; one with a mistake is warned of and left out. */
export async function readRecipes(
  places: readonly RecipePlace[],
  options: SharingOptions,
): Promise<readonly FoundRecipe[]> {
  const found: FoundRecipe[] = [];
  for (const place of places) {
    const { directory, name, repository } = place;
    const problems = new Problems('definition-invalid');
    try {
      const source = await readRecipeSource(directory, {
        ...{ boundary: repository.directory, problems, witness: undefined },
      });
      const recipe = source && asRecipe(source, { repository: repository.name, expectedName: name, problems });
      problems.throwAll();
      if (recipe !== undefined) found.push({ place, recipe });
    } catch (error) {
      warnOf(options, error);
    }
  }
  return found;
}

/** The text of a recipe, to look for a word in it before it is read; undefined where there is none. */
export async function recipeTextAt({ directory, name }: RecipePlace): Promise<string | undefined> {
  const path = join(directory, 'pkg.yaml');
  const limits = { name, maximumBytes: YAML_LIMITS.bytes, code: 'definition-invalid' } as const;
  return await readText(path, limits).then(
    ({ text }) => text,
    () => undefined,
  );
}

function warnOf(options: SharingOptions, error: unknown): void {
  if (!(error instanceof BuilditError || error instanceof BuilditErrors)) throw error;
  if (error instanceof BuilditError && error.code === 'interrupted') throw error;
  // A directory without a pkg.yaml is none of a recipe.
  if (error instanceof BuilditError && error.code === 'file-missing') return;
  warn(options, error.message.split('\n', 1)[0]!);
}

function warn({ context }: SharingOptions, text: string): void {
  context.emit({ kind: 'warning', text });
}
