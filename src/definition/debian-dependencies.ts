import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mapAt, scalarAt, scalarsAt } from '../document/fields.ts';
import { Problems } from '../document/problems.ts';
import type { YamlMap } from '../document/yaml-node.ts';
import type { RepositoryDefinition } from '../model/container.ts';
import { debianSourceKey } from '../model/lock.ts';
import { isPackageNamePart } from '../model/names.ts';
import type { Witness } from '../system/witness.ts';
import { DEBIAN_CATEGORY, readingsOfAtom } from './atom.ts';
import { CLASS_DEPENDENCY_KINDS, classDependencies } from './build-class.ts';
import { createClassLibrary } from './class-library.ts';
import { readDebianSource } from './debian-source.ts';
import { readRecipeSource } from './read-recipe.ts';

const KINDS = ['build', 'link', 'run', 'test'] as const;

/** What the recipes of a repository name of Debian's. */
export interface DebianDependencies {
  /** Binary packages, sorted. */
  readonly packages: readonly string[];
  /** Source packages of recipes of `class: debian`, by name. */
  readonly sources: readonly { readonly name: string; readonly version?: string | undefined }[];
}

/**
 * Every Debian package that any version, flag or class of any recipe of a repository names: what its lock has to pin. All
 * recipes are read and checked for their shape.
 */
export async function debianDependencies(repository: RepositoryDefinition): Promise<DebianDependencies> {
  const problems = new Problems('definition-invalid');
  const names = new Set<string>();
  const sources = new Map<string, DebianDependencies['sources'][number]>();
  const classes = createClassLibrary({ problems, witness: undefined });
  for (const directory of await recipeDirectories(repository.directory)) {
    const source = await readRecipeSource(directory, { boundary: repository.directory, problems, witness: undefined });
    if (source === undefined) continue;
    const node = scalarAt(source.root, 'class');
    const used = node && (await classes.find(node, repository.directory, problems));
    const ofClass = used === undefined ? [] : classAtoms(used);
    for (const atom of [...declaredAtoms(source.root), ...ofClass]) {
      const [reading] = readingsOfAtom(atom);
      if (reading?.category === DEBIAN_CATEGORY) names.add(reading.name);
    }
    const request = node?.text === 'debian' ? readDebianSource(source.root, undefined, problems) : undefined;
    if (request !== undefined) sources.set(debianSourceKey(request), { name: request.name, version: request.version });
  }
  problems.throwAll();
  const keys = [...sources.keys()].sort();
  return { packages: [...names].sort(), sources: keys.map((key) => sources.get(key)!) };
}

function classAtoms(root: YamlMap): string[] {
  const dependencies = classDependencies(root);
  return CLASS_DEPENDENCY_KINDS.flatMap((kind) => dependencies[kind].map(({ text }) => text));
}

function declaredAtoms(root: YamlMap): string[] {
  const holders = [root, ...mapsBelow(mapAt(root, 'flags')), ...mapsBelow(mapAt(root, 'subpackages'))];
  return holders.flatMap((holder) => {
    const dependencies = mapAt(holder, 'dependencies');
    return KINDS.flatMap((kind) => scalarsAt(dependencies, kind).map(({ text }) => text));
  });
}

function mapsBelow(map: YamlMap | undefined): readonly (YamlMap | undefined)[] {
  return (map?.members ?? []).map(({ name }) => mapAt(map, name));
}

/** `directory/category/name` of every recipe. */
export async function recipeDirectories(directory: string, witness?: Witness): Promise<readonly string[]> {
  const found: string[] = [];
  for (const category of await partsOf(directory, witness)) {
    for (const name of await partsOf(join(directory, category), witness)) {
      const path = join(directory, category, name);
      const recipe = await stat(join(path, 'pkg.yaml')).catch(() => undefined);
      if (recipe?.isFile() === true) found.push(path);
      else witness?.missing(join(path, 'pkg.yaml'));
    }
  }
  return found;
}

async function partsOf(directory: string, witness: Witness | undefined): Promise<readonly string[]> {
  witness?.listed(directory);
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && isPackageNamePart(entry.name))
    .map(({ name }) => name)
    .sort();
}
