import type { YamlNode } from '../document/yaml-node.ts';
import { BuilditError } from '../model/errors.ts';
import { type Atom, atomText } from '../model/package.ts';
import { DEBIAN_CATEGORY, packageName } from './atom.ts';
import type { DefinitionContext } from './definition-context.ts';
import type { PackageRequest } from './package-requests.ts';
import { readAtom } from './read-atom.ts';
import type { Recipe } from './recipe.ts';
import { type PackageChoices, type PackageReading, resolvePackage } from './resolve-package.ts';

/**
 * Finds every recipe that the requested ones need, and one version for each name: the version somebody names, else the
 * lock's, else the newest. Naming an exact version can come up late; then the choice starts again with that known.
 */
export async function solvePackages(
  requests: readonly PackageRequest[],
  context: DefinitionContext,
): Promise<ReadonlyMap<string, PackageReading>> {
  const exact = new Map<string, { readonly version: string; readonly by: string }>();
  for (const { recipe, version } of requests) {
    if (version !== undefined) exact.set(recipe.name, { version: version.text, by: 'the container' });
  }
  const solution = new Solution(requests, exact, context);
  for (;;) {
    const packages = await solution.walk();
    if (packages !== 'again') return packages;
  }
}

class Solution {
  readonly #requests: ReadonlyMap<string, PackageRequest>;
  readonly #exact: Map<string, { readonly version: string; readonly by: string }>;
  readonly #context: DefinitionContext;
  readonly #resolved = new Map<string, Promise<PackageReading>>();

  constructor(
    requests: readonly PackageRequest[],
    exact: Map<string, { readonly version: string; readonly by: string }>,
    context: DefinitionContext,
  ) {
    this.#requests = new Map(requests.map((request) => [request.recipe.name, request]));
    this.#exact = exact;
    this.#context = context;
  }

  /** Goes from the requests along the dependencies; `again` when a version was named for what had another already. */
  async walk(): Promise<ReadonlyMap<string, PackageReading> | 'again'> {
    const packages = new Map<string, PackageReading>();
    const waiting: { readonly name: string; readonly atom: Atom | undefined; readonly node: YamlNode }[] = [];
    for (const [name, { node }] of this.#requests) waiting.push({ name, atom: undefined, node });
    for (const { name, atom, node } of waiting) {
      if (packages.has(name)) continue;
      const reading = await this.#package(name, atom, node);
      if (reading === undefined) continue;
      packages.set(name, reading);
      for (const { atom: needed, node: place } of reading.dependencies) {
        if (needed.category === DEBIAN_CATEGORY) continue;
        const neededName = packageName(needed);
        if (this.#isNewDemand(needed, name, place) && packages.has(neededName)) return 'again';
        waiting.push({ name: neededName, atom: needed, node: place });
      }
    }
    return packages;
  }

  /** Notes an exact version; one that contradicts what is known is a complaint. */
  #isNewDemand(needed: Atom, by: string, node: YamlNode): boolean {
    if (needed.version === undefined) return false;
    const name = packageName(needed);
    const known = this.#exact.get(name);
    if (known === undefined) {
      this.#exact.set(name, { version: needed.version, by });
      return true;
    }
    if (known.version !== needed.version) {
      const message = `Cannot choose a version of "${name}": ${by} needs ${needed.version}, ${known.by} needs ${known.version}`;
      this.#context.problems.add(node, message, { code: 'dependency-unsatisfied' });
    }
    return false;
  }

  async #package(name: string, atom: Atom | undefined, node: YamlNode): Promise<PackageReading | undefined> {
    const request = this.#requests.get(name);
    const recipe = request?.recipe ?? (await this.#context.library.find(atom!));
    if (recipe === undefined) return undefined;
    const version = this.#chooseVersion(recipe, request?.version?.node ?? node);
    if (version === undefined) return undefined;
    const key = atomText({ category: '', name, version });
    const known = this.#resolved.get(key);
    if (known !== undefined) return await known;
    const resolving = resolvePackage(recipe, this.#choices(recipe, version, request), {
      ...this.#context,
      readAtom: (place, text) => readAtom(place, text, this.#context),
    });
    this.#resolved.set(key, resolving);
    return await resolving;
  }

  #choices(recipe: Recipe, version: string, request: PackageRequest | undefined): PackageChoices {
    const { repositories, use } = this.#context;
    const repository = repositories.find(({ name }) => name === recipe.repository);
    return {
      version,
      origin: request?.origin ?? { kind: 'repository', repository: recipe.repository, directory: recipe.directory },
      use: { general: repository === undefined ? [use] : [repository.use, use], asked: request?.asked ?? [] },
      derivation: request?.derivation,
    };
  }

  #chooseVersion({ name, versions }: Recipe, node: YamlNode): string | undefined {
    const known = versions.slice(0, 10).join(', ');
    const exact = this.#exact.get(name);
    if (exact !== undefined) {
      if (versions.includes(exact.version)) return exact.version;
      const message = `Cannot choose a version of "${name}": expected ${exact.version}, found ${known}`;
      this.#context.problems.add(node, message, { code: 'dependency-unsatisfied' });
      return undefined;
    }
    const { pinnedVersions } = this.#context;
    const pinned = Object.hasOwn(pinnedVersions, name) ? pinnedVersions[name] : undefined;
    if (pinned === undefined || versions.includes(pinned)) return pinned ?? versions[0];
    const message = `Cannot use version ${pinned} of "${name}", which buildit.lock pins: expected one of the recipe, found ${known}`;
    throw new BuilditError('lock-outdated', message, { hint: `buildit lock ${name}` });
  }
}
