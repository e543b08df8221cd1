import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DEBIAN_CATEGORY, readingsOfAtom } from '../definition/atom.ts';
import { classNames, SHIPPED_CLASSES } from '../definition/class-library.ts';
import { hostPlatform } from '../definition/host-platform.ts';
import { readDefinitions } from '../definition/read-definitions.ts';
import { readRepositories } from '../definition/read-repositories.ts';
import { createRecipeLibrary } from '../definition/recipe-library.ts';
import { createDocumentText } from '../document/document-text.ts';
import { Problems } from '../document/problems.ts';
import { containerText, HELLO } from '../draft/container-text.ts';
import { derivationText } from '../draft/derivation-text.ts';
import { draftFromTree } from '../draft/draft-from-tree.ts';
import type { RecipeDraft } from '../draft/recipe-draft.ts';
import { recipeText } from '../draft/recipe-text.ts';
import { EXAMPLE_SCRIPT, exampleRecipeText, repositoryText } from '../draft/repository-text.ts';
import type { PackageStep } from '../edit/package-step.ts';
import type { HttpTuning } from '../fetch/download-blob.ts';
import { BuilditError } from '../model/errors.ts';
import {
  isDebianPackageName,
  isDebianVersion,
  isPackageNamePart,
  isRepositoryName,
  isVersion,
  printable,
} from '../model/names.ts';
import { gitIdentity } from '../system/git-identity.ts';
import { adviseRecipes } from './advise-recipes.ts';
import type { BuildOptions } from './contract.ts';
import { fetchUnknownSource, keepLocalFile } from './fetch-unknown-source.ts';
import { ignoreOutput } from './ignore-output.ts';
import { inspectArchive } from './inspect-archive.ts';
import { type PackagePlace, packagePlace } from './package-place.ts';
import { openRunStore } from './prepare-run.ts';
import { requireReadable } from './require-readable.ts';
import { refuseBareName, stepForWanted } from './step-for-wanted.ts';
import { parseWanted } from './wanted-package.ts';
import { type NewFile, writeNewFiles } from './write-new-files.ts';

export interface NewOptions extends Pick<BuildOptions, 'config' | 'context' | 'witness'> {
  /** Absolute. */
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Time-outs and retries, for tests. */
  readonly http?: HttpTuning | undefined;
}

export interface NewOutcome {
  /** Absolute paths of files and directories, in the order written. */
  readonly written: readonly string[];
  /** What was guessed and wants a look. */
  readonly notes: readonly string[];
  /** What to type next. */
  readonly next: NextCommand;
}

export type NextCommand =
  | { readonly kind: 'build'; readonly directory: string }
  | { readonly kind: 'add'; readonly directory: string; readonly atom: string }
  | { readonly kind: 'lock'; readonly directory: string };

/** Writes the first container.yaml of a directory, which may be there already. */
export async function newContainer(
  options: NewOptions,
  { directory: typed, packages, image }: { directory: string; packages: readonly string[]; image: 'oci' | 'aci' },
): Promise<NewOutcome> {
  const directory = resolve(options.cwd, typed);
  const name = basename(directory);
  if (!isPackageNamePart(name)) {
    throw new BuilditError(
      'usage',
      `Cannot name a container "${printable(name)}": expected lower-case letters, digits, ".", "_", "+" and "-", ` +
        'a letter or digit first',
    );
  }
  const path = join(directory, 'container.yaml');
  const steps = packages.length === 0 ? [HELLO] : await stepsFor(options, directory, packages);
  const text = containerText({ name, packages: steps, image });
  // A file that is there is told of before anything that is in it.
  if (!existsSync(path)) {
    const container = createDocumentText(path, path, text);
    await readDefinitions(directory, { config: options.config, container });
  }
  const ignored = await ignoreOutput(directory);
  const outcome = await write([{ path, content: text }, ...ignored.files]);
  return { ...outcome, notes: ignored.notes, next: { kind: 'build', directory } };
}

