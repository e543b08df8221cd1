import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { closestName } from '../document/closest-name.ts';
import { scalarsAt } from '../document/fields.ts';
import { listDirectory } from '../document/list-directory.ts';
import { Problems } from '../document/problems.ts';
import type { RepositoryDefinition } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import { isPackageNamePart } from '../model/names.ts';
import type { Atom } from '../model/package.ts';
import { remembered } from '../model/remembered.ts';
import type { Witness } from '../system/witness.ts';
import { packageName } from './atom.ts';
import { asRecipe, readRecipeSource } from './read-recipe.ts';
import type { Recipe } from './recipe.ts';

/** The recipes of all repositories, read when they are asked for, each once. */
export interface RecipeLibrary {
  has(atom: Atom): Promise<boolean>;
  /** The recipe of that name; undefined when its file is wrong, which was complained about. Throws when two have it. */
  find(atom: Atom): Promise<Recipe | undefined>;
  /** Names of recipes that provide a name which none has for its own, sorted; mistakes of recipes are told by `find`. */
  providers(name: string): Promise<readonly string[]>;
  /** A hint for a name that is nowhere. */
  suggest(atom: Atom): Promise<string | undefined>;
}

export interface LibraryOptions {
  readonly repositories: readonly RepositoryDefinition[];
  readonly problems: Problems;
  readonly witness: Witness | undefined;
}

export function createRecipeLibrary({ repositories, problems, witness }: LibraryOptions): RecipeLibrary {
  const holders = new Map<string, readonly RepositoryDefinition[]>();
  const recipes = new Map<string, Promise<Recipe | undefined>>();
  let provided: Promise<ReadonlyMap<string, readonly string[]>> | undefined;

  function holdersOf(atom: Atom): readonly RepositoryDefinition[] {
    const name = packageName(atom);
    const known = holders.get(name);
    if (known !== undefined) return known;
    const found = repositories.filter(({ directory }) => {
      const path = join(directory, atom.category, atom.name, 'pkg.yaml');
      const isThere = existsSync(path);
      if (!isThere) witness?.missing(path);
      return isThere;
    });
    holders.set(name, found);
    return found;
  }

  async function read(atom: Atom): Promise<Recipe | undefined> {
    const name = packageName(atom);
    const [holder, other] = holdersOf(atom);
    if (holder === undefined) return undefined;
    if (other !== undefined) {
      const message = `Cannot choose "${name}": expected it in one repository, found it in ${holder.name} and ${other.name}`;
      throw new BuilditError('dependency-unsatisfied', message);
    }
    const directory = join(holder.directory, atom.category, atom.name);
    const source = await readRecipeSource(directory, { boundary: holder.directory, problems, witness });
    return source && asRecipe(source, { repository: holder.name, expectedName: name, problems });
  }

  return {
    has: async (atom) => holdersOf(atom).length > 0,
    find: (atom) => remembered(recipes, packageName(atom), () => read(atom)),
    async providers(name) {
      provided ??= readProvided(repositories, witness);
      return (await provided).get(name) ?? [];
    },
    async suggest(atom) {
      const names = (await listRecipes(repositories)).map(({ name }) => name);
      const wanted = packageName(atom);
      const sameName = names.find((name) => name.split('/')[1] === atom.name);
      const closest = closestName(wanted, names) ?? sameName;
      return closest === undefined ? undefined : `did you mean "${closest}"?`;
    },
  };
}

/** What all recipes provide: every one is read, which happens only when a name is no recipe's own. */
async function readProvided(
  repositories: readonly RepositoryDefinition[],
  witness: Witness | undefined,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const provided = new Map<string, Set<string>>();
  for (const { name, directory, repository } of await listRecipes(repositories, witness)) {
    const problems = new Problems('definition-invalid');
    const reading = readRecipeSource(directory, { boundary: repository.directory, problems, witness });
    const source = await reading.catch(() => undefined);
    for (const other of scalarsAt(source?.root, 'provides')) {
      provided.set(other.text, (provided.get(other.text) ?? new Set()).add(name));
    }
  }
  return new Map([...provided].map(([name, providers]) => [name, [...providers]]));
}

/** A directory of a repository that may hold a recipe; its pkg.yaml has not been looked at. */
export interface RecipePlace {
  /** `category/name`. */
  readonly name: string;
  readonly repository: RepositoryDefinition;
  /** Absolute. */
  readonly directory: string;
}

/** Everything that looks like a recipe's directory, by name. */
export async function listRecipes(
  repositories: readonly RepositoryDefinition[],
  witness?: Witness,
): Promise<readonly RecipePlace[]> {
  const places: RecipePlace[] = [];
  for (const repository of repositories) {
    for (const category of await partsBelow(repository.directory, witness)) {
      const parent = join(repository.directory, category);
      for (const name of await partsBelow(parent, witness)) {
        places.push({ name: `${category}/${name}`, repository, directory: join(parent, name) });
      }
    }
  }
  return places.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

async function partsBelow(directory: string, witness: Witness | undefined): Promise<readonly string[]> {
  const entries = (await listDirectory(directory, witness)) ?? [];
  return entries.filter((entry) => entry.isDirectory() && isPackageNamePart(entry.name)).map(({ name }) => name);
}
