import { createHash } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import { basename, isAbsolute, join, relative } from 'node:path';
import { comparePaths } from '../layer/path-order.ts';
import { layerTar } from '../layer/write-tar.ts';
import { PROJECT_CONFIG, SPEC_FILE } from '../model/config-names.ts';
import { BuilditError } from '../model/errors.ts';
import type { LayerEntry } from '../model/layer.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';
import { repositoryFinder } from '../model/repository-names.ts';

/** Where the recipes of a repository lie in a container spec. */
export const SPEC_RECIPES = '.buildit/recipes';
/** The settings that a spec brings along: where its recipes are. */
export const SPEC_CONFIG = PROJECT_CONFIG;

/** Configurations are for the place where they lie, and enter no spec. */
const CONFIGS: readonly string[] = [PROJECT_CONFIG, SPEC_FILE];

const MOST_FILE_BYTES = 64 * 2 ** 20;

export interface SpecSources {
  /** The container's directory; what lies in its `out/` is a result. */
  readonly directory: string;
  /** Repositories of recipes: name and directory. */
  readonly repositories: readonly { readonly name: string; readonly directory: string }[];
  /** Absolute paths of all files that the run read: no other file ever enters a spec. */
  readonly read: readonly string[];
}

/**
 * The container spec: definition, recipes, patches, files and lock, as a tar that is the same for the same files. A file
 * that nobody read stays out of it, whatever lies in the directory.
 *
 * @throws BuilditError `definition-invalid` for files that git, or another such program, would take for a repository:
 * nobody could pull them.
 */
export function containerSpec({ directory, repositories, read }: SpecSources): AsyncIterable<Uint8Array> {
  const contents = new Map<string, { readonly bytes: Buffer; readonly mode: number }>();
  for (const path of read) {
    const place = placeInSpec(path, directory, repositories);
    const file = place === undefined ? undefined : readRegular(path);
    if (place !== undefined && file !== undefined) contents.set(place, file);
  }
  const recipes = repositories.map(({ name }) => `  - {name: ${name}, path: ./${SPEC_RECIPES}/${name}}\n`).sort();
  contents.set(SPEC_CONFIG, { bytes: Buffer.from(`recipes:\n${recipes.join('')}`), mode: 0o644 });
  const repositoryAt = repositoryFinder();
  for (const path of contents.keys()) {
    const repository = repositoryAt(path);
    if (repository !== undefined) throw refused(path, repository);
  }
  const entries = [...withDirectories(contents.keys()), ...fileEntries(contents)].sort((a, b) =>
    comparePaths(a.path, b.path),
  );
  return layerTar(entries, ({ path }) => contents.get(path)!.bytes);
}

function refused(path: string, found: string): BuilditError {
  return new BuilditError(
    'definition-invalid',
    `Cannot publish "${printable(path.slice(0, 300))}": expected the files of a container, found ${found}`,
    { hint: 'leave it out of what `sync` copies, with `exclude:`, or copy an archive of it' },
  );
}

function placeInSpec(path: string, directory: string, repositories: SpecSources['repositories']): string | undefined {
  if (CONFIGS.includes(basename(path).toLowerCase())) return undefined;
  const own = below(directory, path);
  if (own !== undefined && !own.startsWith('out/') && !own.startsWith('.buildit/')) return own;
  for (const { name, directory: recipes } of repositories) {
    const recipe = below(recipes, path);
    if (recipe !== undefined) return join(SPEC_RECIPES, name, recipe);
  }
  return undefined;
}

function below(directory: string, path: string): string | undefined {
  const inside = relative(directory, path);
  return !isAbsolute(inside) && isCleanRelativePath(inside) ? inside : undefined;
}

function readRegular(path: string): { readonly bytes: Buffer; readonly mode: number } | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() !== true || stat.size > MOST_FILE_BYTES) return undefined;
  return { bytes: readFileSync(path), mode: (stat.mode & 0o100) === 0 ? 0o644 : 0o755 };
}

const PLAIN = { uid: 0, gid: 0, mtime: 0 } as const;

function withDirectories(paths: Iterable<string>): LayerEntry[] {
  const directories = new Set<string>();
  for (const path of paths) {
    const parts = path.split('/').slice(0, -1);
    for (let length = 1; length <= parts.length; length += 1) directories.add(parts.slice(0, length).join('/'));
  }
  return [...directories].map((path) => ({ ...PLAIN, path, type: 'directory', mode: 0o755 }));
}

function fileEntries(contents: ReadonlyMap<string, { readonly bytes: Buffer; readonly mode: number }>): LayerEntry[] {
  return [...contents].map(([path, { bytes, mode }]) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { ...PLAIN, path, type: 'file', mode, size: bytes.length, sha256 };
  });
}
