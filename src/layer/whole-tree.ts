import { lstatSync } from 'node:fs';
import type { KeptLayer } from '../model/layer.ts';
import { writeKeptList } from '../store/kept-list.ts';
import type { Store } from '../store/store.ts';
import { adoptTree, markTree, removeTreeAt, staleTreePath, treePath } from '../store/trees.ts';
import { type FileState, fileState, settledState, statTree } from '../system/file-state.ts';
import { checkTree, type TreeCheck } from './check-tree.ts';

/** A tree whose files were just found to be those of its layer. */
export interface WholeTree {
  readonly path: string;
  /** By path, parents before what they hold: how each entry looked then. */
  readonly files: ReadonlyMap<string, FileState>;
}

type Layer = Pick<KeptLayer, 'diffId' | 'listing'>;

/**
 * The tree of a layer, compared with its listing; undefined where there is none that is whole. A damaged one is removed
 * with a warning. One of an earlier boot is compared byte by byte and counts from then on.
 */
export async function findWholeTree(store: Store, layer: Layer): Promise<WholeTree | undefined> {
  const current = await treePath(store, layer.diffId);
  const place = current ?? (await staleTreePath(store, layer.diffId));
  if (place === undefined) return undefined;
  const inode = lstatSync(place, { bigint: true, throwIfNoEntry: false })?.ino;
  const check = await checkTree(
    current === undefined ? { ...store, verifiesContents: true } : store,
    place,
    layer.listing,
  );
  if (check.kind === 'damaged') {
    await removeTreeAt(store, place, inode);
    store.onWarning?.(damageText(layer, check.path));
    return undefined;
  }
  const path = current ?? (await markTree(store, layer.diffId));
  if (path === undefined) return undefined;
  return keepList(store, layer, path, check);
}

/**
 * Moves a tree that was just made of its layer into its place and lists it. Where another process was first, that one's
 * tree stays, and is compared like any other; undefined where it is not whole.
 */
export async function adoptWholeTree(store: Store, layer: Layer, directory: string): Promise<WholeTree | undefined> {
  const { ino } = lstatSync(directory, { bigint: true });
  const path = await adoptTree(store, layer.diffId, directory);
  if (lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino !== ino) return findWholeTree(store, layer);
  const files = new Map([...(await statTree(path))].map(([name, stats]) => [name, fileState(stats)]));
  return keepList(store, layer, path, { kind: 'whole', files, isListed: false });
}

async function keepList(
  store: Store,
  layer: Layer,
  path: string,
  { files, isListed }: TreeCheck & { readonly kind: 'whole' },
): Promise<WholeTree> {
  if (!isListed) await writeTreeList(store, layer, path, files);
  return { path, files };
}

export async function writeTreeList(
  store: Store,
  { listing }: Pick<KeptLayer, 'listing'>,
  path: string,
  files: ReadonlyMap<string, FileState>,
): Promise<void> {
  const settled = new Map([...files].map(([name, state]) => [name, settledState(state)]));
  await writeKeptList(store, path, { parts: [listing], files: settled });
}

function damageText({ diffId }: Layer, path: string): string {
  return `the unpacked layer ${diffId.slice(0, 12)} in the store was damaged ("${path}") and is made again`;
}
