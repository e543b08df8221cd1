import type { BinhostConfig, GitRecipes, RecipeRepository } from '../model/config.ts';
import type { Ecosystem } from '../model/registry.ts';

/** What one source of settings says: a file, the environment, or the command line. */
export interface ConfigSettings {
  /** How `config show --origin` calls the source of a setting. */
  origin(key: string): string;
  /**
   * `FILE:LINE` of each limit that counts only where it is below the user's value or the default; absent where all limits
   * count: nobody has accepted the file that they stand in.
   */
  readonly limitLines?: Readonly<Record<string, string>> | undefined;
  /** Its recipes take the place of others of the same names, which is no conflict. */
  readonly isSpec?: boolean | undefined;
  readonly store?: string | undefined;
  readonly mirror?: string | undefined;
  readonly registries?: Readonly<Partial<Record<Ecosystem, string>>> | undefined;
  readonly jobs?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly keepFailed?: boolean | undefined;
  readonly offline?: boolean | undefined;
  readonly userPatches?: boolean | undefined;
  readonly signKey?: string | undefined;
  readonly allowedSigners?: string | undefined;
  readonly repository?: BinhostConfig | undefined;
  readonly repositories?: readonly BinhostConfig[] | undefined;
  readonly recipes?: readonly RecipeRepository[] | undefined;
  readonly gitRecipes?: readonly GitRecipes[] | undefined;
  readonly use?: { readonly with: readonly string[]; readonly without: readonly string[] } | undefined;
}
