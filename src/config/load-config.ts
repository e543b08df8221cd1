import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config, GitRecipes, RecipeRepository } from '../model/config.ts';
import { BuilditError } from '../model/errors.ts';
import { baseDirectory } from '../system/needed-directories.ts';
import { type Environment, findBaseDirectory } from '../system/user-directories.ts';
import type { Witness } from '../system/witness.ts';
import { findConfigFiles, userConfigPath } from './config-files.ts';
import type { ConfigSettings } from './config-settings.ts';
import { findDefaultStore } from './default-store.ts';
import { readConfigFile } from './read-config-file.ts';
import { readEnvironment } from './read-environment.ts';
import { readTrustedConfigs } from './trusted-configs.ts';

/** Settings from the command line; what is undefined was not said. */
export interface ConfigFlags {
  readonly store?: string | undefined;
  readonly jobs?: number | undefined;
  readonly keepFailed?: boolean | undefined;
  readonly offline?: boolean | undefined;
  readonly userPatches?: boolean | undefined;
  readonly mirror?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly memoryBytes?: number | undefined;
}

export interface LoadConfigOptions {
  /** Absolute path; configuration is looked for from here upwards. */
  readonly directory: string;
  readonly flags: ConfigFlags;
  readonly environment: Environment;
  readonly witness?: Witness | undefined;
}

/** The recipes that come with buildit, in a clone and in an installed package alike. */
export const SHIPPED_RECIPES: RecipeRepository = {
  name: 'main',
  path: fileURLToPath(new URL('../../repos/main', import.meta.url)),
};

const DEFAULT_TIMEOUT_MS = 2 * 3600 * 1000;
const DEFAULT_MEMORY_BYTES = 4 * 2 ** 30;

/** Merges command line, environment and files, the strongest first, into the settings of one run. */
export async function loadConfig({ directory, flags, environment, witness }: LoadConfigOptions): Promise<Config> {
  const trusted = await readTrustedConfigs(environment, witness);
  const userConfig = userConfigPath(environment);
  const options = { trusted, environment, userConfig, witness };
  const files = findConfigFiles(resolve(directory), environment, witness);
  const read = await Promise.all(files.map((file) => readConfigFile(file, options)));
  const layers = [readFlags(flags), readEnvironment(environment), ...read.map(({ settings }) => settings)];
  const notices = read.flatMap((file) => file.notices);
  return deepFreeze({ ...merge(layers, environment, notices), notices });
}

function readFlags({ store, ...flags }: ConfigFlags): ConfigSettings {
  const names: Readonly<Record<string, string>> = { 'build.jobs': '--jobs', 'build.keep-failed': '--keep-failed' };
  return {
    ...flags,
    store: store === undefined ? undefined : resolve(store),
    origin: (key) => names[key] ?? `--${key}`,
  };
}

/** `notices` takes the limits that do not count. */
function merge(
  layers: readonly ConfigSettings[],
  environment: Environment,
  notices: string[],
): Omit<Config, 'notices'> {
  const origins: Record<string, string> = {};
  const first = <Key extends keyof ConfigSettings>(key: Key, name: string): ConfigSettings[Key] | undefined => {
    const layer = layers.find((settings) => settings[key] !== undefined);
    origins[name] = layer?.origin(name) ?? 'default';
    return layer?.[key];
  };
  const limit = (key: Limit, name: string, fallback: number): number => {
    const { value, layer, notice } = lowestLimit(layers, { key, name, fallback });
    origins[name] = layer?.origin(name) ?? 'default';
    if (notice !== undefined) notices.push(notice);
    return value;
  };
  const store = first('store', 'store') ?? findDefaultStore(environment) ?? baseDirectory(environment, 'cache');
  return {
    store,
    ...mergeRecipes(layers, origins),
    repository: first('repository', 'repository'),
    repositories: mergeRepositories(layers, origins),
    debian: { mirror: first('mirror', 'debian.mirror') },
    registries: mergeRegistries(layers, origins),
    build: {
      jobs: limit('jobs', 'build.jobs', availableParallelism()),
      timeoutMs: limit('timeoutMs', 'build.timeout', DEFAULT_TIMEOUT_MS),
      memoryBytes: limit('memoryBytes', 'build.memory', DEFAULT_MEMORY_BYTES),
      keepFailed: limit('keepFailed', 'build.keep-failed', 0) === 1,
      executor: 'local',
    },
    sign: { key: first('signKey', 'sign.key') },
    trust: {
      allowedSigners: first('allowedSigners', 'trust.allowed-signers') ?? findAllowedSigners(environment),
    },
    use: mergeUse(layers, origins),
    userPatches:
      first('userPatches', 'user-patches') === true
        ? join(baseDirectory(environment, 'config'), 'buildit', 'patches')
        : undefined,
    offline: first('offline', 'offline') ?? false,
    origins,
  };
}

