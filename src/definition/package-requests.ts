import { scalarAt } from '../document/fields.ts';
import { parseYaml } from '../document/parse-yaml.ts';
import { memberOf, type YamlMap, type YamlNode, type YamlScalar } from '../document/yaml-node.ts';
import { BuilditError } from '../model/errors.ts';
import { isDebianPackageName, isDebianVersion } from '../model/names.ts';
import type { Atom, PackageOrigin } from '../model/package.ts';
import { DEBIAN_CATEGORY, DEBIAN_SOURCE_CATEGORY } from './atom.ts';
import type { PlacedPackage } from './container-reading.ts';
import type { DefinitionContext } from './definition-context.ts';
import { locateFile } from './locate-file.ts';
import { type AtomContext, readAtom } from './read-atom.ts';
import { asRecipe, isDerivation, readRecipeSource } from './read-recipe.ts';
import type { Recipe, RecipeSource } from './recipe.ts';
import { type AskedFlags, askedFlagsAt } from './resolve-flags.ts';
import { parseWantedVersion, type WantedVersion, wantedVersionOf, wantedVersionText } from './wanted-version.ts';

/** A package the container asks for itself: which recipe, and what it says about it. */
export interface PackageRequest {
  readonly recipe: Recipe;
  readonly origin: PackageOrigin;
  readonly derivation: RecipeSource | undefined;
  readonly version: { readonly wanted: WantedVersion; readonly node: YamlScalar } | undefined;
  readonly asked: readonly AskedFlags[];
  /** Where it was asked for. */
  readonly node: YamlNode;
  /** The step of container.yaml that asks for it; absent for what is added without one. */
  readonly step?: YamlMap | undefined;
}

/** Finds the recipe of an embedded package or of one from a repository; undefined for Debian's and for mistakes. */
export async function readPackageRequest(
  placed: PlacedPackage,
  context: DefinitionContext,
): Promise<PackageRequest | undefined> {
  const request = await requestOf(placed, context);
  return request && { ...request, step: placed.node };
}

async function requestOf(placed: PlacedPackage, context: DefinitionContext): Promise<PackageRequest | undefined> {
  switch (placed.package.kind) {
    case 'embedded':
      return await requestEmbedded(placed.package, placed.node, context);
    case 'repository': {
      const node = scalarAt(placed.node, 'name');
      if (node === undefined) return undefined;
      return await requestByName(node, placed.package.name, context, {
        map: placed.node,
        version: placed.package.version,
      });
    }
    case 'debian':
      return undefined;
  }
}

/** A recipe of a repository by its atom; a step may name `version` and `use` besides. */
export async function requestByName(
  node: YamlNode,
  text: string,
  context: DefinitionContext,
  step?: { readonly map: YamlMap; readonly version: string | undefined },
): Promise<PackageRequest | undefined> {
  const atom = await readAtom(node, text, { ...context, ...OF_REPOSITORIES });
  if (atom === undefined) return undefined;
  if (atom.category === DEBIAN_CATEGORY) {
    context.problems.add(node, `Cannot use "${text}": expected the name of a recipe, found a Debian package`, {
      hint: `write - package: {type: debian, name: ${atom.name}}`,
    });
    return undefined;
  }
  const recipe = await context.library.find(atom);
  if (recipe === undefined) return undefined;
  const versionNode = scalarAt(step?.map, 'version');
  const named = wantedVersionOf(atom);
  if (versionNode !== undefined && named !== undefined) {
    context.problems.add(
      versionNode,
      `Cannot use "version": the name says version ${wantedVersionText(named)} already`,
    );
  }
  const origin: PackageOrigin = { kind: 'repository', repository: recipe.repository, directory: recipe.directory };
  const wanted = step?.version === undefined ? undefined : parseWantedVersion(step.version);
  const stated = wanted && versionNode && { wanted, node: versionNode };
  const asked = step === undefined ? [] : [askedFlagsAt(step.map)];
  return { recipe, origin, derivation: undefined, version: stated ?? versionOf(atom, node), asked, node };
}

