import { append } from '../model/append.ts';
import { BuilditError } from '../model/errors.ts';
import type { DebianPin, DebianSet } from '../model/lock.ts';
import { heldPackage } from './held-package.ts';
import type { AvailablePackage } from './indexed-package.ts';
import { needs, type PackageUniverse, satisfies } from './package-universe.ts';
import { groupText, type Relation, type RelationGroup } from './relations.ts';
import { Selection } from './selection.ts';

export interface ResolveRequest {
  readonly wants: readonly { readonly name: string; readonly version?: string | undefined }[];
  /** Packages that are taken as they stand, at no other version; they are in the result where something needs them. */
  readonly fixed?: DebianSet | undefined;
  /** Adds the packages that every Debian system has. */
  readonly essential?: boolean | undefined;
  /** Relations to meet besides, such as those of a source package. */
  readonly needs?: readonly WantedRelations[] | undefined;
}

/** Relations that somebody has who is no package of the set. */
export interface WantedRelations {
  /** Who needs them, for messages: `the Debian source package redis`. */
  readonly by: string;
  readonly groups: readonly RelationGroup[];
}

export interface ResolvedPackages {
  readonly set: DebianSet;
  /** For each of the `needs`, the names that meet its relations, sorted. */
  readonly met: readonly (readonly string[])[];
}

/** Why something cannot be had: the needs that led there, then what is in the way. */
interface Failure {
  readonly chain: readonly string[];
  readonly reason: string;
}

interface Resolution {
  readonly universe: PackageUniverse;
  readonly selection: Selection;
  stepsLeft: number;
}

/** Choices tried before giving up; the largest closures of the archive take some thousand. */
const MAXIMUM_STEPS = 50_000;

/**
 * Where a need names both, the second is taken: they differ only in a maintainer script that rearranges a running
 * system, and here every tree is merged from the start.
 */
const PREFERRED: Readonly<Record<string, string>> = { usrmerge: 'usr-is-merged' };

/**
 * Chooses a version of every wanted package and of everything these need, the way apt does from an empty system without
 * recommendations: what is chosen already meets a need first, then alternatives in the order written, each by the
 * package of that name, then by its providers. Where a choice leads into a conflict the next one is tried. The result
 * depends on nothing but the arguments, and not on the order of the wants.
 */
export function resolvePackages(universe: PackageUniverse, request: ResolveRequest): DebianSet {
  return resolveNeeds(universe, request).set;
}

/** As `resolvePackages`, and says what was chosen for each of the `needs`. */
export function resolveNeeds(universe: PackageUniverse, request: ResolveRequest): ResolvedPackages {
  const { wants, fixed = {}, essential = false, needs: others = [] } = request;
  const resolution: Resolution = { universe, selection: new Selection(universe), stepsLeft: MAXIMUM_STEPS };
  for (const pin of Object.values(fixed)) resolution.selection.add(heldPackage(pin, universe));
  const essentials = essential ? universe.essentials().map(({ name }) => ({ name, version: undefined })) : [];
  const sorted = [...wants].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const seeds = [...essentials, ...sorted].map((want) => addSeed(resolution, want));
  for (const seed of seeds) {
    const failure = expand(resolution, seed);
    if (failure !== undefined) throw unsatisfied(seed, failure);
  }
  for (const { by, groups } of others) {
    for (const group of groups) {
      const failure = meet(resolution, group);
      if (failure !== undefined) throw unmet(by, group, failure);
    }
  }
  const met = others.map(({ groups }) => groups.map((group) => resolution.selection.satisfier(group)!));
  const names = met.map((entries) => [...new Set(entries.map(({ name }) => name))].sort());
  return { set: collectPins(resolution, [...seeds, ...met.flat()], fixed), met: names };
}

function addSeed({ universe, selection }: Resolution, want: { name: string; version?: string | undefined }) {
  const chosen = selection.get(want.name);
  if (chosen !== undefined) {
    if (want.version === undefined || want.version === chosen.version) return chosen;
    throw new BuilditError(
      'dependency-unsatisfied',
      `Cannot resolve "debian/${want.name}": expected version ${want.version}, found ${chosen.version} held by a lock`,
    );
  }
  const versions = universe.versions(want.name);
  const entry = want.version === undefined ? versions[0] : versions.find(({ version }) => version === want.version);
  if (entry === undefined) throw unknownPackage(universe, want, versions);
  const conflict = selection.conflict(entry);
  if (conflict !== undefined) throw unsatisfied(entry, { chain: [], reason: conflict });
  selection.add(entry);
  return entry;
}

/** Meets the needs of a package that is chosen. */
function expand(resolution: Resolution, entry: AvailablePackage): Failure | undefined {
  if (!resolution.selection.expands(entry)) return undefined;
  for (const group of needs(entry)) {
    const failure = meet(resolution, group);
    if (failure === undefined) continue;
    const need = `${entry.name} ${entry.version} needs ${groupText(group)}`;
    return { chain: [need, ...failure.chain], reason: failure.reason };
  }
  return undefined;
}

function meet(resolution: Resolution, group: RelationGroup): Failure | undefined {
  const { selection } = resolution;
  const chosen = selection.satisfier(group);
  if (chosen !== undefined) return expand(resolution, chosen);
  let first: Failure | undefined;
  for (const candidate of candidates(resolution, group)) {
    resolution.stepsLeft -= 1;
    if (resolution.stepsLeft < 0) return { chain: [], reason: 'too many combinations' };
    const failure = choose(resolution, candidate);
    if (failure === undefined) return undefined;
    first ??= failure;
  }
  return first ?? { chain: [], reason: whyNone(resolution, group) };
}

