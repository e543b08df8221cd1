import { type BigIntStats, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { entryAgrees, isCommonDirectory } from '../layer/check-tree.ts';
import { readListing } from '../layer/listing.ts';
import { writeTreeList } from '../layer/whole-tree.ts';
import type { DiffId, LayerEntry } from '../model/layer.ts';
import { PROC_FILES } from '../model/sandbox-contract.ts';
import { type KeptList, readKeptList, writeKeptList } from '../store/kept-list.ts';
import type { Store } from '../store/store.ts';
import { treePath } from '../store/trees.ts';
import { type FileState, fileState, inodeOf, settledState, statTree } from '../system/file-state.ts';
import { systemErrorCode } from '../system/write-failure.ts';
import { listedEntries, mergeTrees, type RootContent, type RootTree } from './merge-trees.ts';

export type RootCheck =
  | { readonly kind: 'whole' }
  /** A layer's tree or its list is not there, so nothing can be compared. */
  | { readonly kind: 'unlisted'; readonly diffId: DiffId }
  /** `path` is the first entry found to be another than the one composed. */
  | { readonly kind: 'damaged'; readonly path: string };

/** A member's tree as its list describes it. */
interface ListedTree extends RootTree {
  readonly listing: string;
  readonly files: ReadonlyMap<string, FileState>;
}

/**
 * Compares a composed root with the lists of its layers' trees, whose files it shares. A file whose state is the listed
 * one was not changed; of any other, kind, mode, time, target and content are compared. A file that the root has for its
 * own, because no link could be made, has its state in the root's own list.
 */
export async function checkRoot(store: Store, directory: string, diffIds: readonly DiffId[]): Promise<RootCheck> {
  const trees: ListedTree[] = [];
  for (const diffId of diffIds) {
    const path = await treePath(store, diffId);
    const list = path === undefined ? undefined : readKeptList(store, path);
    if (path === undefined || list?.parts[0] === undefined) return { kind: 'unlisted', diffId };
    const entries = listedEntries(list.files);
    trees.push({ label: diffId, path, entries, listing: list.parts[0], files: list.files });
  }
  const content = mergeTrees(trees);
  const own = readKeptList(store, directory)?.files ?? new Map<string, FileState>();
  const found = await statTree(join(directory, 'tree'));
  const foreign = [...found.keys()].find((path) => !content.has(path));
  if (foreign !== undefined) return { kind: 'damaged', path: foreign };
  const doubtful: Doubtful[] = [];
  for (const [path, entry] of content) {
    const stats = found.get(path);
    const place = `${directory}/tree/${path}`;
    if (stats === undefined) return { kind: 'damaged', path };
    if (entry.kind !== 'taken') {
      if (!madeEntryAgrees(entry, stats, place)) return { kind: 'damaged', path };
      continue;
    }
    const tree = entry.owner as ListedTree;
    const state = fileState(stats);
    const isKnown = state === tree.files.get(path) || state === own.get(path);
    if (!isKnown || store.verifiesContents === true) doubtful.push({ path, place, stats, state, tree });
  }
  const damagedProc = Object.entries(PROC_FILES).find(([file, text]) => !isFileWith(join(directory, file), text));
  if (damagedProc !== undefined) return { kind: 'damaged', path: damagedProc[0] };
  return checkDoubtful(store, directory, diffIds, doubtful, own);
}

interface Doubtful {
  readonly path: string;
  readonly place: string;
  readonly stats: BigIntStats;
  readonly state: FileState;
  readonly tree: ListedTree;
}

const FILES_BETWEEN_PAUSES = 64;

/** Compares what states cannot tell by content, and keeps the states of what is right. */
async function checkDoubtful(
  store: Store,
  directory: string,
  diffIds: readonly DiffId[],
  doubtful: readonly Doubtful[],
  own: KeptList['files'],
): Promise<RootCheck> {
  const listings = new Map<RootTree, ReadonlyMap<string, LayerEntry>>();
  const treeStates = new Map<ListedTree, Map<string, FileState>>();
  const ownStates = new Map(own);
  for (const [index, { path, place, stats, state, tree }] of doubtful.entries()) {
    let listing = listings.get(tree);
    if (listing === undefined) {
      listing = new Map((await readListing(store, tree.listing)).map((entry) => [entry.path, entry]));
      listings.set(tree, listing);
    }
    if (!(await listedEntryAgrees(listing, path, stats, place))) return { kind: 'damaged', path };
    const states = treeStates.get(tree) ?? new Map(tree.files);
    treeStates.set(tree, states);
    if (isShared(`${tree.path}/${path}`, state)) states.set(path, state);
    else ownStates.set(path, settledState(state));
    if (index % FILES_BETWEEN_PAUSES === 0) await new Promise((resume) => setImmediate(resume));
  }
  for (const [tree, files] of treeStates) await writeTreeList(store, { listing: tree.listing }, tree.path, files);
  if (doubtful.length > 0) await writeKeptList(store, directory, { parts: diffIds, files: ownStates });
  return { kind: 'whole' };
}

/** A hard link has the content of the file that it belongs to. */
export async function listedEntryAgrees(
  listing: ReadonlyMap<string, LayerEntry>,
  path: string,
  stats: BigIntStats,
  place: string,
): Promise<boolean> {
  const entry = listing.get(path);
  const original = entry?.type === 'hardlink' ? listing.get(entry.target) : entry;
  return original !== undefined && original.type !== 'directory' && (await entryAgrees(original, stats, place));
}

/** Whether the tree's file is the root's. */
function isShared(place: string, state: FileState): boolean {
  const stats = lstatSync(place, { bigint: true, throwIfNoEntry: false });
  return stats !== undefined && String(stats.ino) === inodeOf(state);
}

type MadeEntry = Exclude<RootContent extends ReadonlyMap<string, infer Entry> ? Entry : never, { kind: 'taken' }>;

/** Directories, and the files and links that buildit itself puts into a root. */
function madeEntryAgrees(entry: MadeEntry, stats: BigIntStats, place: string): boolean {
  switch (entry.kind) {
    case 'directory':
      return isCommonDirectory(stats);
    case 'generated-file':
      return (stats.mode & 0o7777n) === 0o644n && isFileWith(place, entry.content);
    case 'generated-link':
      return stats.isSymbolicLink() && readlinkSync(place) === entry.target;
  }
}

function isFileWith(path: string, content: string): boolean {
  try {
    const stats = lstatSync(path);
    return stats.isFile() && stats.size === Buffer.byteLength(content) && readFileSync(path, 'utf8') === content;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
}
