import type { DiffId } from '../model/layer.ts';
import {
  adoptKeptDirectory,
  findKeptDirectory,
  findStaleDirectory,
  listKeptDirectories,
  removeKeptDirectory,
} from './kept-directories.ts';
import type { Store } from './store.ts';

/** Where a layer lies unpacked, when that is known to be whole: made or verified since the machine started. */
export async function treePath(store: Store, diffId: DiffId): Promise<string | undefined> {
  return findKeptDirectory(store, 'trees', diffId);
}

/** Where an earlier boot left a layer unpacked. It may be used after `markTree` only. */
export async function staleTreePath(store: Store, diffId: DiffId): Promise<string | undefined> {
  return findStaleDirectory(store, 'trees', diffId);
}

/**
 * Makes the tree at `staleTreePath` count again, because it has just been compared with its listing, entry by entry.
 * Answers its new path; undefined when it is gone.
 */
export async function markTree(store: Store, diffId: DiffId): Promise<string | undefined> {
  const stale = findStaleDirectory(store, 'trees', diffId);
  return stale === undefined ? findKeptDirectory(store, 'trees', diffId) : adoptTree(store, diffId, stale);
}

/** Renames a finished tree into its place; where one is there already, that one stays. Answers its path. */
export async function adoptTree(store: Store, diffId: DiffId, directory: string): Promise<string> {
  return adoptKeptDirectory(store, 'trees', diffId, directory);
}

/** Removes a tree that was found damaged, unless another has taken its place since. */
export async function removeTreeAt(store: Store, path: string, inode: bigint | undefined): Promise<void> {
  await removeKeptDirectory(store, path, { inode });
}

/** Removes what is there of a layer's tree, of this boot or another: it was found damaged. */
export async function removeLayerTree(store: Store, diffId: DiffId): Promise<void> {
  for (const tree of listKeptDirectories(store, 'trees')) {
    if (tree.digest === diffId) await removeKeptDirectory(store, tree.path);
  }
}
