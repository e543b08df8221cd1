import type { Digest } from '../model/digest.ts';
import { adoptKeptDirectory, bootId, findKeptDirectory, removeKeptDirectory } from './kept-directories.ts';
import type { Store } from './store.ts';
import { keptDirectoryPath } from './store-paths.ts';

/** Where the build root with this digest lies or would lie; `findBuildRoot` tells which. */
export function buildRootPath(store: Store, digest: Digest): string {
  return keptDirectoryPath(store, 'roots', bootId(), digest);
}

/** Where the build root with this digest of its parts lies, when it was made since the machine started. */
export async function findBuildRoot(store: Store, digest: Digest): Promise<string | undefined> {
  return findKeptDirectory(store, 'roots', digest);
}

/** Renames a composed root into its place; where one is there already, that one stays. Answers its path. */
export async function adoptBuildRoot(store: Store, digest: Digest, directory: string): Promise<string> {
  return adoptKeptDirectory(store, 'roots', digest, directory);
}

/** Removes a root that was found damaged, unless another has taken its place since. */
export async function removeBuildRootAt(store: Store, path: string, inode: bigint | undefined): Promise<void> {
  await removeKeptDirectory(store, path, { inode });
}

export async function removeBuildRoot(store: Store, digest: Digest): Promise<void> {
  await removeKeptDirectory(store, buildRootPath(store, digest));
}
