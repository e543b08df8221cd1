import type { Digest } from '../model/digest.ts';
import type { LayerListing } from '../model/layer.ts';

/** Where the bytes of a file in a new layer come from. */
export type LayerContent =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** A file of the user's; it may change under our hands, so the listing's digest is what counts. */
  | { readonly kind: 'path'; readonly path: string };

/** Content whose size and digest are known. */
export interface MeasuredContent {
  readonly size: number;
  readonly sha256: Digest;
  readonly content: LayerContent;
}

/** A layer decided upon and not made yet: its entries, and the content of each file among them. */
export interface DraftedLayer {
  readonly listing: LayerListing;
  readonly contents: ReadonlyMap<string, LayerContent>;
}
