import { mapAt, mapsAt, scalarAt, scalarsAt, scalarsOf, textAt } from '../document/fields.ts';
import type { Problems } from '../document/problems.ts';
import { nodeAt, positionOf, type YamlMap, type YamlScalar } from '../document/yaml-node.ts';
import type { RepositoryDefinition } from '../model/container.ts';
import {
  type Atom,
  atomText,
  type PackageOrigin,
  PHASE_NAMES,
  type PhaseName,
  type RecipeFile,
  type ResolvedPackage,
  type SubpackageRule,
} from '../model/package.ts';
import { multiarchTriplet, type Platform } from '../model/platform.ts';
import type { Witness } from '../system/witness.ts';
import { DEBIAN_CATEGORY } from './atom.ts';
import { type BuildClass, CLASS_DEPENDENCY_KINDS, EMPTY_CLASS, renderClass } from './build-class.ts';
import { acceptText } from './checked-text.ts';
import type { ClassLibrary } from './class-library.ts';
import { readDebianSource } from './debian-source.ts';
import { readAllowances } from './read-allowances.ts';
import { readCapabilities } from './read-capabilities.ts';
import { type ReadSubpackages, readSubpackages } from './read-subpackages.ts';
import { readTest } from './read-test.ts';
import { readUsers, type UserReading } from './read-users.ts';
import type { Recipe, RecipeSource } from './recipe.ts';
import { readRecipeFiles } from './recipe-files.ts';
import { createRecipeReading, type RecipeReading } from './recipe-reading.ts';
import { refuseOfDebian } from './refuse-of-debian.ts';
import { resolveEnvironment } from './resolve-environment.ts';
import { askedFlagsAt, effectiveFlags, type FlagChoices, resolveFlags } from './resolve-flags.ts';
import { resolvePatches, resolveUserPatches } from './resolve-patches.ts';
import { resolveSources } from './resolve-sources.ts';
import { resolveVendor } from './resolve-vendor.ts';
import { versionMapping } from './version-mapping.ts';

export interface PackageChoices {
  readonly version: string;
  readonly origin: PackageOrigin;
  readonly use: FlagChoices;
  /** The embedded pkg.yaml that changes the recipe. */
  readonly derivation: RecipeSource | undefined;
}

export interface ResolveContext {
  readonly platform: Platform;
  readonly problems: Problems;
  readonly witness: Witness | undefined;
  /** Absolute path of the user's own patches; undefined: they do not count. */
  readonly userPatches?: string | undefined;
  readonly classes: ClassLibrary;
  /** That of the recipe may have classes of its own. */
  readonly repositories: readonly RepositoryDefinition[];
  /** What a dependency means; complains and returns undefined when it means nothing. */
  readAtom(node: YamlScalar, text: string): Promise<Atom | undefined>;
}

/** A package with the places of its dependencies and users, for messages about them. */
export interface PackageReading {
  readonly package: ResolvedPackage;
  readonly dependencies: readonly { readonly atom: Atom; readonly node: YamlScalar }[];
  readonly users: readonly UserReading[];
}

/** Where a source package of format "3.0 (quilt)" lists Debian's own patches. */
const DEBIAN_SERIES = 'debian/patches/series';

/** Where the phase "strip" puts what debuggers alone read. */
const DEBUG_FILES: SubpackageRule = { name: 'debug', files: ['usr/lib/debug/**'], run: [] };

const DEPENDENCY_KINDS = ['build', 'link', 'run', 'test'] as const;
type DependencyKind = (typeof DEPENDENCY_KINDS)[number];

