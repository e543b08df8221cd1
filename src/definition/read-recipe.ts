import { closestName } from '../document/closest-name.ts';
import { mapAt, scalarAt, textAt } from '../document/fields.ts';
import type { Problems } from '../document/problems.ts';
import { readDocument } from '../document/read-document.ts';
import { validateSchema } from '../document/validate-schema.ts';
import { memberOf, type YamlMap, type YamlNode } from '../document/yaml-node.ts';
import { isDebianVersion, isPackageNamePart, isVersion, printable } from '../model/names.ts';
import { compareVersions, versionOrder } from '../model/version-order.ts';
import type { VersionScheme } from '../model/version-scheme.ts';
import type { Witness } from '../system/witness.ts';
import { DEBIAN_CATEGORY } from './atom.ts';
import { acceptText, refuseText } from './checked-text.ts';
import { UNKNOWN_VERSION } from './debian-source.ts';
import { readScheme } from './read-scheme.ts';
import type { Recipe, RecipeSource } from './recipe.ts';

/** Words of pkg.yaml that this version refuses by name. */
const UNSUPPORTED = {} as const;

export interface ReadRecipeOptions {
  /** What links may not leave: the container's directory, or the repository's. */
  readonly boundary: string;
  readonly problems: Problems;
  readonly witness: Witness | undefined;
}

/** Reads a directory's pkg.yaml, whichever of the two kinds it is, and checks its shape. Throws when it is no YAML. */
export async function readRecipeSource(
  directory: string,
  { boundary, problems, witness }: ReadRecipeOptions,
): Promise<RecipeSource | undefined> {
  const root = await readDocument(directory, 'pkg.yaml', { boundary, code: 'definition-invalid', witness });
  if (complainsOfBase(root, problems)) return undefined;
  await validateSchema('pkg', root, problems, UNSUPPORTED);
  return root.kind === 'map' ? { root, directory } : undefined;
}

/** A misspelt `base` would make a recipe of a derivation, and each of its keys a mistake. */
function complainsOfBase(root: YamlNode, problems: Problems): boolean {
  if (root.kind !== 'map' || memberOf(root, 'base') !== undefined || memberOf(root, 'name') !== undefined) return false;
  const misspelt = root.members.find(({ name }) => closestName(name, ['base', 'name']) === 'base');
  if (misspelt === undefined) return false;
  const message = `Cannot read "pkg.yaml": expected the key "base" or "name", found "${printable(misspelt.name)}"`;
  problems.add(misspelt.key, message, { hint: 'did you mean "base"?' });
  return true;
}

export function isDerivation({ root }: RecipeSource): boolean {
  return memberOf(root, 'base') !== undefined;
}

/** Reads name and versions of a recipe. In a repository the name is where it lies. */
export function asRecipe(
  source: RecipeSource,
  { repository, expectedName, problems }: { repository: string; expectedName?: string; problems: Problems },
): Recipe | undefined {
  const { root } = source;
  const nameNode = scalarAt(root, 'name');
  const name = acceptText(
    nameNode && { node: nameNode, text: nameNode.text },
    'a name such as www-servers/nginx',
    isPackageName,
    { label: 'name', problems },
  );
  if (name !== undefined && expectedName !== undefined && name !== expectedName) {
    problems.expected(nameNode!, 'name', `"${expectedName}", which is where the recipe lies`);
  }
  const scheme = readScheme(root);
  const versions = readVersions(source, scheme, problems);
  checkHasWork(source, problems);
  if (name === undefined || versions.length === 0) return undefined;
  return { ...source, name, repository, versions, scheme };
}

function isPackageName(text: string): boolean {
  const parts = text.split('/');
  return parts.length === 2 && parts.every(isPackageNamePart) && parts[0] !== DEBIAN_CATEGORY;
}

function readVersions({ root }: RecipeSource, scheme: VersionScheme, problems: Problems): readonly string[] {
  if (textAt(root, 'class') === 'debian') return debianVersions(root, problems);
  const single = scalarAt(root, 'version');
  const many = memberOf(root, 'versions');
  if ((single === undefined) === (many === undefined)) {
    const found = single === undefined ? 'neither' : 'both';
    problems.add(many?.key ?? root, `Cannot read "pkg.yaml": expected one of "version" and "versions", found ${found}`);
    return [];
  }
  const nodes = single === undefined ? (mapAt(root, 'versions')?.members ?? []).map(({ key }) => key) : [single];
  const versions = nodes.flatMap((node) => {
    const check = { label: 'version', problems };
    const { example, isVersion: isOfScheme } = versionOrder(scheme);
    const version = acceptText({ node, text: node.text }, 'a version such as 1.22.1', isVersion, check);
    if (version === undefined || isOfScheme(version)) return version ?? [];
    return refuseText({ node, text: version }, `a version of the scheme ${scheme} such as ${example}`, check) ?? [];
  });
  return versions.sort((a, b) => compareVersions(b, a, scheme) || (a < b ? -1 : 1));
}

/** The version is the source package's; which is the newest a lock knows. */
function debianVersions(root: YamlMap, problems: Problems): readonly string[] {
  const misplaced = memberOf(root, 'version') ?? memberOf(root, 'versions');
  if (misplaced !== undefined) {
    problems.add(misplaced.key, `Cannot use "${misplaced.name}": expected it in "source" with "class: debian"`, {
      hint: 'source: {debian: redis, version: "5:7.0.15-1"}',
    });
  }
  const version = textAt(mapAt(root, 'source'), 'version');
  // What is none is complained about where the source is read; nothing may be looked for by its name.
  return [version !== undefined && isDebianVersion(version) ? version : UNKNOWN_VERSION];
}

/** Without a class and without phases nothing would be built, and nobody told. */
function checkHasWork({ root }: RecipeSource, problems: Problems): void {
  if (memberOf(root, 'class') !== undefined || memberOf(root, 'phases') !== undefined) return;
  problems.add(root, 'Cannot read "pkg.yaml": expected the key "class" or "phases", found neither', {
    hint: 'class: none is for packages that build nothing',
  });
}
