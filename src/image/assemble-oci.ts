import { encodeLayer } from '../layer/encode-layer.ts';
import { listingBytes } from '../layer/listing.ts';
import { canonicalJson, type JsonValue } from '../model/canonical-json.ts';
import type { LayerCompression } from '../model/container.ts';
import { type Digest, sha256 } from '../model/digest.ts';
import type { LayerBlob } from '../model/layer.ts';
import type { Platform } from '../model/platform.ts';
import type { Store } from '../store/store.ts';
import { flattenTree } from './flatten-tree.ts';
import type { ImageLayer } from './image-layer.ts';
import { imageLicense } from './image-license.ts';
import { joinedDrafts } from './joined-drafts.ts';
import { planLayers } from './layer-plan.ts';
import { checkConfigUser, type OciDefinition, ociAnnotations, ociConfig } from './oci-config.ts';
import type { ImageContent } from './prepare-content.ts';
import { sharedLayer } from './shared-layer.ts';
import { type WrittenLayer, writeLayer } from './write-layer.ts';

/** A small JSON document of an image. */
export interface OciDocument {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** An image as an OCI manifest over blobs that are in the store; nothing of it has been copied or linked yet. */
export interface OciImage {
  readonly kind: 'oci';
  /** The container's, by which engines know the image where a tag is not a whole name. */
  readonly name: string;
  readonly platform: Platform;
  /** Tags, the first of which is the image's own. */
  readonly tags: readonly string[];
  readonly manifest: OciDocument;
  readonly config: OciDocument;
  /** Bottom first. */
  readonly layers: readonly LayerBlob[];
  /** Which packages share layers, for the lock. */
  readonly shared: readonly (readonly string[])[];
}

export interface OciOptions {
  /** Which packages shared layers the last time, from the lock. */
  readonly shared: readonly (readonly string[])[];
  /** In place of what the definition says, where a format cannot hold that. */
  readonly compression?: LayerCompression;
  /** In place of the definition's. */
  readonly tags?: readonly string[];
}

/** Makes an OCI image: a layer for each package, base first, the generated and the user's files on top. */
export async function assembleOci(
  store: Store,
  content: ImageContent,
  definition: OciDefinition,
  { shared, compression = definition.compression, tags = definition.tags }: OciOptions,
): Promise<OciImage> {
  checkConfigUser(definition, content.users);
  const plan = planContent(content, definition.layerBudget, shared);
  const written = await inTurns(plan.layers, (layer) => writePlanned(store, content, layer, compression));

  const { container, created } = content;
  const layers = written.map(({ diffId }, index) => ({ diffId, content: plannedText(plan.layers[index]!) }));
  const config = document(ociConfig(container, definition, layers, created));
  const license = await imageLicense(content);
  const manifest = document({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: `sha256:${config.digest}`,
      size: config.bytes.length,
    },
    layers: written.map(({ blob: { mediaType, digest, size } }) => ({ mediaType, digest: `sha256:${digest}`, size })),
    annotations: ociAnnotations(container, definition, license, created),
  });
  return {
    kind: 'oci',
    name: container.name,
    platform: container.platform,
    tags: tags.length === 0 ? [container.version] : tags,
    manifest,
    config,
    layers: written.map(({ blob }) => blob),
    shared: plan.shared,
  };
}

/** A layer of the image before it is written. */
type PlannedLayer =
  | { readonly kind: 'packages'; readonly packages: readonly ImageLayer[] }
  /** Generated files, files of the container, or both as one. */
  | { readonly kind: 'drafts'; readonly layers: readonly ImageLayer[] }
  /** The whole image. */
  | { readonly kind: 'flat'; readonly layers: readonly ImageLayer[] };

/** The most layers that lie on top of those of packages. */
const TOP_LAYERS = 2;

function planContent(
  content: ImageContent,
  budget: number,
  previous: readonly (readonly string[])[],
): { layers: readonly PlannedLayer[]; shared: readonly (readonly string[])[] } {
  const packages = content.layers.filter(({ member }) => member !== undefined);
  const tops = content.layers.filter(({ member }) => member === undefined);
  if (budget === 1 && content.layers.length > 1) {
    return { layers: [{ kind: 'flat', layers: content.layers }], shared: previous };
  }
  // Counted as if both layers on top were there, so that the first synced file moves no package to another layer.
  const room = Math.max(1, budget - TOP_LAYERS);
  const sizes = packages.map(({ name, member }) => ({ name, size: member!.layer.size }));
  const { layers, shared } = planLayers(sizes, room, previous);
  const groups = budget <= TOP_LAYERS && tops.length > 0 ? [tops] : tops.map((layer) => [layer]);
  return {
    layers: [
      ...layers.map((group) => ({ kind: 'packages' as const, packages: group.map((index) => packages[index]!) })),
      ...groups.map((group) => ({ kind: 'drafts' as const, layers: group })),
    ],
    shared,
  };
}

async function writePlanned(
  store: Store,
  content: ImageContent,
  planned: PlannedLayer,
  compression: LayerCompression,
): Promise<WrittenLayer> {
  switch (planned.kind) {
    case 'packages': {
      const [first] = planned.packages;
      if (planned.packages.length > 1) return writeLayer(store, sharedLayer(planned.packages), compression);
      const { layer } = first!.member!;
      return { diffId: layer.diffId, blob: await encodeLayer(store, layer, compression) };
    }
    case 'drafts': {
      const { listing, open } = joinedDrafts(planned.layers);
      return writeLayer(store, { key: `draft ${sha256(listingBytes(listing))}`, listing, open }, compression);
    }
    case 'flat': {
      const { listing, open } = flattenTree(content.tree, planned.layers, '');
      return writeLayer(store, { key: `flat ${sha256(listingBytes(listing))}`, listing, open }, compression);
    }
  }
}

function plannedText(planned: PlannedLayer): string {
  const layers = planned.kind === 'packages' ? planned.packages : planned.layers;
  return layers.map(({ name, member }) => (member === undefined ? name : `${name}-${member.version}`)).join(', ');
}

function document(value: JsonValue): OciDocument {
  const bytes = Buffer.from(canonicalJson(value));
  return { digest: sha256(bytes), bytes };
}

/** Two at a time, so that one is read while the other is compressed; compression itself uses all processors. */
async function inTurns<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!);
  };
  await Promise.all(Array.from({ length: 2 }, worker));
  return results;
}
