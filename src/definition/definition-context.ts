import type { Problems } from '../document/problems.ts';
import type { RepositoryDefinition } from '../model/container.ts';
import type { Platform } from '../model/platform.ts';
import type { Witness } from '../system/witness.ts';
import type { ClassLibrary } from './class-library.ts';
import type { Recipe } from './recipe.ts';
import type { RecipeLibrary } from './recipe-library.ts';
import type { GeneralFlags } from './resolve-flags.ts';

/** What everything needs that turns definitions of one container into packages. */
export interface DefinitionContext {
  /** Absolute path of the container's directory. */
  readonly directory: string;
  readonly platform: Platform;
  readonly problems: Problems;
  readonly witness: Witness | undefined;
  readonly library: RecipeLibrary;
  readonly classes: ClassLibrary;
  readonly repositories: readonly RepositoryDefinition[];
  /** The repository whose build root recipes of the container itself are built in. */
  readonly defaultRepository: string;
  /** `category/name` of the container's own recipes: they stand in for a repository's of the same name. */
  readonly embedded: Set<string>;
  /** Recipes that the container asks for, by their names; undefined where no container is read and any choice will do. */
  readonly requested: Map<string, Recipe> | undefined;
  /** The configuration's flags. */
  readonly use: GeneralFlags;
  /** Absolute path of the user's own patches; undefined: they do not count. */
  readonly userPatches?: string | undefined;
  /** Chosen versions of the lock, by `category/name`. */
  readonly pinnedVersions: Readonly<Record<string, string>>;
}
