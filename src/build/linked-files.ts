import { constants, copyFileSync, linkSync, lstatSync, lutimesSync, readlinkSync, symlinkSync } from 'node:fs';
import { readListing } from '../layer/listing.ts';
import type { Digest } from '../model/digest.ts';
import type { LayerEntry } from '../model/layer.ts';
import type { Store } from '../store/store.ts';
import { type FileState, fileState, inodeOf, settledState } from '../system/file-state.ts';
import { systemErrorCode } from '../system/write-failure.ts';
import { listedEntryAgrees } from './check-root.ts';

/** A tree whose files are taken over: how each looked when it was last known to be right. */
export interface SourceTree {
  readonly path: string;
  readonly listing: Digest;
  readonly files: ReadonlyMap<string, FileState>;
}

/** A file of a tree is gone: another process removed the tree. */
export class VanishedFile extends Error {}

/**
 * Hard-links files of trees and keeps track of their states: each link moves the ctime of its file. A file that did not
 * look as it should just before the link, because another process linked it or somebody changed it, is doubtful.
 */
export class LinkedFiles {
  /** By inode. */
  readonly #known = new Map<string, FileState>();
  readonly #trees: readonly SourceTree[];
  readonly #copies = new Map<string, FileState>();
  readonly #doubtful: { readonly tree: SourceTree; readonly path: string; readonly target: string }[] = [];

  constructor(trees: readonly SourceTree[]) {
    this.#trees = trees;
    for (const { files } of trees) for (const state of files.values()) this.#known.set(inodeOf(state), state);
  }

  /** Links a file, or a link itself; where the file system will not (too many links, other owner), copies it. */
  takeOver(tree: SourceTree, path: string, target: string, from: 'file' | 'symlink'): void {
    const source = `${tree.path}/${path}`;
    const before = stateOf(source);
    if (before !== this.#known.get(inodeOf(before))) this.#doubtful.push({ tree, path, target });
    try {
      linkSync(source, target);
      this.#known.set(inodeOf(before), stateOf(target));
    } catch (error) {
      const code = systemErrorCode(error) ?? '';
      if (code === 'ENOENT') throw new VanishedFile();
      if (!['EMLINK', 'EXDEV', 'EPERM', 'ENOTSUP'].includes(code)) throw error;
      this.#copy(tree, path, target, from);
    }
  }

  /** A copy has the bytes that were read: what it was made of is compared by content, once. */
  #copy(tree: SourceTree, path: string, target: string, from: 'file' | 'symlink'): void {
    const source = `${tree.path}/${path}`;
    if (from === 'symlink') symlinkSync(readlinkSync(source), target);
    else copyFileSync(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const { mtimeMs } = lstatSync(source);
    lutimesSync(target, mtimeMs / 1000, mtimeMs / 1000);
    this.#doubtful.push({ tree, path, target });
  }

  /** Compares doubtful files with their listings; false where one is wrong. Keeps the states of those that are right. */
  async compareDoubtful(store: Store): Promise<boolean> {
    const listings = new Map<SourceTree, ReadonlyMap<string, LayerEntry>>();
    for (const { tree, path, target } of this.#doubtful) {
      let listing = listings.get(tree);
      if (listing === undefined) {
        listing = new Map((await readListing(store, tree.listing)).map((entry) => [entry.path, entry]));
        listings.set(tree, listing);
      }
      const stats = lstatSync(target, { bigint: true });
      if (!(await listedEntryAgrees(listing, path, stats, target))) return false;
      const state = fileState(stats);
      if (inodeOf(state) === inodeOf(tree.files.get(path) ?? '')) this.#known.set(inodeOf(state), state);
      else this.#copies.set(path, settledState(state));
    }
    return true;
  }

  /** The present states of each tree's entries. */
  *states(): Generator<readonly [SourceTree, ReadonlyMap<string, FileState>]> {
    for (const tree of this.#trees) {
      const files = [...tree.files].map(([path, state]) => [path, this.#known.get(inodeOf(state)) ?? state] as const);
      yield [tree, new Map(files)];
    }
  }

  /** States of files that the root has for its own, by path. */
  copies(): ReadonlyMap<string, FileState> {
    return this.#copies;
  }
}

function stateOf(path: string): FileState {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) throw new VanishedFile();
  return fileState(stats);
}