type Limit = 'jobs' | 'timeoutMs' | 'memoryBytes' | 'keepFailed';

/** The strongest value of a limit; one in a file that nobody accepted counts where it is not above the next weaker one. */
function lowestLimit(
  layers: readonly ConfigSettings[],
  { key, name, fallback }: { readonly key: Limit; readonly name: string; readonly fallback: number },
): { readonly value: number; readonly layer: ConfigSettings | undefined; readonly notice?: string } {
  const index = layers.findIndex((settings) => settings[key] !== undefined);
  const layer = layers[index];
  if (layer === undefined) return { value: fallback, layer };
  const value = Number(layer[key]);
  const line = layer.limitLines?.[name];
  if (line === undefined) return { value, layer };
  const user = lowestLimit(layers.slice(index + 1), { key, name, fallback });
  if (value <= user.value) return { value, layer };
  const file = line.slice(0, line.lastIndexOf(':'));
  const from = user.layer === undefined ? 'the default' : 'yours';
  const notice = `"${name}" in ${line} does not count, because it is above ${from} and the file came with its directory (buildit config trust ${file} accepts it)`;
  return { ...user, notice };
}

/** Beside the user's configuration; a user without a home directory trusts nobody. */
function findAllowedSigners(environment: Environment): string | undefined {
  const directory = findBaseDirectory(environment, 'config');
  return directory === undefined ? undefined : join(directory, 'buildit', 'allowed_signers');
}

/** All repositories of recipes, each name once; the shipped ones last, unless another is called like them. */
function mergeRecipes(
  layers: readonly ConfigSettings[],
  origins: Record<string, string>,
): Pick<Config, 'recipes' | 'gitRecipes'> {
  const recipes = new Map<string, RecipeRepository | GitRecipes>();
  const ofSpec = new Set<string>();
  for (const { recipes: configured = [], gitRecipes = [], origin, isSpec = false } of layers) {
    for (const recipe of [...configured, ...gitRecipes]) {
      const key = `recipes.${recipe.name}`;
      const known = recipes.get(recipe.name);
      if (known !== undefined && placeOf(known) !== placeOf(recipe) && !isSpec && !ofSpec.has(recipe.name)) {
        const message = `Cannot use the recipes "${recipe.name}": expected one place, found ${placeOf(known)} (${origins[key]}) and ${placeOf(recipe)} (${origin(key)})`;
        throw new BuilditError('configuration-invalid', message, { hint: 'give one of them another name' });
      }
      if (known !== undefined) continue;
      recipes.set(recipe.name, recipe);
      if (isSpec) ofSpec.add(recipe.name);
      origins[key] = origin(key);
    }
  }
  if (!recipes.has(SHIPPED_RECIPES.name)) {
    recipes.set(SHIPPED_RECIPES.name, SHIPPED_RECIPES);
    origins[`recipes.${SHIPPED_RECIPES.name}`] = 'default';
  }
  const all = [...recipes.values()];
  return {
    recipes: all.filter((recipe): recipe is RecipeRepository => 'path' in recipe),
    gitRecipes: all.filter((recipe): recipe is GitRecipes => 'git' in recipe),
  };
}

function placeOf(recipe: RecipeRepository | GitRecipes): string {
  return 'path' in recipe ? recipe.path : `${recipe.git}${recipe.ref === undefined ? '' : ` ${recipe.ref}`}`;
}

function mergeRepositories(layers: readonly ConfigSettings[], origins: Record<string, string>): Config['repositories'] {
  return layers.flatMap(({ repositories = [], origin }) => {
    for (const { name } of repositories) origins[`repositories.${name}`] ??= origin(`repositories.${name}`);
    return repositories;
  });
}

/** Each registry as the strongest file that names it says. */
function mergeRegistries(layers: readonly ConfigSettings[], origins: Record<string, string>): Config['registries'] {
  const merged: Record<string, string> = {};
  for (const { registries = {}, origin } of layers) {
    for (const [name, url] of Object.entries(registries)) {
      if (merged[name] !== undefined) continue;
      merged[name] = url;
      origins[`registries.${name}`] = origin(`registries.${name}`);
    }
  }
  return merged;
}

/** Each flag as the strongest file that names it says. */
function mergeUse(layers: readonly ConfigSettings[], origins: Record<string, string>): Config['use'] {
  const flags = new Map<string, boolean>();
  for (const { use, origin } of layers) {
    for (const [names, enabled] of [
      [use?.with ?? [], true],
      [use?.without ?? [], false],
    ] as const) {
      for (const name of names) {
        if (flags.has(name)) continue;
        flags.set(name, enabled);
        origins[`use.${name}`] = origin(`use.${name}`);
      }
    }
  }
  const names = (wanted: boolean) =>
    [...flags]
      .filter(([, enabled]) => enabled === wanted)
      .map(([name]) => name)
      .sort();
  return { with: names(true), without: names(false) };
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
