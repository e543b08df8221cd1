import { createHash } from 'node:crypto';
import { type BigIntStats, readlinkSync } from 'node:fs';
import type { Digest } from '../model/digest.ts';
import type { LayerEntry, LayerListing } from '../model/layer.ts';
import { readKeptList } from '../store/kept-list.ts';
import type { Store } from '../store/store.ts';
import { type FileState, fileState, statTree } from '../system/file-state.ts';
import { systemErrorCode } from '../system/write-failure.ts';
import { readListing } from './listing.ts';
import { fileContent } from './tree-content.ts';
import { diskFileMode } from './tree-writer.ts';

export type TreeCheck =
  /** Exact states of all entries; `isListed`: the tree's list says the same. */
  | { readonly kind: 'whole'; readonly files: ReadonlyMap<string, FileState>; readonly isListed: boolean }
  /** `path` is the first entry found to be another than the listing names. */
  | { readonly kind: 'damaged'; readonly path: string };

/**
 * Compares a tree with its listing. An entry whose state is the one in the tree's list was not changed since it was last
 * compared; of all others, kind, mode, time, target and content are. With `verifiesContents` the store's lists count for
 * nothing.
 */
export async function checkTree(store: Store, directory: string, listing: Digest): Promise<TreeCheck> {
  const list = store.verifiesContents === true ? undefined : readKeptList(store, directory);
  const known = list?.parts[0] === listing ? list.files : undefined;
  const found = await statTree(directory);
  const files = new Map<string, FileState>();
  const isDoubtful = new Set<string>();
  for (const [path, stats] of found) {
    const state = fileState(stats);
    files.set(path, state);
    const isRight = state === known?.get(path) && (state !== 'd' || isCommonDirectory(stats));
    if (!isRight) isDoubtful.add(path);
  }
  if (known !== undefined && isDoubtful.size === 0 && known.size === found.size) {
    return { kind: 'whole', files, isListed: true };
  }
  const isChecked = (path: string) => known === undefined || isDoubtful.has(path) || !files.has(path);
  const damaged = await findDamage(directory, await readListing(store, listing), found, isChecked);
  return damaged === undefined ? { kind: 'whole', files, isListed: false } : { kind: 'damaged', path: damaged };
}

/** The first path at which a directory is another than its listing says; undefined where they agree in every byte. */
export async function findTreeDamage(directory: string, listing: LayerListing): Promise<string | undefined> {
  return findDamage(directory, listing, await statTree(directory), () => true);
}

async function findDamage(
  directory: string,
  listing: LayerListing,
  found: ReadonlyMap<string, BigIntStats>,
  isChecked: (path: string) => boolean,
): Promise<string | undefined> {
  const names = new Set(listing.map(({ path }) => path));
  const foreign = [...found.keys()].find((path) => !names.has(path));
  if (foreign !== undefined) return foreign;
  for (const entry of listing) {
    const stats = found.get(entry.path);
    if (stats === undefined) return entry.path;
    if (entry.type === 'hardlink' && found.get(entry.target)?.ino !== stats.ino) return entry.path;
    if (isChecked(entry.path) && !(await entryAgrees(entry, stats, `${directory}/${entry.path}`))) return entry.path;
  }
  return undefined;
}

/** Compares an entry on disk with what a listing says of it. A hard link is as right as the file it belongs to. */
export async function entryAgrees(entry: LayerEntry, stats: BigIntStats, path: string): Promise<boolean> {
  switch (entry.type) {
    case 'directory':
      return isCommonDirectory(stats);
    case 'symlink':
      return stats.isSymbolicLink() && hasTime(stats, entry) && targetOf(path) === entry.target;
    case 'hardlink':
      return stats.isFile();
    case 'file':
      return (
        stats.isFile() &&
        stats.size === BigInt(entry.size) &&
        (stats.mode & 0o7777n) === BigInt(diskFileMode(entry.mode)) &&
        hasTime(stats, entry) &&
        (await digestOf(path, entry.size)) === entry.sha256
      );
  }
}

export function isCommonDirectory(stats: BigIntStats): boolean {
  return stats.isDirectory() && (stats.mode & 0o7777n) === 0o755n;
}

function hasTime({ mtimeNs }: BigIntStats, { mtime }: LayerEntry): boolean {
  return mtimeNs / 1_000_000_000n === BigInt(mtime);
}

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Undefined for a file that cannot be read: the disk has lost it. */
async function digestOf(path: string, size: number): Promise<string | undefined> {
  try {
    const hash = createHash('sha256');
    const content = fileContent(path, size);
    if (content instanceof Uint8Array) return hash.update(content).digest('hex');
    for await (const chunk of content) hash.update(chunk);
    return hash.digest('hex');
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
