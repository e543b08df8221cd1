import type { MergedTree } from './merge-tree.ts';
import { DEFAULT_PATH, type OciDefinition } from './oci-config.ts';
import { resolveInTree } from './tree-path.ts';

/** What an image starts: the first word of its entrypoint, else of its command. */
export function startedProgram({ config }: OciDefinition): string | undefined {
  return (config.entrypoint?.length ? config.entrypoint : config.cmd)?.[0];
}

/** The file that an absolute path leads to through links, as a path of the tree; undefined where that is none. */
export function findFile({ entries }: MergedTree, path: string): string | undefined {
  const resolved = resolveInTree((other) => entries.get(other)?.entry, path, { followLast: true });
  if (resolved.kind !== 'path') return undefined;
  const type = entries.get(resolved.path)?.entry.type;
  return type === 'file' || type === 'hardlink' ? resolved.path : undefined;
}

/** The same for a program that is looked up in the image's PATH where its name holds no slash. */
export function findProgram(tree: MergedTree, { config }: OciDefinition, name: string): string | undefined {
  if (name.startsWith('/')) return findFile(tree, name);
  if (name === '' || name.includes('/')) return undefined;
  const directories = (config.environment?.PATH ?? DEFAULT_PATH).split(':').filter((path) => path.startsWith('/'));
  for (const directory of directories) {
    const found = findFile(tree, `${directory}/${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