async function requestEmbedded(
  embedded: Extract<PlacedPackage['package'], { kind: 'embedded' }>,
  step: YamlMap,
  context: DefinitionContext,
): Promise<PackageRequest | undefined> {
  const { problems, witness, directory } = context;
  const node = scalarAt(step, 'path') ?? step;
  const relative = embedded.directory.slice(directory.length + 1);
  const found = await locateFile(directory, relative, {
    node,
    label: 'package.path',
    wanted: 'directory',
    problems,
    witness,
  });
  if (found === undefined) return undefined;
  let source: RecipeSource | undefined;
  try {
    source = await readRecipeSource(embedded.directory, { boundary: directory, problems, witness });
  } catch (error) {
    if (error instanceof BuilditError && error.code === 'file-missing') problems.addError(node, error);
    else problems.addError(step, error);
  }
  if (source === undefined) return undefined;
  const origin: PackageOrigin = { kind: 'embedded', shownPath: embedded.shownPath, directory: embedded.directory };
  if (isDerivation(source)) return await requestDerivation(source, origin, node, context);
  const recipe = asRecipe(source, { repository: context.defaultRepository, problems });
  return recipe && { recipe, origin, derivation: undefined, version: undefined, asked: [], node };
}

async function requestDerivation(
  derivation: RecipeSource,
  origin: PackageOrigin,
  node: YamlNode,
  context: DefinitionContext,
): Promise<PackageRequest | undefined> {
  const base = memberOf(derivation.root, 'base')?.value;
  if (base?.kind !== 'scalar') return undefined;
  if (base.text.startsWith(`${DEBIAN_CATEGORY}/`)) return debianDerivation(derivation, origin, base, context);
  const atom = await readAtom(base, base.text, { ...context, ...OF_REPOSITORIES });
  const recipe = atom && (await context.library.find(atom));
  if (recipe === undefined || atom === undefined) return undefined;
  return { recipe, origin, derivation, version: versionOf(atom, base), asked: [], node };
}

/** The recipe of a Debian source package is as good as written: its name says all. */
function debianDerivation(
  derivation: RecipeSource,
  origin: PackageOrigin,
  base: YamlScalar,
  { problems, defaultRepository }: DefinitionContext,
): PackageRequest | undefined {
  const [, name, version] = /^debian\/([^=]+)(?:=(.*))?$/.exec(base.text) ?? [];
  if (name === undefined || !isDebianPackageName(name) || (version !== undefined && !isDebianVersion(version))) {
    problems.expected(base, 'base', 'a Debian source package such as debian/redis or debian/redis=5:7.0.15-1~deb12u7');
    return undefined;
  }
  const recipe = asRecipe(debianRecipe(name, version, derivation), { repository: defaultRepository, problems });
  return recipe && { recipe, origin, derivation, version: undefined, asked: [], node: base };
}

function debianRecipe(name: string, version: string | undefined, { directory }: RecipeSource): RecipeSource {
  const source = JSON.stringify({ debian: name, ...(version === undefined ? {} : { version }) });
  const text = `{"name": "${DEBIAN_SOURCE_CATEGORY}/${name}", "class": "debian", "source": ${source}, "patches": {}}`;
  const root = parseYaml(
    { name: `debian/${name}`, path: directory, text, lineStarts: [0] },
    'definition-invalid',
  ) as YamlMap;
  return { root, directory };
}

/** Only repositories can be based on, or named by a step: a recipe of the container is named by its path. */
const OF_REPOSITORIES: Pick<AtomContext, 'embedded' | 'requested'> = { embedded: new Set(), requested: new Map() };

function versionOf(atom: Atom, node: YamlNode): PackageRequest['version'] {
  const wanted = wantedVersionOf(atom);
  return wanted === undefined || node.kind !== 'scalar' ? undefined : { wanted, node };
}
