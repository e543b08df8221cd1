import type { MergedTree } from './merge-tree.ts';
import { resolveInTree } from './tree-path.ts';

export interface FoundFile {
  /** Below the directory that was walked: `corp/root.crt`. */
  readonly name: string;
  /** The file it leads to, as a path of the tree. */
  readonly file: string;
}

/** More directories above each other than this are a loop of links. */
const MOST_DEPTH = 40;
const MOST_FILES = 100_000;

/** All files below a directory, links followed as `find -L` follows them, sorted by name. */
export function filesBelow(tree: MergedTree, directory: string): readonly FoundFile[] {
  const resolve = (path: string) => {
    const resolved = resolveInTree((other) => tree.entries.get(other)?.entry, path, { followLast: true });
    return resolved.kind === 'path' ? resolved.path : undefined;
  };
  const start = resolve(directory);
  if (start === undefined || tree.entries.get(start)?.entry.type !== 'directory') return [];
  const children = childrenByDirectory(tree);
  const found: FoundFile[] = [];
  const visit = (path: string, prefix: string, above: readonly string[]): void => {
    if (above.includes(path) || above.length > MOST_DEPTH) return;
    for (const name of children.get(path) ?? []) {
      if (found.length >= MOST_FILES) return;
      const target = resolve(`/${path}/${name}`);
      const type = target === undefined ? undefined : tree.entries.get(target)?.entry.type;
      if (type === 'directory') visit(target!, `${prefix}${name}/`, [...above, path]);
      else if (type !== undefined) found.push({ name: `${prefix}${name}`, file: target! });
    }
  };
  visit(start, '', []);
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function childrenByDirectory({ entries }: MergedTree): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const path of entries.keys()) {
    const slash = path.lastIndexOf('/');
    const parent = path.slice(0, Math.max(0, slash));
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [path.slice(slash + 1)]);
    else known.push(path.slice(slash + 1));
  }
  return children;
}
