import { resolve } from 'node:path';
import { didYouMean } from '../document/closest-name.ts';
import { scalarsAt } from '../document/fields.ts';
import { Problems } from '../document/problems.ts';
import { type DocumentText, positionOf } from '../document/yaml-node.ts';
import type { Config } from '../model/config.ts';
import { DEFAULT_BASE, type Definitions, type RepositoryDefinition } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { ResolvedPackage } from '../model/package.ts';
import type { Platform } from '../model/platform.ts';
import type { Witness } from '../system/witness.ts';
import { DEBIAN_CATEGORY, packageName } from './atom.ts';
import { checkImageUsers } from './check-image-users.ts';
import { createClassLibrary } from './class-library.ts';
import type { DefinitionContext } from './definition-context.ts';
import { findDependencyCycle } from './dependency-cycle.ts';
import { hostPlatform } from './host-platform.ts';
import { type PackageRequest, readPackageRequest, requestByName } from './package-requests.ts';
import { type ReadContainer, readContainer } from './read-container.ts';
import { readRepositories } from './read-repositories.ts';
import { createRecipeLibrary } from './recipe-library.ts';
import type { PackageReading } from './resolve-package.ts';
import { solvePackages } from './solve-packages.ts';

export interface ReadDefinitionsOptions {
  readonly config: Pick<Config, 'recipes' | 'use' | 'userPatches'>;
  /** Those of the configuration where absent. */
  readonly repositories?: readonly RepositoryDefinition[];
  /** Versions that the lock chose, by `category/name`. */
  readonly pinnedVersions?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly witness?: Witness;
  /** What to read in place of container.yaml: an edit is read before it is written. */
  readonly container?: DocumentText | undefined;
}

/**
 * Reads a container's directory and every recipe it needs, and makes every choice that needs no network: versions, flags,
 * derivations, templates. Throws all that is wrong, each with its place; container.yaml's own mistakes come first alone.
 */
export async function readDefinitions(directory: string, options: ReadDefinitionsOptions): Promise<Definitions> {
  const { config, witness, pinnedVersions = {}, platform = hostPlatform() } = options;
  const problems = new Problems('definition-invalid');
  const absolute = resolve(directory);
  const read = await readContainer(absolute, { platform, problems, witness, document: options.container });
  problems.throwAll();
  const repositories = options.repositories ?? (await readRepositories(config.recipes, witness));
  const context: DefinitionContext = {
    directory: absolute,
    platform,
    problems,
    witness,
    library: createRecipeLibrary({ repositories, problems, witness }),
    classes: createClassLibrary({ problems, witness }),
    repositories,
    defaultRepository: (repositories.find(({ name }) => name === 'main') ?? repositories[0])?.name ?? '',
    embedded: new Set(),
    requested: new Map(),
    use: config.use,
    userPatches: config.userPatches,
    pinnedVersions,
  };
  const requests = await readRequests(read!, context);
  const packages = await solvePackages(requests, context);
  problems.throwAll();
  refuseCycle(packages);
  const requested = requests.map(({ recipe }) => recipe.name);
  checkImageUsers(read!.container, requested, packages, problems);
  const definitions = assemble(read!, requests, packages, repositories, problems);
  problems.throwAll();
  return definitions;
}

/** The base first, then the packages in the order written. Embedded ones are known before any dependency is read. */
async function readRequests(read: ReadContainer, context: DefinitionContext): Promise<readonly PackageRequest[]> {
  const requests: PackageRequest[] = [];
  for (const placed of read.packages) {
    const request = await readPackageRequest(placed, context);
    if (request === undefined) continue;
    const { name } = request.recipe;
    if (requests.some(({ recipe }) => recipe.name === name)) {
      const message = `Cannot put "${name}" into the image: expected each package once, found it again`;
      context.problems.add(request.node, message);
      continue;
    }
    if (request.origin.kind === 'embedded') context.embedded.add(name);
    context.requested?.set(name, request.recipe);
    requests.push(request);
  }
  const { text, node } = read.base;
  if (text === false) return requests;
  const known = requests.find(({ recipe }) => recipe.name === text);
  const base = known ?? (await requestByName(node, text, context));
  if (base === undefined) return requests;
  return [base, ...requests.filter(({ recipe }) => recipe.name !== base.recipe.name)];
}

export function refuseCycle(packages: ReadonlyMap<string, PackageReading>): void {
  const edges = new Map<string, readonly string[]>();
  for (const [name, { dependencies }] of packages) {
    const recipes = dependencies.filter(({ atom }) => atom.category !== DEBIAN_CATEGORY);
    edges.set(
      name,
      recipes.map(({ atom }) => packageName(atom)),
    );
  }
  const cycle = findDependencyCycle(edges);
  if (cycle === undefined) return;
  const place = packages.get(cycle[0]!)!.dependencies.find(({ atom }) => packageName(atom) === cycle[1])!.node;
  const shown = cycle.length > 21 ? [...cycle.slice(0, 10), '…', ...cycle.slice(-10)] : cycle;
  throw new BuilditError(
    'dependency-cycle',
    `Cannot order the packages: expected no cycle, found ${shown.join(' → ')}`,
    {
      position: positionOf(place),
    },
  );
}

function assemble(
  { container, packages: steps, base }: ReadContainer,
  requests: readonly PackageRequest[],
  packages: ReadonlyMap<string, PackageReading>,
  repositories: readonly RepositoryDefinition[],
  problems: Problems,
): Definitions {
  const baseName = base.text === false ? false : requests[0]!.recipe.name;
  const inItsRole = (definition: ResolvedPackage): ResolvedPackage =>
    definition.name === baseName && baseName !== DEFAULT_BASE ? { ...definition, replacesBase: true } : definition;
  const asked = steps.map(({ package: asked, node }) => ({ ...asked, position: positionOf(node) }));
  return {
    container: { ...container, base: baseName, packages: asked },
    repositories,
    packages: [...packages.values()]
      .map((reading) => inItsRole(reading.package))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    requested: requests.map(({ recipe }) => recipe.name),
    ...requestedParts(steps, requests, packages, problems),
    debianRequested: asked.flatMap((one) =>
      one.kind === 'debian' ? [{ name: one.name, version: one.version, position: one.position }] : [],
    ),
  };
}

/** Nothing at all where no step names a part. A name that no package has is complained about. */
function requestedParts(
  placed: ReadContainer['packages'],
  requests: readonly PackageRequest[],
  packages: ReadonlyMap<string, PackageReading>,
  problems: Problems,
): Pick<Definitions, 'requestedParts'> {
  const parts = placed.flatMap(({ node }) => {
    const request = requests.find((one) => one.step === node);
    const definition = request && packages.get(request.recipe.name)?.package;
    if (definition === undefined) return [];
    return scalarsAt(node, 'subpackages').flatMap((part) => {
      const known = (definition.subpackages ?? []).map(({ name }) => name);
      if (known.includes(part.text)) return [{ name: definition.name, part: part.text, position: positionOf(part) }];
      const found = known.length === 0 ? 'none' : known.join(', ');
      const message = `Cannot use "${part.text}": expected a sub-package of ${definition.name}, found ${found}`;
      problems.add(part, message, { hint: didYouMean(part.text, known) });
      return [];
    });
  });
  return parts.length === 0 ? {} : { requestedParts: parts };
}
