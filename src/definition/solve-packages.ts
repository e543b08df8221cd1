import { Problems } from '../document/problems.ts';
import type { YamlNode } from '../document/yaml-node.ts';
import { BuilditError } from '../model/errors.ts';
import { type Atom, atomText } from '../model/package.ts';
import { DEBIAN_CATEGORY, packageName } from './atom.ts';
import type { DefinitionContext } from './definition-context.ts';
import type { PackageRequest } from './package-requests.ts';
import { readAtom } from './read-atom.ts';
import type { Recipe } from './recipe.ts';
import { refuseDemands, shownVersions } from './refuse-demands.ts';
import { type PackageChoices, type PackageReading, resolvePackage } from './resolve-package.ts';
import {
  allowedVersions,
  demandKey,
  demandText,
  type MetDemands,
  meetDemands,
  type VersionDemand,
} from './version-demand.ts';
import { wantedVersionOf, wantedVersionText } from './wanted-version.ts';

/**
 * Finds every recipe that the requested ones need, and one version for each name: of those that all demands allow the
 * lock's, else the newest. A demand can come up when the choice is made already; then everything is chosen again with
 * that known. No package is chosen older than its own demands want it to make another's choice easier: demands that
 * cannot be met at once are a complaint.
 *
 * Whoever made a known demand may be chosen otherwise afterwards, and not make it any more. Such a demand is forgotten
 * once; where it comes up again, the choice would go round in a circle, and it stays, which is said.
 */
export async function solvePackages(
  requests: readonly PackageRequest[],
  context: DefinitionContext,
): Promise<ReadonlyMap<string, PackageReading>> {
  const solution = new Solution(requests, context);
  const known = new Map<string, VersionDemand>();
  const forgotten = new Set<string>();
  for (;;) {
    const walk = await solution.walk([...known.values()]);
    if (walk.late !== undefined) {
      known.set(demandKey(walk.late), walk.late);
      continue;
    }
    const made = new Set([...walk.demands.values()].flat().map(demandKey));
    const stale = [...known.keys()].filter((key) => !made.has(key) && !forgotten.has(key));
    if (stale.length === 0) return solution.finish(walk, [...known.values()]);
    for (const key of stale) {
      known.delete(key);
      forgotten.add(key);
    }
  }
}

interface ChosenPackage {
  readonly recipe: Recipe;
  readonly version: string;
  readonly reading: PackageReading;
  /** What was wrong with it; nobody is told before it is known that the package is needed. */
  readonly problems: Problems;
}

interface Walk {
  readonly packages: Map<string, ChosenPackage>;
  /** Every recipe that was come by, with a version or without. */
  readonly recipes: Map<string, Recipe>;
  /** By the name of the package. */
  readonly demands: Map<string, VersionDemand[]>;
  /** A demand against a choice that was made without it; the walk ends there. */
  late?: VersionDemand;
}

/** A package to choose: one the container asks for, or a dependency. */
interface Waiting {
  readonly name: string;
  readonly atom: Atom | undefined;
}

class Solution {
  readonly #requests: ReadonlyMap<string, PackageRequest>;
  readonly #demands: readonly VersionDemand[];
  readonly #context: DefinitionContext;
  readonly #resolved = new Map<string, Promise<ChosenPackage>>();

