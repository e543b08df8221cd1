import { append } from '../model/append.ts';
import type { LayerEntry } from '../model/layer.ts';

/** What of a tree is needed to walk through its links. */
export type TreeLookup = (path: string) => LayerEntry | undefined;

export type ResolvedPath =
  | { readonly kind: 'path'; readonly path: string }
  /** `at` is what stands in the way: a file, or a link that leads in circles. */
  | { readonly kind: 'blocked'; readonly at: string; readonly reason: 'not a directory' | 'a circle of links' };

/** As Linux does (path_resolution(7)): more links than this are taken for a circle. */
const MAX_LINKS = 40;

/**
 * Where an absolute path leads inside a tree, links followed as a process with this tree as its root would: the result
 * is a relative path whose parents are directories or not there yet. The last element is followed only when asked for.
 * The root itself is the empty path.
 */
export function resolveInTree(lookup: TreeLookup, path: string, { followLast }: { followLast: boolean }): ResolvedPath {
  const pending = elementsOf(path).reverse();
  const done: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const element = pending.pop()!;
    if (element === '..') {
      done.pop();
      continue;
    }
    const here = [...done, element].join('/');
    const entry = lookup(here);
    if (entry?.type === 'symlink' && (pending.length > 0 || followLast)) {
      links += 1;
      if (links > MAX_LINKS) return { kind: 'blocked', at: here, reason: 'a circle of links' };
      if (entry.target.startsWith('/')) done.length = 0;
      append(pending, elementsOf(entry.target).reverse());
      continue;
    }
    if (entry !== undefined && entry.type !== 'directory' && pending.length > 0) {
      return { kind: 'blocked', at: here, reason: 'not a directory' };
    }
    done.push(element);
  }
  return { kind: 'path', path: done.join('/') };
}

/** The paths above a path, outermost first. */
export function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    parents.push(path.slice(0, slash));
  }
  return parents;
}

function elementsOf(path: string): string[] {
  return path.split('/').filter((element) => element !== '' && element !== '.');
}
