import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PlacedPackage } from '../definition/container-reading.ts';
import { readPlatform } from '../definition/host-platform.ts';
import { readContainer } from '../definition/read-container.ts';
import { readDefinitions } from '../definition/read-definitions.ts';
import { YAML_LIMITS } from '../document/compose-yaml.ts';
import { createDocumentText } from '../document/document-text.ts';
import { Problems } from '../document/problems.ts';
import { readDocument } from '../document/read-document.ts';
import { readText } from '../document/read-text.ts';
import { type DocumentText, positionOf, type YamlList } from '../document/yaml-node.ts';
import { addPackageSteps } from '../edit/add-package-steps.ts';
import { parseList } from '../edit/edited-list.ts';
import { lineDiff } from '../edit/line-diff.ts';
import type { PackageStep } from '../edit/package-step.ts';
import { removeStep } from '../edit/remove-step.ts';
import type { Definitions } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { writeFileDurably } from '../system/files.ts';
import { applyDiscoveries } from './apply-discoveries.ts';
import { type WrittenPackage, writtenPackages } from './container-steps.ts';
import type { BuildOptions } from './contract.ts';
import { dependantsOf } from './dependants.ts';
import { findStepFor } from './find-package-step.ts';
import { openRunStore } from './prepare-run.ts';
import { refuseBareName, stepForWanted } from './step-for-wanted.ts';
import { parseWanted } from './wanted-package.ts';

export interface EditOptions extends BuildOptions {
  /** Absolute; what paths of packages may be relative to. */
  readonly cwd: string;
  readonly dryRun: boolean;
}

export interface EditOutcome {
  /** Absolute path of container.yaml. */
  readonly path: string;
  readonly written: boolean;
  /** Packages of steps that are new or gone, as they are typed. */
  readonly changed: readonly string[];
  /** A unified diff; empty where nothing changes. */
  readonly diff: readonly string[];
  /** Sentences about what the change does not do. */
  readonly notes: readonly string[];
}