async function stepsFor(options: NewOptions, directory: string, packages: readonly string[]): Promise<PackageStep[]> {
  const repositories = await readRepositories(options.config.recipes, options.witness);
  const known = { repositories, architecture: hostPlatform().architecture };
  const steps: PackageStep[] = [];
  for (const typed of packages) {
    if (!/^~|\//.test(typed)) await refuseBareName(typed, known);
    steps.push(
      await stepForWanted(parseWanted(typed, { directory, cwd: options.cwd }), known, { ...options, directory }),
    );
  }
  return steps;
}

/** Writes a pkg.yaml: of a source, of another recipe or Debian source package, or a bare beginning. */
export async function newPackage(
  options: NewOptions,
  { typed, from }: { readonly typed: string; readonly from: string | undefined },
): Promise<NewOutcome> {
  const place = packagePlace(options.cwd, typed);
  const path = join(place.directory, 'pkg.yaml');
  if (existsSync(path)) await writeNewFiles([{ path, content: '' }]);
  const source = await originOf(from, options);
  switch (source.kind) {
    case 'nothing':
      return writePackage(place, recipeText(await beginning(place)), []);
    case 'base': {
      const author = gitIdentity(options.cwd, options.environment);
      const text = derivationText({ base: source.base, author });
      return writePackage(place, text, [{ path: join(place.directory, 'patches'), kind: 'directory' }]);
    }
    case 'url':
    case 'file': {
      const { draft, files } = await draftOf(source, place, options);
      const notes = draft.notes.filter(({ kind }) => kind !== 'remark').map(({ at, text }) => `${at}: ${text}`);
      return { ...(await writePackage(place, recipeText(draft), files)), notes };
    }
  }
}

type Origin =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'base'; readonly base: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'file'; readonly path: string };

