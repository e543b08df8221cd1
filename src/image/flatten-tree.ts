import { comparePaths } from '../layer/path-order.ts';
import type { LayerFileEntry, ReadContent } from '../layer/write-tar.ts';
import type { LayerEntry, LayerListing } from '../model/layer.ts';
import type { ImageLayer } from './image-layer.ts';
import type { MergedTree, TreeSource } from './merge-tree.ts';

/** All files of an image as one listing, each path once. */
export interface FlatTree {
  readonly listing: LayerListing;
  open(): Promise<ReadContent>;
}

/**
 * Flattens an image below a prefix (`rootfs/`, or nothing). A hard link whose file was replaced on top becomes a file of
 * its own, as it would where the layers are unpacked over each other.
 */
export function flattenTree(tree: MergedTree, layers: readonly ImageLayer[], prefix: string): FlatTree {
  const flat = new Map<string, FlatFile>();
  const originals = new Originals();
  const listing = [...tree.entries.values()]
    .sort((a, b) => comparePaths(a.entry.path, b.entry.path))
    .map(({ entry, source }): LayerEntry => {
      const path = prefix + entry.path;
      if (entry.type !== 'file' && entry.type !== 'hardlink') return { ...entry, path };
      const original = originals.find(source, entry);
      const before = originals.written(source, original.path);
      if (before !== undefined) return { ...entry, type: 'hardlink', path, target: before };
      originals.note(source, original.path, path);
      flat.set(path, { source, original });
      return { ...original, mode: entry.mode, uid: entry.uid, gid: entry.gid, mtime: entry.mtime, path };
    });
  return { listing, open: () => openFlat(flat, layers) };
}

interface FlatFile {
  readonly source: TreeSource;
  readonly original: LayerFileEntry;
}

/** Follows hard links within their layers, and remembers under which path each file was written first. */
class Originals {
  readonly #files = new Map<TreeSource, Map<string, LayerFileEntry>>();
  readonly #written = new Map<TreeSource, Map<string, string>>();

  find(source: TreeSource, entry: LayerEntry & { readonly type: 'file' | 'hardlink' }): LayerFileEntry {
    if (entry.type === 'file') return entry;
    let files = this.#files.get(source);
    if (files === undefined) {
      files = new Map(source.listing.flatMap((other) => (other.type === 'file' ? [[other.path, other]] : [])));
      this.#files.set(source, files);
    }
    const original = files.get(entry.target);
    if (original === undefined) throw new TypeError(`Hard link "${entry.path}" of ${source.name} leads to no file`);
    return original;
  }

  written(source: TreeSource, original: string): string | undefined {
    return this.#written.get(source)?.get(original);
  }

  note(source: TreeSource, original: string, path: string): void {
    const paths = this.#written.get(source) ?? new Map<string, string>();
    this.#written.set(source, paths.set(original, path));
  }
}

async function openFlat(flat: ReadonlyMap<string, FlatFile>, layers: readonly ImageLayer[]): Promise<ReadContent> {
  const used = new Set([...flat.values()].map(({ source }) => source));
  const readers = new Map<TreeSource, ReadContent>();
  for (const layer of layers) if (used.has(layer)) readers.set(layer, await layer.open());
  return (entry) => {
    const { source, original } = flat.get(entry.path)!;
    return readers.get(source)!(original);
  };
}
