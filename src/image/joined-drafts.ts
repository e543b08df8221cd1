import { comparePaths } from '../layer/path-order.ts';
import type { LayerFileEntry, ReadContent } from '../layer/write-tar.ts';
import type { LayerEntry, LayerListing } from '../model/layer.ts';
import type { ImageLayer } from './image-layer.ts';

/** Layers on top of packages as one: of each path the last layer's entry counts. They hold no hard links. */
export function joinedDrafts(layers: readonly ImageLayer[]): {
  readonly listing: LayerListing;
  open(): Promise<ReadContent>;
} {
  const [only, another] = layers;
  if (only !== undefined && another === undefined) return { listing: only.listing, open: () => only.open() };
  const entries = new Map<string, { readonly entry: LayerEntry; readonly layer: ImageLayer }>();
  for (const layer of layers) for (const entry of layer.listing) entries.set(entry.path, { entry, layer });
  return {
    listing: [...entries.values()].map(({ entry }) => entry).sort((a, b) => comparePaths(a.path, b.path)),
    async open() {
      const readers = new Map(await Promise.all(layers.map(async (layer) => [layer, await layer.open()] as const)));
      return (entry: LayerFileEntry) => readers.get(entries.get(entry.path)!.layer)!(entry);
    },
  };
}
