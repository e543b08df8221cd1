import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { packageName } from '../definition/atom.ts';
import { createRecipeLibrary } from '../definition/recipe-library.ts';
import { isWantedVersion, wantedVersionOf, wantedVersionText } from '../definition/wanted-version.ts';
import { didYouMean } from '../document/closest-name.ts';
import { Problems } from '../document/problems.ts';
import type { PackageStep } from '../edit/package-step.ts';
import { readContainerLock, readRepositoryLock } from '../lock/lock-file.ts';
import type { RepositoryDefinition } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { type Atom, atomText } from '../model/package.ts';
import type { BuildOptions } from './contract.ts';
import { openRunStore } from './prepare-run.ts';
import { archives } from './settle-locks.ts';
import type { TypedPackage } from './wanted-package.ts';

/** Where names of packages are looked up. */
export interface KnownPlaces {
  readonly repositories: readonly RepositoryDefinition[];
  readonly architecture: string;
}

/** What looking up a name may need besides. */
export type LookUpOptions = Pick<BuildOptions, 'config' | 'context' | 'directory'>;

/** The step for a package, once it is known that there is such a package. */
export async function stepForWanted(
  { typed, wanted }: TypedPackage,
  known: KnownPlaces,
  options: LookUpOptions,
): Promise<PackageStep> {
  switch (wanted.kind) {
    case 'embedded':
      await requireEmbedded(typed, join(options.directory, wanted.path));
      return { type: 'embedded', path: wanted.path };
    case 'debian':
      await requireDebian(typed, wanted, known, options);
      return { type: 'debian', name: wanted.name, version: wanted.version };
    case 'recipe':
      return recipeStep(typed, wanted, known, options.directory);
  }
}

/** A name alone is no package yet: several categories may have it, and Debian too. */
export async function refuseBareName(typed: string, { repositories }: KnownPlaces): Promise<never> {
  const library = createRecipeLibrary({
    repositories,
    problems: new Problems('definition-invalid'),
    witness: undefined,
  });
  const [name = typed] = /^[^ ~^=!<>]+/.exec(typed) ?? [];
  const suggestion = await library.suggest({ category: '', name });
  throw new BuilditError(
    'usage',
    `Cannot add "${printable(typed)}": expected CATEGORY/NAME, debian/NAME or ./pkgs/NAME, found a name alone`,
    { hint: suggestion ?? `a package of Debian is written debian/${printable(name)}` },
  );
}

async function requireEmbedded(typed: string, directory: string): Promise<void> {
  const found = await stat(join(directory, 'pkg.yaml')).catch(() => undefined);
  if (found?.isFile() === true) return;
  throw new BuilditError(
    'file-missing',
    `Cannot add "${printable(typed)}": expected a directory that holds a pkg.yaml, found none`,
    { hint: `\`buildit new pkg ${printable(typed)}\` writes one` },
  );
}

async function recipeStep(
  typed: string,
  { readings }: { readonly readings: readonly Atom[] },
  { repositories }: KnownPlaces,
  directory: string,
): Promise<PackageStep> {
  const problems = new Problems('definition-invalid');
  const library = createRecipeLibrary({ repositories, problems, witness: undefined });
  for (const atom of readings) {
    if (!(await library.has(atom))) continue;
    const recipe = await library.find(atom);
    problems.throwAll();
    const { versions, scheme } = recipe!;
    const stated = wantedVersionOf(atom);
    if (stated === undefined || versions.some((version) => isWantedVersion(stated, version, scheme))) {
      const version = stated && wantedVersionText(stated);
      return { type: 'repository', name: packageName(atom), version };
    }
    const expected = stated.kind === 'exact' ? 'a version of the recipe' : `a version that meets ${stated.range.text}`;
    throw new BuilditError(
      'dependency-unsatisfied',
      `Cannot add "${printable(typed)}": expected ${expected}, found ${versions.slice(0, 10).join(', ')}`,
    );
  }
  const wanted = readings.find((atom) => wantedVersionOf(atom) !== undefined) ?? readings[0]!;
  const isOwn = readings.some((atom) => existsSync(join(directory, atomText(atom), 'pkg.yaml')));
  throw new BuilditError(
    'dependency-unsatisfied',
    `Cannot add "${printable(typed)}": expected a recipe ${packageName(wanted)} in the repositories, found none`,
    {
      hint: isOwn
        ? `did you mean "./${typed}"?`
        : ((await library.suggest(wanted)) ?? `\`buildit search ${wanted.name}\` looks for parts of names`),
    },
  );
}

/** A name that a lock pins is known; for any other the archive is asked. */
async function requireDebian(
  typed: string,
  { name, version }: { readonly name: string; readonly version: string | undefined },
  { repositories, architecture }: KnownPlaces,
  options: LookUpOptions,
): Promise<void> {
  if (version === undefined && (await isLocked(name, repositories, options.directory))) return;
  if (options.config.offline) {
    throw new BuilditError('offline', `Cannot add "${printable(typed)}": expected it in a lock, found --offline`, {
      hint: 'the names of all Debian packages are in the archive: run without --offline',
    });
  }
  const store = await openRunStore(options);
  const archiveOf = archives(repositories[0], architecture, options, store);
  const { universe, suites } = await archiveOf('image');
  const versions = universe.versions(name).map((entry) => entry.version);
  if (version === undefined ? versions.length > 0 : versions.includes(version)) return;
  const suite = suites.map((one) => one.suite).join(', ');
  const providers = universe.providers(name).map((entry) => atomText({ category: 'debian', name: entry.name }));
  throw new BuilditError(
    'dependency-unsatisfied',
    `Cannot add "${printable(typed)}": expected a package of ${suite}, found ${versions.length === 0 ? 'none' : `it at ${versions.join(', ')}`}`,
    {
      hint:
        versions.length > 0
          ? `without =VERSION the newest is taken and pinned in buildit.lock`
          : providers.length > 0
            ? `it is provided by ${providers.slice(0, 3).join(', ')}`
            : didYouMean(name, universe.names())?.replace('"', '"debian/'),
    },
  );
}

async function isLocked(name: string, repositories: KnownPlaces['repositories'], directory: string): Promise<boolean> {
  if (Object.hasOwn((await readContainerLock(directory))?.debian ?? {}, name)) return true;
  // A root's packages are of the same suites as an image's.
  for (const repository of repositories.slice(0, 1)) {
    if (Object.hasOwn((await readRepositoryLock(repository.directory))?.lock.roots ?? {}, name)) return true;
  }
  return false;
}