  constructor(requests: readonly PackageRequest[], context: DefinitionContext) {
    this.#requests = new Map(requests.map((request) => [request.recipe.name, request]));
    this.#demands = requests.flatMap(({ recipe, version }) =>
      version === undefined ? [] : [{ ...version, name: recipe.name, by: 'the container', byVersion: undefined }],
    );
    this.#context = context;
  }

  /** Goes from the requests along the dependencies and chooses what it comes by. */
  async walk(known: readonly VersionDemand[]): Promise<Walk> {
    const walk: Walk = { packages: new Map(), recipes: new Map(), demands: byName(this.#demands) };
    const expected = byName(known);
    const waiting: Waiting[] = [...this.#requests.keys()].map((name) => ({ name, atom: undefined }));
    const isKnown = new Set(known.map(demandKey));
    for (const { name, atom } of waiting) {
      if (walk.recipes.has(name)) continue;
      const recipe = this.#requests.get(name)?.recipe ?? (await this.#context.library.find(atom!));
      if (recipe === undefined) continue;
      walk.recipes.set(name, recipe);
      const version = this.#chooseVersion(recipe, walk, expected.get(name) ?? []);
      if (version === undefined) continue;
      const chosen = await this.#package(recipe, version);
      walk.packages.set(name, chosen);
      for (const { atom: needed, node } of chosen.reading.dependencies) {
        if (needed.category === DEBIAN_CATEGORY) continue;
        const demand = demandOf(needed, chosen, node);
        if (demand !== undefined) addDemand(walk.demands, demand);
        if (demand !== undefined && isAgainst(demand, walk) && !isKnown.has(demandKey(demand))) {
          return { ...walk, late: demand };
        }
        waiting.push({ name: packageName(needed), atom: needed });
      }
    }
    return walk;
  }

  /** Complains about what is wrong in a walk that came to its end; throws where it does not go with the lock. */
  finish({ packages, recipes, demands }: Walk, known: readonly VersionDemand[]): ReadonlyMap<string, PackageReading> {
    const { problems } = this.#context;
    const stale = byName(known);
    for (const [name, recipe] of recipes) {
      const own = demands.get(name) ?? [];
      if (refuseDemands(recipe, own, problems)) {
        this.#checkPin(recipe, own);
        refuseCircle(packages.get(name), own, stale.get(name) ?? [], problems);
      }
    }
    for (const chosen of packages.values()) problems.addAll(chosen.problems);
    return new Map(
      [...packages].map(([name, chosen]) => {
        const preferred = this.#preferredVersion(chosen.recipe, meetDemands(chosen.recipe, demands.get(name) ?? []));
        return [name, withCircleNotice(chosen, preferred, stale.get(name) ?? [])];
      }),
    );
  }

  /** Undefined where a demand has no version at all. Demands that nobody in this walk made yet count where they can. */
  #chooseVersion(recipe: Recipe, walk: Walk, known: readonly VersionDemand[]): string | undefined {
    const own = walk.demands.get(recipe.name) ?? [];
    if (own.some((demand) => allowedVersions(recipe, demand).length === 0)) return undefined;
    const expected = known.filter((demand) => isStillPossible(demand, walk));
    return this.#preferredVersion(recipe, meetDemands(recipe, expected, meetDemands(recipe, own).versions));
  }

  #preferredVersion({ name }: Recipe, { versions }: MetDemands): string | undefined {
    const pinned = this.#pinnedVersion(name);
    return pinned !== undefined && versions.includes(pinned) ? pinned : versions[0];
  }

  #pinnedVersion(name: string): string | undefined {
    const { pinnedVersions } = this.#context;
    return Object.hasOwn(pinnedVersions, name) ? pinnedVersions[name] : undefined;
  }

  /** A pin that the demands allow has to be a version of the recipe; one that they do not allow is replaced. */
  #checkPin(recipe: Recipe, demands: readonly VersionDemand[]): void {
    const pinned = this.#pinnedVersion(recipe.name);
    if (pinned === undefined || recipe.versions.includes(pinned)) return;
    const known = { ...recipe, versions: [pinned] };
    if (demands.some((demand) => allowedVersions(known, demand).length === 0)) return;
    const message = `Cannot use version ${pinned} of "${recipe.name}", which buildit.lock pins: expected one of the recipe, found ${shownVersions(recipe)}`;
    throw new BuilditError('lock-outdated', message, { hint: `buildit lock ${recipe.name}` });
  }

  #package(recipe: Recipe, version: string): Promise<ChosenPackage> {
    const key = atomText({ category: '', name: recipe.name, version });
    const known = this.#resolved.get(key);
    if (known !== undefined) return known;
    const resolving = this.#resolve(recipe, version);
    this.#resolved.set(key, resolving);
    return resolving;
  }

  async #resolve(recipe: Recipe, version: string): Promise<ChosenPackage> {
    const problems = new Problems('definition-invalid');
    const context = { ...this.#context, problems };
    const reading = await resolvePackage(recipe, this.#choices(recipe, version), {
      ...context,
      readAtom: (place, text) => readAtom(place, text, context),
    });
    return { recipe, version, reading, problems };
  }

  #choices(recipe: Recipe, version: string): PackageChoices {
    const { repositories, use } = this.#context;
    const repository = repositories.find(({ name }) => name === recipe.repository);
    const request = this.#requests.get(recipe.name);
    return {
      version,
      origin: request?.origin ?? { kind: 'repository', repository: recipe.repository, directory: recipe.directory },
      use: { general: repository === undefined ? [use] : [repository.use, use], asked: request?.asked ?? [] },
      derivation: request?.derivation,
    };
  }
}

