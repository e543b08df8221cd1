import type { RecipeRepository } from '../model/config.ts';
import type { RepositoryDefinition } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Witness } from '../system/witness.ts';
import { readRepository } from './read-repository.ts';

/** Reads the configured repositories; each must have the name it is configured under, which locks know it by. */
export async function readRepositories(
  recipes: readonly RecipeRepository[],
  witness: Witness | undefined,
): Promise<readonly RepositoryDefinition[]> {
  return await Promise.all(
    recipes.map(async ({ name, path }) => {
      const repository = await readRepository(path, { witness });
      if (repository.name === name) return repository;
      const message = `Cannot use the repository in "${printable(path)}": expected the name "${name}", found "${repository.name}"`;
      throw new BuilditError('configuration-invalid', message, {
        hint: 'the name in the configuration and in repository.yaml are the same',
      });
    }),
  );
}
