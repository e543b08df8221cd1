import { patchesOfVersions } from '../definition/resolve-patches.ts';
import { booleanAt, mapAt, mapsAt, scalarAt, scalarsAt, scalarsOf, textAt } from '../document/fields.ts';
import { nodeAt, type YamlMap } from '../document/yaml-node.ts';
import type { FoundRecipe } from './read-recipes.ts';

export const DEPENDENCY_KINDS = ['build', 'link', 'run', 'test'] as const;

/** What a recipe says, for people. */
export interface ShownRecipe {
  readonly name: string;
  /** The repository it is of. */
  readonly repository: string;
  /** Absolute path of its pkg.yaml. */
  readonly path: string;
  readonly description: string | undefined;
  readonly homepage: string | undefined;
  readonly license: string | undefined;
  readonly class: string;
  /** Newest first. */
  readonly versions: readonly RecipeVersion[];
  readonly flags: readonly {
    readonly name: string;
    readonly default: boolean;
    readonly description: string | undefined;
    /** Versions at which it has an effect. */
    readonly when: string | undefined;
    readonly requires: readonly string[];
    readonly conflicts: readonly string[];
    /** Packages needed besides when it is on. */
    readonly dependencies: readonly string[];
  }[];
  readonly patches: readonly ShownPatch[];
  readonly dependencies: Readonly<Record<(typeof DEPENDENCY_KINDS)[number], readonly string[]>>;
  readonly provides: readonly string[];
  readonly replaces: readonly string[];
  /** Paths as the recipe writes them, with what each gives to whoever starts it. */
  readonly capabilities: readonly { readonly path: string; readonly capabilities: readonly string[] }[];
  readonly tests: readonly (readonly string[])[];
}

interface ShownPatch {
  readonly path: string;
  readonly description: string | undefined;
  /** The version that alone has it; undefined: all have. */
  readonly version: string | undefined;
}

export interface RecipeVersion {
  readonly version: string;
  /** Where builds of it are: undefined for the store of this machine, else names of binhosts. */
  readonly builds: readonly { readonly place: string | undefined; readonly platforms: readonly string[] }[];
}

/** A build somewhere, as far as it matters here. */
export interface KnownBuild {
  readonly name: string;
  readonly version: string;
  readonly platform: string;
  readonly place: string | undefined;
}

export function recipeFacts(
  { place, recipe }: FoundRecipe,
  builds: readonly KnownBuild[],
  patchFiles: readonly string[],
): ShownRecipe {
  const { root, name, directory } = recipe;
  const flags = mapAt(root, 'flags')?.members ?? [];
  return {
    ...{ name, repository: place.repository.name, path: `${directory}/pkg.yaml` },
    description: textAt(root, 'description'),
    homepage: textAt(root, 'homepage'),
    license: textAt(root, 'license'),
    class: textAt(root, 'class') ?? 'none',
    versions: recipe.versions.map((version) => ({ version, builds: buildsOf(name, version, builds) })),
    flags: flags.flatMap(({ name: flag, value }) => (value.kind === 'map' ? [flagFacts(flag, value)] : [])),
    patches: patchesOf(root, patchFiles),
    dependencies: dependenciesOf(root),
    provides: scalarsAt(root, 'provides').map(({ text }) => text),
    replaces: scalarsAt(root, 'replaces').map(({ text }) => text),
    capabilities: (mapAt(root, 'capabilities')?.members ?? []).map(({ name: path, value }) => ({
      path,
      capabilities: scalarsOf(value).map(({ text }) => text),
    })),
    tests: mapsAt(root, 'test').map((test) => scalarsAt(test, 'run').map(({ text }) => text)),
  };
}

function buildsOf(name: string, version: string, builds: readonly KnownBuild[]): RecipeVersion['builds'] {
  const platforms = new Map<string | undefined, Set<string>>();
  for (const build of builds) {
    if (build.name !== name || build.version !== version) continue;
    platforms.set(build.place, (platforms.get(build.place) ?? new Set()).add(build.platform));
  }
  return [...platforms].map(([place, names]) => ({ place, platforms: [...names].sort() }));
}

function flagFacts(name: string, map: YamlMap): ShownRecipe['flags'][number] {
  return {
    name,
    default: booleanAt(map, 'default') ?? false,
    description: textAt(map, 'description'),
    when: textAt(map, 'when'),
    requires: scalarsAt(map, 'requires').map(({ text }) => text),
    conflicts: scalarsAt(map, 'conflicts').map(({ text }) => text),
    dependencies: Object.values(dependenciesOf(map)).flat(),
  };
}

function dependenciesOf(map: YamlMap): ShownRecipe['dependencies'] {
  const dependencies = mapAt(map, 'dependencies');
  const texts = (kind: (typeof DEPENDENCY_KINDS)[number]) => scalarsAt(dependencies, kind).map(({ text }) => text);
  return { build: texts('build'), link: texts('link'), run: texts('run'), test: texts('test') };
}

/** Those that `patches:` lists, else all files of patches/ that no version names for itself; then those of versions. */
function patchesOf(root: YamlMap, files: readonly string[]): readonly ShownPatch[] {
  const versions = (mapAt(root, 'versions')?.members ?? []).flatMap(({ name, value }) =>
    value.kind === 'map' ? listedPatches(value, name) : [],
  );
  const isListed = nodeAt(root, 'patches') !== undefined;
  const ofVersions = patchesOfVersions(root);
  const ofAll = files
    .map((file) => `patches/${file}`)
    .filter((path) => !ofVersions.has(path))
    .map((path) => ({ path, description: undefined, version: undefined }));
  return [...(isListed ? listedPatches(root, undefined) : ofAll), ...versions];
}

function listedPatches(map: YamlMap, version: string | undefined): readonly ShownPatch[] {
  return (mapAt(map, 'patches')?.members ?? []).map(({ name: path, value }) => {
    const node = value.kind === 'map' ? nodeAt(value, 'description') : value;
    return { path, description: scalarsOf(node)[0]?.text, version };
  });
}

/** One line of what a recipe is. */
export function recipeDescription({ recipe }: FoundRecipe): string {
  return scalarAt(recipe.root, 'description')?.text ?? '';
}
