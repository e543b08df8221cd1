import type { YamlMap } from '../document/yaml-node.ts';
import type { VersionScheme } from '../model/version-scheme.ts';

/** A pkg.yaml that was read and found to be of the right shape; not yet turned into a package. */
export interface RecipeSource {
  readonly root: YamlMap;
  /** Absolute path of the directory of pkg.yaml. */
  readonly directory: string;
}

/** A recipe with its name and versions. */
export interface Recipe extends RecipeSource {
  /** `category/name`. */
  readonly name: string;
  /** Name of the repository whose build root it is built in. */
  readonly repository: string;
  /** Newest first. */
  readonly versions: readonly string[];
  /** How its versions are compared. */
  readonly scheme: VersionScheme;
}