/** Turns a recipe into the one package that the choices make of it. What is wrong goes to the problems. */
export async function resolvePackage(
  recipe: Recipe,
  { version, origin, use, derivation }: PackageChoices,
  context: ResolveContext,
): Promise<PackageReading> {
  const { platform, problems, witness } = context;
  const { root } = recipe;
  const values = templateValues(recipe.name, version, platform);
  const reading = createRecipeReading({ root, directory: recipe.directory, values, problems, witness });
  const change = derivation && createRecipeReading({ ...derivation, values, problems, witness });
  const asked = change === undefined ? use.asked : [...use.asked, askedFlagsAt(change.root)];
  const { flags, notices } = resolveFlags(recipe, version, { general: use.general, asked }, problems);
  const inEffect = effectiveFlags(root, flags);
  const on = inEffect.filter(({ enabled }) => enabled).map(({ map }) => map);
  const ofVersion = versionMapping(root, version);
  const className = textAt(root, 'class') ?? 'none';
  const defaults = await readClass(reading, recipe.repository, context);
  const { atoms, places } = await readDependencies(reading, on, defaults, context);
  const environment = resolveEnvironment(
    defaults.environment,
    [root, ofVersion, ...on, change?.root],
    values,
    problems,
  );
  const configure = readConfigure(reading, change, inEffect);
  const sources = className === 'debian' ? [] : await resolveSources(reading, version);
  const phases = readPhases(reading, defaults);
  const parts =
    className === 'debian' ? { subpackages: {}, places: [] } : await subpackagesOf(reading, change, phases, context);
  const changedFiles = change === undefined ? [] : await readRecipeFiles(change);
  if (className === 'debian') refuseOfDebian(reading, change && { root: change.root, files: changedFiles });
  const users = readUsers(root, problems);
  checkProvides(root, problems);
  return {
    package: {
      name: recipe.name,
      version,
      origin,
      author: textAt(change?.root, 'author'),
      description: textAt(change?.root, 'description') ?? textAt(root, 'description'),
      homepage: textAt(root, 'homepage'),
      license: readLicense(root, problems),
      repository: recipe.repository,
      root: textAt(root, 'root') === 'minimal' ? 'minimal' : 'toolchain',
      sources: [...sources, ...(await resolveVendor(reading, version, sources))],
      ...(className === 'debian'
        ? { debianSource: readDebianSource(root, change?.root, problems), series: DEBIAN_SERIES, outputs: 'debs' }
        : { ...parts.subpackages, ...capabilitiesOf(reading) }),
      patches: [
        ...(await resolvePatches(reading, version)),
        ...(change === undefined ? [] : await resolvePatches(change, version)),
        ...(await readUserPatches(recipe, version, context)),
      ],
      files: mergeFiles(await readRecipeFiles(reading), changedFiles),
      class: className,
      flags,
      phases,
      environment: { ...environment, BUILDIT_CONFIGURE: configure.join(' ') },
      dependencies: atoms,
      replaces: await readReplaces(root, context),
      users: users.map(({ user }) => user),
      tests: mapsAt(root, 'test').flatMap((map) => readTest(map, reading) ?? []),
      ...allowedOf(reading, change),
      notices,
      position: positionOf((derivation ?? recipe).root),
    },
    dependencies: [...places, ...parts.places],
    users,
  };
}

async function readUserPatches({ name, root: node }: Recipe, version: string, context: ResolveContext) {
  const { userPatches } = context;
  return userPatches === undefined ? [] : resolveUserPatches(userPatches, { name, version, node }, context);
}

/** What templates of a recipe may name. */
export function templateValues(fullName: string, version: string, platform: Platform): ReadonlyMap<string, string> {
  const [category, name] = fullName.split('/') as [string, string];
  const { os, architecture } = platform;
  const triplet = multiarchTriplet(platform);
  return new Map(Object.entries({ category, name, version, os, arch: architecture, triplet }));
}

async function readClass(
  { root, values, problems }: RecipeReading,
  repository: string,
  { classes, repositories }: ResolveContext,
): Promise<BuildClass> {
  const node = scalarAt(root, 'class');
  const holder = repositories.find(({ name }) => name === repository);
  const found = node && (await classes.find(node, holder?.directory, problems));
  const own = found === undefined ? EMPTY_CLASS : renderClass(found, values, problems);
  const none = await classes.none();
  if (none === undefined) return own;
  const common = renderClass(none, values, problems);
  return node === undefined ? common : { ...own, phases: { ...common.phases, ...own.phases } };
}

async function subpackagesOf(
  reading: RecipeReading,
  change: RecipeReading | undefined,
  { strip }: ResolvedPackage['phases'],
  context: ResolveContext,
): Promise<{ subpackages: Pick<ResolvedPackage, 'subpackages'>; places: ReadSubpackages['places'] }> {
  const misplaced = nodeAt(change?.root, 'subpackages');
  if (misplaced !== undefined) {
    const message = 'Cannot use "subpackages": expected a base that is a Debian source package, found a recipe';
    reading.problems.add(misplaced, message, { hint: 'the parts of a recipe are named by its container: - package' });
  }
  const { rules, places } = await readSubpackages(reading, context);
  const hasDebug = strip !== undefined && rules.every(({ name }) => name !== DEBUG_FILES.name);
  const subpackages = hasDebug ? [DEBUG_FILES, ...rules] : rules;
  return { subpackages: subpackages.length === 0 ? {} : { subpackages }, places };
}

function capabilitiesOf(reading: RecipeReading): Pick<ResolvedPackage, 'capabilities'> {
  const capabilities = readCapabilities(reading);
  return capabilities.length === 0 ? {} : { capabilities };
}

function allowedOf(reading: RecipeReading, change: RecipeReading | undefined): Pick<ResolvedPackage, 'allowed'> {
  const allowed = [...readAllowances(reading), ...(change === undefined ? [] : readAllowances(change))];
  return allowed.length === 0 ? {} : { allowed };
}

