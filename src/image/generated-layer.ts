import { comparePaths } from '../layer/path-order.ts';
import { sha256 } from '../model/digest.ts';
import type { LayerEntry } from '../model/layer.ts';
import type { DraftedLayer, LayerContent } from './layer-content.ts';
import type { MergedTree } from './merge-tree.ts';
import { parentsOf, resolveInTree } from './tree-path.ts';

/** A file or link that buildit makes itself, in place of what a script would have made. */
export type GeneratedEntry = { readonly path: string } & (
  | { readonly kind: 'file'; readonly mode: number; readonly gid?: number; readonly content: Uint8Array }
  | { readonly kind: 'link'; readonly target: string }
);

/**
 * The layer of generated files over the packages. It also states again every directory whose entries in the packages
 * differ, since engines take the last entry and the first package's counts. Paths lead through the packages' links; one
 * that a package's file blocks is left out. Undefined when there is nothing to say.
 */
export function draftGenerated(
  tree: MergedTree,
  generated: readonly GeneratedEntry[],
  time: number,
): DraftedLayer | undefined {
  const entries = new Map<string, LayerEntry>();
  const contents = new Map<string, LayerContent>();
  for (const entry of generated) {
    const resolved = resolveInTree((path) => tree.entries.get(path)?.entry, entry.path, { followLast: false });
    if (resolved.kind === 'blocked') continue;
    const { path } = resolved;
    entries.set(path, layerEntry({ ...entry, path }, time));
    if (entry.kind === 'file') contents.set(path, { kind: 'bytes', bytes: entry.content });
  }
  for (const path of [...tree.disputed, ...[...entries.keys()].flatMap(parentsOf)]) {
    if (entries.has(path)) continue;
    const below = tree.entries.get(path)?.entry;
    entries.set(
      path,
      below?.type === 'directory' ? below : { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: time },
    );
  }
  if (entries.size === 0) return undefined;
  return { listing: [...entries.values()].sort((a, b) => comparePaths(a.path, b.path)), contents };
}

function layerEntry(entry: GeneratedEntry, mtime: number): LayerEntry {
  const { path } = entry;
  if (entry.kind === 'link') return { path, type: 'symlink', mode: 0o777, uid: 0, gid: 0, mtime, target: entry.target };
  const { content, mode, gid = 0 } = entry;
  return { path, type: 'file', mode, uid: 0, gid, mtime, size: content.length, sha256: sha256(content) };
}
