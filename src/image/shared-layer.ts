import { comparePaths } from '../layer/path-order.ts';
import type { LayerEntry } from '../model/layer.ts';
import type { ImageLayer } from './image-layer.ts';
import type { LayerToWrite } from './write-layer.ts';

/**
 * One layer out of several packages, in their order. They have no path in common but directories, of which the first
 * package's entry counts, as in the merged tree.
 */
export function sharedLayer(packages: readonly ImageLayer[]): LayerToWrite {
  const entries = new Map<string, { readonly entry: LayerEntry; readonly layer: ImageLayer }>();
  for (const layer of packages) {
    for (const entry of layer.listing) if (!entries.has(entry.path)) entries.set(entry.path, { entry, layer });
  }
  return {
    key: `shared ${packages.map(({ member }) => member!.layer.diffId).join(' ')}`,
    listing: [...entries.values()].map(({ entry }) => entry).sort((a, b) => comparePaths(a.path, b.path)),
    async open() {
      const readers = new Map(await Promise.all(packages.map(async (layer) => [layer, await layer.open()] as const)));
      return (entry) => readers.get(entries.get(entry.path)!.layer)!(entry);
    },
  };
}
