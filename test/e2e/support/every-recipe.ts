import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { repository } from './installation.ts';

/** The repository that ships with buildit. */
export const MAIN = join(repository, 'repos/main');

export interface ShippedRecipe {
  readonly name: string;
  /** As the file lists them. */
  readonly versions: readonly string[];
  readonly flags: readonly string[];
}

/** Every recipe in the repository's tree, read with nothing of buildit. */
export function shippedRecipes(): readonly ShippedRecipe[] {
  return directoriesIn(MAIN).flatMap((category) =>
    directoriesIn(join(MAIN, category)).flatMap((name) => {
      const file = join(MAIN, category, name, 'pkg.yaml');
      return existsSync(file) ? [readRecipe(`${category}/${name}`, file)] : [];
    }),
  );
}

function readRecipe(name: string, file: string): ShippedRecipe {
  const text = parse(readFileSync(file, 'utf8'), { schema: 'failsafe' }) as {
    readonly version?: string;
    readonly versions?: Readonly<Record<string, unknown>>;
    readonly flags?: Readonly<Record<string, unknown>>;
  };
  const versions = text.versions === undefined ? [text.version!] : Object.keys(text.versions);
  return { name, versions, flags: Object.keys(text.flags ?? {}) };
}

function directoriesIn(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

export type FlagChoice = 'as they are' | 'all on' | 'all off';

/**
 * Writes containers that together hold every version of every recipe: the first one the first version of each, the
 * second one the second version of those that have two, and so on. With `names` of those recipes alone.
 */
export function writeEverything(
  directory: string,
  flags: FlagChoice = 'as they are',
  names?: readonly string[],
): readonly string[] {
  const recipes = shippedRecipes().filter(({ name }) => names?.includes(name) ?? true);
  const rounds = Math.max(...recipes.map(({ versions }) => versions.length));
  return Array.from({ length: rounds }, (_, round) => {
    const name = `everything-${round + 1}`;
    const steps = recipes.flatMap((recipe) => {
      const version = recipe.versions[round];
      return version === undefined || recipe.name === 'sys-apps/baselayout'
        ? []
        : [packageStep(recipe, version, flags)];
    });
    mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(
      join(directory, name, 'container.yaml'),
      [`- vars: {name: ${name}, version: 1.0.0, os: linux, arch: amd64}`, ...steps, '- image: {type: oci}', ''].join(
        '\n',
      ),
    );
    return join(directory, name);
  });
}

function packageStep({ name, flags }: ShippedRecipe, version: string, choice: FlagChoice): string {
  const use =
    choice === 'as they are' ? '' : `, use: {${choice === 'all on' ? 'with' : 'without'}: [${flags.join(', ')}]}`;
  return `- package: {type: repository, name: ${name}, version: ${version}${flags.length === 0 ? '' : use}}`;
}
