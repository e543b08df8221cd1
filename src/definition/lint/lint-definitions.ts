import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { mapAt, scalarAt, textAt } from '../../document/fields.ts';
import { Problems } from '../../document/problems.ts';
import { readDocument, shownPath } from '../../document/read-document.ts';
import { cleanRelativePath } from '../../document/resolve-inside.ts';
import { validateSchema } from '../../document/validate-schema.ts';
import type { YamlMap, YamlNode } from '../../document/yaml-node.ts';
import { append } from '../../model/append.ts';
import type { Config } from '../../model/config.ts';
import type { RepositoryDefinition } from '../../model/container.ts';
import { BuilditError, BuilditErrors } from '../../model/errors.ts';
import type { PackageOrigin } from '../../model/package.ts';
import type { Platform } from '../../model/platform.ts';
import { createClassLibrary } from '../class-library.ts';
import { recipeDirectories } from '../debian-dependencies.ts';
import type { DefinitionContext } from '../definition-context.ts';
import { type PackageRequest, readPackageRequest } from '../package-requests.ts';
import { readDefinitions } from '../read-definitions.ts';
import { readRepositories } from '../read-repositories.ts';
import { readRepository } from '../read-repository.ts';
import { readRepositoryPackages } from '../read-repository-packages.ts';
import { createRecipeLibrary } from '../recipe-library.ts';
import type { DefinitionFinding } from './definition-finding.ts';
import { lintPackageFiles } from './lint-package-files.ts';
import { lintRecipe } from './lint-recipe.ts';
import { lintSpelling } from './lint-spelling.ts';
import { readWholePackage } from './read-whole-package.ts';

/** What is judged: a directory that holds a container.yaml, a repository.yaml or a pkg.yaml. */
export interface LintTarget {
  readonly kind: 'container' | 'repository' | 'package';
  /** Absolute. */
  readonly directory: string;
}

export interface LintDefinitionsOptions {
  readonly config: Pick<Config, 'recipes' | 'use' | 'userPatches'>;
  readonly platform: Platform;
}

/**
 * Judges definitions without building anything: everything that reading them refuses, in all versions and with all flags,
 * and matters of style. In the order of files and places; nothing is thrown for what a definition says.
 */
export async function lintDefinitions(
  target: LintTarget,
  options: LintDefinitionsOptions,
): Promise<readonly DefinitionFinding[]> {
  const findings = await lintTarget(target, options).catch((error) => refusals(error, target.directory));
  const unique = new Map(findings.map((finding) => [placeOf(finding), finding]));
  return [...unique.values()].sort(
    ({ position: a }, { position: b }) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  );
}

function placeOf({ code, message, position }: DefinitionFinding): string {
  return [position.file, position.line, position.column, code, message].join('\0');
}

async function lintTarget(target: LintTarget, options: LintDefinitionsOptions): Promise<readonly DefinitionFinding[]> {
  const { directory } = target;
  switch (target.kind) {
    case 'container':
      return lintContainer(directory, options);
    case 'repository':
      return lintWholeRepository(directory, options);
    case 'package': {
      const repository = dirname(dirname(directory));
      if (existsSync(join(repository, 'repository.yaml'))) return lintRepository(repository, [directory], options);
      return lintEmbedded(directory, containerOf(directory), options);
    }
  }
}

async function lintContainer(
  directory: string,
  options: LintDefinitionsOptions,
): Promise<readonly DefinitionFinding[]> {
  const findings = await readDefinitions(directory, options).then(
    () => [],
    (error: unknown) => refusals(error, directory),
  );
  const root = await readIfYaml(directory, 'container.yaml');
  if (root === undefined) return findings;
  const embedded: DefinitionFinding[] = [];
  for (const path of embeddedPaths(root)) {
    const place = join(directory, path);
    if (existsSync(join(place, 'pkg.yaml'))) append(embedded, await lintEmbedded(place, directory, options));
  }
  return [...findings, ...lintSpelling(root), ...embedded];
}

function embeddedPaths(root: YamlNode): readonly string[] {
  const steps = root.kind === 'list' ? root.items : [];
  return steps.flatMap((item) => {
    const step = item.kind === 'map' ? mapAt(item, 'package') : undefined;
    return textAt(step, 'type') === 'embedded' ? (cleanRelativePath(textAt(step, 'path') ?? '') ?? []) : [];
  });
}

const MOST_LEVELS = 8;

/** The directory of the container that a package directory belongs to; the one above it where there is none. */
function containerOf(directory: string): string {
  let parent = dirname(directory);
  for (let level = 0; level < MOST_LEVELS; level += 1) {
    if (existsSync(join(parent, 'container.yaml'))) return parent;
    parent = dirname(parent);
  }
  return dirname(directory);
}

/** Its recipes one by one, and where nothing is wrong with any, all of them together: dependencies go round in circles. */
async function lintWholeRepository(
  directory: string,
  options: LintDefinitionsOptions,
): Promise<readonly DefinitionFinding[]> {
  const findings = await lintRepository(directory, await recipeDirectories(directory), options);
  if (findings.some(({ severity }) => severity === 'error')) return findings;
  const repositories = await repositoriesOf(directory, options);
  const whole = await attempt(directory, () => readRepositoryPackages(repositories[0], { ...options, repositories }));
  return [...findings, ...whole.findings];
}