function choose(resolution: Resolution, entry: AvailablePackage): Failure | undefined {
  const { selection } = resolution;
  const conflict = selection.conflict(entry);
  if (conflict !== undefined) return { chain: [], reason: conflict };
  const mark = selection.mark();
  selection.add(entry);
  const failure = expand(resolution, entry);
  if (failure !== undefined) selection.backTo(mark);
  return failure;
}

/** Of each alternative the newest version, then providers, then older versions, which only other suites can have. */
function candidates({ universe, selection }: Resolution, group: RelationGroup): readonly AvailablePackage[] {
  const found = preferredFirst(group).flatMap((relation) => {
    const fits = (entry: AvailablePackage) => satisfies(entry, relation, universe.architecture);
    const [newest, ...older] = universe.versions(relation.name).filter(fits);
    const providers = universe.providers(relation.name).filter((entry) => entry.name !== relation.name && fits(entry));
    return [...(newest === undefined ? [] : [newest]), ...providers, ...older];
  });
  return [...new Set(found)].filter(({ name }) => selection.get(name) === undefined);
}

function preferredFirst(group: RelationGroup): RelationGroup {
  const preferred = group.filter(({ name }) => group.some((other) => PREFERRED[other.name] === name));
  return preferred.length === 0 ? group : [...preferred, ...group.filter((relation) => !preferred.includes(relation))];
}

function whyNone({ universe, selection }: Resolution, group: RelationGroup): string {
  return group.map((relation) => whyNoneOf(universe, selection, relation)).join('; ');
}

function whyNoneOf(universe: PackageUniverse, selection: Selection, { name }: Relation): string {
  const chosen = selection.get(name);
  if (chosen !== undefined) return `${name} ${chosen.version} is chosen already`;
  const versions = universe.versions(name).map(({ version }) => version);
  if (versions.length > 0) return `${name} is there as ${versions.join(', ')}`;
  return `nothing is or provides ${name}`;
}

/** What the seeds reach, as pins; each need is tied to the package that meets it in the finished set. */
function collectPins({ selection }: Resolution, seeds: readonly AvailablePackage[], fixed: DebianSet): DebianSet {
  const pins = new Map<string, DebianPin>();
  const waiting = [...seeds];
  for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
    if (pins.has(entry.name)) continue;
    const { name } = entry;
    const met = needs(entry).map((group) => selection.satisfier(group)!);
    const others = [...new Set(met)].filter((other) => other.name !== name);
    const depends = others.map((other) => other.name).sort();
    const pin = Object.hasOwn(fixed, name) ? { ...fixed[name]!, depends } : pinOf(entry, depends);
    pins.set(name, pin);
    append(waiting, others);
  }
  return Object.fromEntries([...pins].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function pinOf(entry: AvailablePackage, depends: readonly string[]): DebianPin {
  const { name, version, architecture, suite, archive, date, path, size, sha256, source } = entry;
  return {
    name,
    version,
    architecture,
    suite,
    archive,
    date,
    path,
    size,
    sha256,
    depends,
    source,
    ...(entry.essential ? { essential: true as const } : {}),
    ...(entry.multiArch === 'same' ? { multiArchSame: true as const } : {}),
  };
}

function unknownPackage(
  universe: PackageUniverse,
  { name, version }: { name: string; version?: string | undefined },
  versions: readonly AvailablePackage[],
): BuilditError {
  const wanted = version === undefined ? `"debian/${name}"` : `"debian/${name}-${version}"`;
  if (versions.length > 0) {
    return new BuilditError(
      'dependency-unsatisfied',
      `Cannot resolve ${wanted}: expected that version in the archive, found ${versions.map((entry) => entry.version).join(', ')}`,
      { hint: 'superseded versions leave the archive; without a version the newest one is taken' },
    );
  }
  const providers = universe.providers(name).map((provider) => provider.name);
  if (providers.length > 0) {
    return new BuilditError(
      'dependency-unsatisfied',
      `Cannot resolve ${wanted}: expected a package, found a virtual one`,
      { hint: `name one that provides it: ${providers.slice(0, 8).join(', ')}` },
    );
  }
  const similar = similarNames(universe, name);
  return new BuilditError(
    'dependency-unsatisfied',
    `Cannot resolve ${wanted}: expected a package of that name, found none`,
    {
      hint: similar.length === 0 ? undefined : `did you mean ${similar.join(', ')}?`,
    },
  );
}

/** Names that differ in what is often forgotten, a prefix, a number, `-dev`; else those with the same beginning. */
function similarNames(universe: PackageUniverse, name: string): readonly string[] {
  const bare = (text: string) =>
    text
      .replace(/^lib/, '')
      .replace(/dev$|(?<![0-9.])[0-9.]+$/, '')
      .replaceAll('-', '');
  const [wanted, names] = [bare(name), [...universe.names()].sort()];
  const alike = names.filter((other) => bare(other) === wanted);
  const beginning = name.replace(/-[^-]*$/, '');
  const related = names.filter((other) => other === beginning || other.startsWith(`${beginning}-`));
  return (alike.length > 0 ? alike : related).slice(0, 5);
}

function unsatisfied(seed: AvailablePackage, { chain, reason }: Failure): BuilditError {
  return new BuilditError(
    'dependency-unsatisfied',
    `Cannot resolve "debian/${seed.name}": expected packages that go together, found that ${reason}`,
    { details: chain },
  );
}

function unmet(by: string, group: RelationGroup, { chain, reason }: Failure): BuilditError {
  return new BuilditError(
    'dependency-unsatisfied',
    `Cannot meet what ${by} is built with: expected ${groupText(group)}, found that ${reason}`,
    { details: chain },
  );
}
