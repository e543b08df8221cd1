import { layerTar } from '../layer/write-tar.ts';
import { flattenTree } from './flatten-tree.ts';
import type { ImageContent } from './prepare-content.ts';

/** The whole file system of an image as one deterministic tar, each path once. */
export async function* rootArchive({ tree, layers }: ImageContent): AsyncGenerator<Uint8Array> {
  const { listing, open } = flattenTree(tree, layers, '');
  yield* layerTar(listing, await open());
}