/** Adds a step for each package that is not there yet, behind the last one. */
export async function addPackages(asked: EditOptions, typed: readonly string[]): Promise<EditOutcome> {
  const options = await withAllRecipes(asked);
  const container = await readWritten(options);
  const definitions = await readWith(options);
  const written = writtenPackages(container.root, container.placed, definitions);
  const { architecture } = definitions.container.platform;
  const places = { repositories: definitions.repositories, architecture };
  const steps: PackageStep[] = [];
  const changed: string[] = [];
  const notes: string[] = [];
  for (const text of typed) {
    if (!/^~|\//.test(text)) await refuseBareName(text, places);
    const wanted = parseWanted(text, options);
    const step = await stepForWanted(wanted, places, options);
    const shown = shownStep(step);
    if (changed.includes(shown)) continue;
    const known = written.find(({ names }) => names.includes(shown));
    if (known === undefined) {
      steps.push(step);
      changed.push(shown);
    } else notes.push(alreadyThere(shown, step, known));
  }
  const { document } = container.root;
  return finish(options, { document, after: addPackageSteps(document, steps), changed, notes: () => notes });
}

/** Removes the step of each package. */
export async function removePackages(asked: EditOptions, typed: readonly string[]): Promise<EditOutcome> {
  const options = await withAllRecipes(asked);
  const container = await readWritten(options);
  // What is wrong in a recipe must not keep anybody from removing it.
  const before = await readWith(options).catch(ignoreMistakes);
  const written = writtenPackages(container.root, container.placed, before);
  const found = new Set(typed.map((text) => findStepFor(text, written, options)));
  let { document } = container.root;
  for (const { index } of [...found].sort((a, b) => b.index - a.index)) {
    document = createDocumentText(document.name, document.path, removeStep(document, index));
  }
  const removed = [...found];
  return finish(options, {
    document: container.root.document,
    after: document.text,
    changed: removed.map(({ shown }) => shown),
    notes: async (definitions) =>
      (await Promise.all(removed.map((step) => dependantsOf(step, definitions, options.directory)))).flat(),
    wasBroken: before === undefined,
  });
}

interface Change {
  readonly document: DocumentText;
  readonly after: string;
  readonly changed: readonly string[];
  readonly notes: (after: Definitions) => readonly string[] | Promise<readonly string[]>;
  /** Mistakes were there before: the file's own places are told, not those of the edited text. */
  readonly wasBroken?: boolean;
}

/** Reads the edited text as a build would, and only then puts it in place of the file. */
async function finish(
  options: EditOptions,
  { document, after, changed, notes, wasBroken }: Change,
): Promise<EditOutcome> {
  const edited = createDocumentText(document.name, document.path, after);
  const definitions = await readWith(options, edited).catch(async (error: unknown) => {
    if (wasBroken === true) await readWith(options);
    throw error;
  });
  const written = after !== document.text && !options.dryRun;
  if (written) await replaceText(document, after);
  return {
    path: join(options.directory, 'container.yaml'),
    written,
    changed,
    diff: lineDiff('container.yaml', document.text, after),
    notes: await notes(definitions),
  };
}

/** Replaces the file, not a link to it, unless it is another than the one that was read. */
async function replaceText({ name, path, text }: DocumentText, after: string): Promise<void> {
  const target = await realpath(path);
  const [own, found] = [await realpath(dirname(path)), dirname(target)];
  if (found !== own && !found.startsWith(`${own}/`)) {
    throw new BuilditError(
      'cannot-write',
      `Cannot change "${printable(name)}": expected a file in its directory, found a link to "${printable(target)}"`,
      { hint: 'run the command in the directory of that file' },
    );
  }
  const { mode } = await stat(target);
  const now = await readText(target, { name, maximumBytes: YAML_LIMITS.bytes, code: 'definition-invalid' });
  if (now.text !== text) {
    throw new BuilditError('busy', `Cannot change "${printable(name)}": expected it as it was read, found it changed`, {
      hint: 'run the command again',
    });
  }
  await writeFileDurably(target, after, { mode: mode & 0o777 });
}

async function readWritten(
  options: EditOptions,
): Promise<{ readonly root: YamlList; readonly placed: readonly PlacedPackage[] }> {
  const { directory, platform } = options;
  const { document } = await readDocument(directory, 'container.yaml', { code: 'definition-invalid' });
  const root = parseList(document);
  const problems = new Problems('definition-invalid');
  const read = await readContainer(directory, {
    platform: readPlatform(platform),
    problems,
    witness: undefined,
    document,
  });
  problems.throwAll();
  return { root, placed: read?.packages ?? [] };
}

function readWith({ directory, config, platform }: EditOptions, container?: DocumentText): Promise<Definitions> {
  return readDefinitions(directory, { config, platform: readPlatform(platform), container });
}

/** Recipes in git repositories are fetched before their names can be looked up. */
async function withAllRecipes(options: EditOptions): Promise<EditOptions> {
  if (options.config.gitRecipes.length === 0 && options.discover.length === 0) return options;
  const { options: extended } = await applyDiscoveries(await openRunStore(options), options);
  return { ...options, ...extended };
}

function shownStep(step: PackageStep): string {
  if (step.type === 'embedded') return step.path;
  return step.type === 'debian' ? `debian/${step.name}` : step.name;
}

function alreadyThere(shown: string, step: PackageStep, { node, version }: WrittenPackage): string {
  const { line } = positionOf(node);
  const stated = step.type === 'embedded' ? undefined : step.version;
  if (stated === undefined || stated === version) return `${shown} is there already, in line ${line}`;
  throw new BuilditError(
    'usage',
    `Cannot add "${shown}" at ${stated}: expected it once, found it at ${version ?? 'no fixed version'}`,
    { position: positionOf(node), hint: `\`buildit rm ${shown}\` first, or change the version there` },
  );
}

function ignoreMistakes(error: unknown): undefined {
  if (error instanceof Error && (error.name === 'BuilditError' || error.name === 'BuilditErrors')) return undefined;
  throw error;
}