function readLicense(root: YamlMap, problems: Problems): string | undefined {
  const node = scalarAt(root, 'license');
  const check = { label: 'license', problems };
  return acceptText(
    node && { node, text: node.text },
    'an SPDX licence expression such as BSD-2-Clause',
    (text) => text.length <= 500 && /^[A-Za-z0-9(][A-Za-z0-9.+() :-]*$/.test(text),
    check,
  );
}

async function readDependencies(
  reading: RecipeReading,
  flags: readonly YamlMap[],
  defaults: BuildClass,
  context: ResolveContext,
) {
  const atoms: Record<DependencyKind, Atom[]> = { build: [], link: [], run: [], test: [] };
  const places: { atom: Atom; node: YamlScalar }[] = [];
  const add = async (kind: DependencyKind, node: YamlScalar): Promise<void> => {
    const atom = await context.readAtom(node, node.text);
    if (atom === undefined || (kind === 'test' && !acceptTestAtom(atom, node, context))) return;
    atoms[kind].push(atom);
    if (kind !== 'test') places.push({ atom, node });
  };
  for (const kind of CLASS_DEPENDENCY_KINDS) for (const node of defaults.dependencies[kind]) await add(kind, node);
  for (const kind of DEPENDENCY_KINDS) {
    for (const map of [reading.root, ...flags]) {
      for (const node of scalarsAt(mapAt(map, 'dependencies'), kind)) await add(kind, node);
    }
    atoms[kind] = sortedAtoms(atoms[kind]);
  }
  return { atoms, places };
}

/** What only a test needs is never built for it: it would have to be there before the package is known to be good. */
function acceptTestAtom(atom: Atom, node: YamlScalar, { problems }: ResolveContext): boolean {
  if (atom.category === DEBIAN_CATEGORY) return true;
  problems.expected(node, 'dependencies.test', 'a Debian package such as debian/dash', {
    hint: 'what the package runs itself belongs into dependencies.run, and is there when it is tested',
  });
  return false;
}

function sortedAtoms(atoms: readonly Atom[]): Atom[] {
  const byText = new Map(atoms.map((atom) => [atomText(atom), atom]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, atom]) => atom);
}

/** Who reads what is provided looks at whole repositories, and tells nobody of mistakes. */
function checkProvides(root: YamlMap, problems: Problems): void {
  for (const node of scalarsAt(root, 'provides')) {
    if (!node.text.startsWith(`${DEBIAN_CATEGORY}/`)) continue;
    problems.expected(node, 'provides', 'a name such as virtual/httpd', {
      hint: 'a recipe stands in for a Debian package with "replaces"',
    });
  }
}

async function readReplaces(root: YamlMap, context: ResolveContext): Promise<readonly Atom[]> {
  const atoms: Atom[] = [];
  for (const node of scalarsAt(root, 'replaces')) {
    if (!node.text.startsWith(`${DEBIAN_CATEGORY}/`)) {
      context.problems.expected(node, 'replaces', 'a Debian package such as debian/libssl3');
      continue;
    }
    const atom = await context.readAtom(node, node.text);
    if (atom !== undefined) atoms.push(atom);
  }
  return sortedAtoms(atoms);
}

/**
 * Arguments reach the configure phase as one variable that the shell splits, so none of them may hold a character that
 * the shell would act on.
 */
const ARGUMENT = /^[A-Za-z0-9_@%+=:,./-]+$/;

function readConfigure(
  reading: RecipeReading,
  change: RecipeReading | undefined,
  flags: ReturnType<typeof effectiveFlags>,
): readonly string[] {
  const fromFlags = flags.flatMap(({ enabled, map }) => {
    const node = nodeAt(map, 'configure');
    if (node?.kind !== 'map') return enabled ? scalarsOf(node) : [];
    return scalarsAt(node, enabled ? 'on' : 'off');
  });
  const own = [...scalarsAt(reading.root, 'configure'), ...fromFlags].map((node) => reading.rendered(node));
  const appended = scalarsAt(mapAt(change?.root, 'configure'), 'append').map((node) => change?.rendered(node));
  const check = { label: 'configure', problems: reading.problems };
  const expected = 'an argument without spaces, quotes and other characters that a shell acts on';
  return [...own, ...appended].flatMap(
    (text) => acceptText(text, expected, (word) => ARGUMENT.test(word), check) ?? [],
  );
}

function readPhases(reading: RecipeReading, defaults: BuildClass): Readonly<Partial<Record<PhaseName, string>>> {
  const phases: Partial<Record<PhaseName, string>> = {};
  const own = mapAt(reading.root, 'phases');
  for (const name of PHASE_NAMES) {
    const node = scalarAt(own, name);
    const script = node === undefined ? defaults.phases[name] : reading.rendered(node)?.text;
    if (script === undefined || script.trim() === '' || script.trim() === 'none') continue;
    phases[name] = script.trimEnd();
  }
  return phases;
}

/** A derivation's file takes the place of the recipe's of the same path. */
function mergeFiles(base: readonly RecipeFile[], change: readonly RecipeFile[]): readonly RecipeFile[] {
  const files = new Map([...base, ...change].map((file) => [file.path, file]));
  return [...files.values()].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}