function byName(demands: readonly VersionDemand[]): Map<string, VersionDemand[]> {
  const map = new Map<string, VersionDemand[]>();
  for (const demand of demands) addDemand(map, demand);
  return map;
}

function addDemand(map: Map<string, VersionDemand[]>, demand: VersionDemand): void {
  const others = map.get(demand.name);
  if (others === undefined) map.set(demand.name, [demand]);
  else others.push(demand);
}

function demandOf(atom: Atom, { recipe, version }: ChosenPackage, node: YamlNode): VersionDemand | undefined {
  const wanted = wantedVersionOf(atom);
  return wanted && { name: packageName(atom), wanted, by: recipe.name, byVersion: version, node };
}

/** Tells whether a version was chosen that the demand does not allow. */
function isAgainst(demand: VersionDemand, { packages }: Walk): boolean {
  const chosen = packages.get(demand.name);
  return chosen !== undefined && !allowedVersions(chosen.recipe, demand).includes(chosen.version);
}

/** Whoever made it is not chosen in another version. */
function isStillPossible({ by, byVersion }: VersionDemand, { packages }: Walk): boolean {
  const version = packages.get(by)?.version;
  return version === undefined || version === byVersion;
}

/** Demands that can be met and are not met: a demand of a version that is not chosen in the end kept coming up. */
function refuseCircle(
  chosen: ChosenPackage | undefined,
  demands: readonly VersionDemand[],
  known: readonly VersionDemand[],
  problems: Problems,
): void {
  if (chosen === undefined) return;
  const { recipe, version } = chosen;
  const unmet = demands.find((demand) => !allowedVersions(recipe, demand).includes(version));
  if (unmet === undefined) return;
  const made = new Set(demands.map(demandKey));
  const others = known.filter((demand) => !made.has(demandKey(demand))).map(staleDemandText);
  const message = `Cannot choose a version of "${recipe.name}": ${[demandText(unmet), ...others].join(', ')}, and the choice goes round in a circle`;
  problems.add(unmet.node, message, { code: 'dependency-unsatisfied', hint: 'name exact versions in container.yaml' });
}

/** `www-servers/nginx 1.26.3 needs ~3.0`, of a version that is not chosen in the end. */
function staleDemandText({ by, byVersion, wanted }: VersionDemand): string {
  return `${by} ${byVersion} needs ${wantedVersionText(wanted)}`;
}

/** Says so where a package is not in the version its demands would give it, because whoever that brings in forbids it. */
function withCircleNotice(
  { recipe, version, reading }: ChosenPackage,
  preferred: string | undefined,
  stale: readonly VersionDemand[],
): PackageReading {
  if (preferred === version || stale.length === 0) return reading;
  const notice = `${recipe.name} is taken in version ${version}, not ${preferred}: with that ${stale.map(staleDemandText).join(', ')}`;
  return { ...reading, package: { ...reading.package, notices: [...reading.package.notices, notice] } };
}