async function originOf(from: string | undefined, options: NewOptions): Promise<Origin> {
  if (from === undefined) return { kind: 'nothing' };
  if (/^[a-z+]+:\/\//.test(from)) return { kind: 'url', url: acceptedUrl(from) };
  const debian = /^debian[:/]([^=]*)(?:=(.*))?$/s.exec(from);
  if (debian !== null) {
    const [, name = '', version] = debian;
    if (isDebianPackageName(name) && (version === undefined || isDebianVersion(version))) {
      return { kind: 'base', base: `${DEBIAN_CATEGORY}/${name}${version === undefined ? '' : `=${version}`}` };
    }
    throw new BuilditError(
      'usage',
      `Cannot use --from "${printable(from)}": expected a Debian source package such as debian:redis, found none`,
    );
  }
  const path = resolve(options.cwd, from);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return { kind: 'file', path };
  return { kind: 'base', base: await knownRecipe(from, options) };
}

function acceptedUrl(typed: string): string {
  const url = URL.canParse(typed) ? new URL(typed) : undefined;
  const isPlain = url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '';
  if (isPlain && printable(url.href) === url.href && url.href.length <= 2000) return url.href;
  throw new BuilditError(
    'usage',
    `Cannot use --from "${printable(typed)}": expected an https URL without a user, a password or a fragment`,
  );
}

async function knownRecipe(typed: string, { config, witness }: NewOptions): Promise<string> {
  const repositories = await readRepositories(config.recipes, witness);
  const problems = new Problems('definition-invalid');
  const library = createRecipeLibrary({ repositories, problems, witness: undefined });
  const readings = readingsOfAtom(typed);
  for (const atom of readings) {
    if (!(await library.has(atom))) continue;
    const recipe = await library.find(atom);
    problems.throwAll();
    if (atom.version === undefined || recipe!.versions.includes(atom.version)) return typed;
    throw new BuilditError(
      'dependency-unsatisfied',
      `Cannot use --from "${printable(typed)}": expected a version of the recipe, found ${recipe!.versions.slice(0, 10).join(', ')}`,
    );
  }
  const wanted = readings.find(({ version }) => version !== undefined) ?? readings[0];
  throw new BuilditError(
    'usage',
    `Cannot use --from "${printable(typed)}": expected an https URL, a file, a recipe or debian:NAME, found none of them`,
    { hint: await library.suggest(wanted ?? { category: '', name: typed }) },
  );
}

/** What is written where there is no source to look at. */
async function beginning({ category, name = 'unnamed' }: PackagePlace): Promise<RecipeDraft> {
  return {
    name: `${category}/${name}`,
    description: `TODO: what ${name} is, in one line`,
    version: '0',
    sources: [],
    class: 'none',
    phases: { install: 'exit 1 # TODO: into "$DESTDIR"' },
    notes: [
      { at: 'license', kind: 'check', text: 'its SPDX expression belongs here: license: MIT' },
      {
        at: 'source',
        kind: 'check',
        text: 'where it comes from: source: {url: "https://…-{{version}}.tar.gz", sha256: …}; `buildit new pkg NAME --from URL` looks into it.',
      },
      {
        at: 'class',
        kind: 'remark',
        text: `${(await classNames(SHIPPED_CLASSES)).join(', ')}: each brings phases of its own, none has none.`,
      },
    ],
  };
}

async function draftOf(
  source: Extract<Origin, { kind: 'url' | 'file' }>,
  { category, name, directory }: PackagePlace,
  options: NewOptions,
): Promise<{ readonly draft: RecipeDraft; readonly files: readonly NewFile[] }> {
  const store = await openRunStore(options);
  const isFile = source.kind === 'file';
  const sha256 = isFile
    ? await keepLocalFile(source.path, store)
    : await fetchUnknownSource(source.url, { store, ...options });
  const location = isFile ? basename(source.path) : source.url;
  const tree = await inspectArchive(store, sha256, location);
  const draft = draftFromTree({ location, sha256, isFile }, tree, {
    category,
    name,
    classes: await classNames(SHIPPED_CLASSES),
  });
  if (!isFile) return { draft, files: [] };
  // A source beside its recipe lies inside the directory.
  const copy = join(directory, location);
  if (copy === source.path) return { draft, files: [] };
  return { draft, files: [{ path: copy, content: await readFile(source.path) }] };
}

async function writePackage(place: PackagePlace, text: string, more: readonly NewFile[]): Promise<NewOutcome> {
  const path = join(place.directory, 'pkg.yaml');
  await requireReadable(path, text);
  const { belongsTo, directory } = place;
  const outcome = await write([{ path, content: text }, ...more]);
  switch (belongsTo.kind) {
    case 'container': {
      const atom = `./${directory.slice(belongsTo.directory.length + 1)}`;
      return { ...outcome, next: { kind: 'add', directory: belongsTo.directory, atom } };
    }
    case 'repository':
      return { ...outcome, next: { kind: 'lock', directory: belongsTo.directory } };
    case 'nothing':
      return { ...outcome, next: { kind: 'add', directory: '', atom: directory } };
  }
}

/** Writes a repository of recipes with one that builds at once. */
export async function newRepository(options: NewOptions, typed: string): Promise<NewOutcome> {
  const directory = resolve(options.cwd, typed);
  const name = basename(directory);
  if (!isRepositoryName(name) || !isVersion(name)) {
    throw new BuilditError(
      'usage',
      `Cannot name a repository "${printable(name)}": expected lower-case letters, digits, ".", "_" and "-"`,
    );
  }
  const example = join(directory, 'app-misc', 'greet');
  const outcome = await write([
    { path: join(directory, 'repository.yaml'), content: repositoryText(name) },
    { path: join(example, 'pkg.yaml'), content: exampleRecipeText('app-misc/greet') },
    { path: join(example, 'files', 'greet'), content: EXAMPLE_SCRIPT, mode: 0o755 },
  ]);
  const notes = [adviseRecipes(options, { name, directory })];
  return { ...outcome, notes, next: { kind: 'lock', directory } };
}

async function write(files: readonly NewFile[]): Promise<Pick<NewOutcome, 'written' | 'notes'>> {
  await writeNewFiles(files);
  return { written: files.map(({ path }) => path), notes: [] };
}