/** The repository that is judged, then those whose recipes its own may name. */
async function repositoriesOf(
  directory: string,
  { config }: LintDefinitionsOptions,
): Promise<readonly [RepositoryDefinition, ...RepositoryDefinition[]]> {
  const repository = await readRepository(directory);
  const others = config.recipes.filter(({ name }) => name !== repository.name);
  return [repository, ...(await readRepositories(others, undefined))];
}

async function lintRepository(
  directory: string,
  packages: readonly string[],
  options: LintDefinitionsOptions,
): Promise<readonly DefinitionFinding[]> {
  const repositories = await repositoriesOf(directory, options);
  const [repository] = repositories;
  const context = createContext(directory, repositories, repository.name, options);
  const style: DefinitionFinding[] = [];
  const root = await readIfYaml(directory, 'repository.yaml');
  if (root !== undefined) append(style, lintSpelling(root));
  for (const place of packages) {
    const [category, name] = relative(directory, place).split('/') as [string, string];
    const request = await attempt(place, async (): Promise<PackageRequest | undefined> => {
      const recipe = await context.library.find({ category, name });
      const origin: PackageOrigin = { kind: 'repository', repository: repository.name, directory: place };
      return recipe && { recipe, origin, derivation: undefined, version: undefined, asked: [], node: recipe.root };
    });
    append(style, request.findings);
    append(style, await lintPackage(place, directory, request.value, context));
  }
  return [...context.problems.errors.map(refusal), ...style];
}

async function lintEmbedded(
  place: string,
  container: string,
  options: LintDefinitionsOptions,
): Promise<readonly DefinitionFinding[]> {
  const repositories = await readRepositories(options.config.recipes, undefined);
  const main = repositories.find(({ name }) => name === 'main') ?? repositories[0];
  const context = createContext(container, repositories, main?.name ?? '', options);
  const request = await attempt(place, async () => {
    const node = await readDocument(place, 'pkg.yaml', { boundary: container, code: 'definition-invalid' });
    // A list or a text is refused by its schema.
    if (node.kind !== 'map') await validateSchema('pkg', node, context.problems, {});
    if (node.kind !== 'map') return undefined;
    const embedded = { kind: 'embedded', shownPath: shownPath(place), directory: place, subpackages: [] } as const;
    return readPackageRequest({ package: embedded, node }, context);
  });
  const style = await lintPackage(place, container, request.value, context);
  return [...request.findings, ...context.problems.errors.map(refusal), ...style];
}

function createContext(
  directory: string,
  repositories: readonly RepositoryDefinition[],
  defaultRepository: string,
  { config, platform }: LintDefinitionsOptions,
): DefinitionContext {
  const problems = new Problems('definition-invalid');
  return {
    directory,
    platform,
    problems,
    witness: undefined,
    library: createRecipeLibrary({ repositories, problems, witness: undefined }),
    classes: createClassLibrary({ problems, witness: undefined }),
    repositories,
    defaultRepository,
    embedded: new Set(),
    requested: undefined,
    use: config.use,
    userPatches: undefined,
    pinnedVersions: {},
  };
}

/** Reads the package in full, and judges its style, whether or not it can be read. */
async function lintPackage(
  place: string,
  boundary: string,
  request: PackageRequest | undefined,
  context: DefinitionContext,
): Promise<readonly DefinitionFinding[]> {
  const whole = await attempt(place, async () => request && readWholePackage(request, context));
  const root = await readIfYaml(place, 'pkg.yaml', boundary);
  if (root?.kind !== 'map') return whole.findings;
  const written = (mapAt(root, 'phases')?.members ?? []).flatMap(({ value }) =>
    value.kind === 'scalar' ? [value.text] : [],
  );
  const scripts = (whole.value ?? []).flatMap(({ phases }) => Object.values(phases));
  return [
    ...whole.findings,
    ...lintSpelling(root),
    ...lintRecipe(root, await classOf(root, context)),
    ...(await lintPackageFiles(root, place, [...written, ...scripts])),
  ];
}

/** The file of the class that a recipe names; one that cannot be had is complained of where the package is read. */
async function classOf(root: YamlMap, { repositories, defaultRepository, classes }: DefinitionContext) {
  const node = scalarAt(root, 'class');
  const holder = repositories.find(({ name }) => name === defaultRepository);
  const complaints = new Problems('definition-invalid');
  return node && (await classes.find(node, holder?.directory, complaints).catch(() => undefined));
}

/** What was thrown becomes findings, so that the next package is judged too. */
async function attempt<Value>(
  place: string,
  read: () => Promise<Value>,
): Promise<{ readonly value: Value | undefined; readonly findings: readonly DefinitionFinding[] }> {
  try {
    return { value: await read(), findings: [] };
  } catch (error) {
    return { value: undefined, findings: refusals(error, place) };
  }
}

async function readIfYaml(directory: string, path: string, boundary = directory): Promise<YamlNode | undefined> {
  return readDocument(directory, path, { boundary, code: 'definition-invalid' }).catch((error: unknown) => {
    if (error instanceof BuilditError) return undefined;
    throw error;
  });
}

function refusals(error: unknown, directory: string): readonly DefinitionFinding[] {
  if (error instanceof BuilditErrors) return error.errors.map(refusal);
  if (!(error instanceof BuilditError)) throw error;
  return [{ ...refusal(error), position: error.position ?? { file: shownPath(directory), line: 1, column: 1 } }];
}

function refusal({ code, message, hint, position }: BuilditError): DefinitionFinding {
  return { code, severity: 'error', message, hint, position: position ?? NOWHERE, fix: undefined };
}

const NOWHERE = { file: '.', line: 1, column: 1 };
