import { BuilditError } from '../model/errors.ts';
import type { LayerBlob, MediaType } from '../model/layer.ts';
import type { BlobReference } from './published-record.ts';
import { count, FieldFault, listOf, object, oneOf, text } from './strict-fields.ts';

/** What an OCI manifest (image-spec, manifest.md) that buildit wrote names. */
export interface ImageManifest {
  readonly config: BlobReference;
  /** Bottom first; who compressed them is not told. */
  readonly layers: readonly LayerBlob[];
}

/** Above any manifest: 128 layers are 30 kB. */
export const MOST_MANIFEST_BYTES = 4 * 2 ** 20;

const LAYER_TYPES: readonly MediaType[] = [
  'application/vnd.oci.image.layer.v1.tar+zstd',
  'application/vnd.oci.image.layer.v1.tar+gzip',
  'application/vnd.oci.image.layer.v1.tar',
];

const PREFIXED = /^sha256:[0-9a-f]{64}$/;
const descriptorOf = <const Type extends string>(...mediaTypes: readonly Type[]) =>
  object({
    mediaType: oneOf(...mediaTypes),
    digest: text('a sha256 with its prefix', (value) => PREFIXED.test(value)),
    size: count,
  });

const manifest = object({
  schemaVersion: oneOf(2),
  mediaType: oneOf('application/vnd.oci.image.manifest.v1+json'),
  config: descriptorOf('application/vnd.oci.image.config.v1+json'),
  layers: listOf(descriptorOf(...LAYER_TYPES), 1000),
});

/** Reads a manifest whose digest has been verified. @throws BuilditError `input-invalid` */
export function parseImageManifest(bytes: Uint8Array, what: string): ImageManifest {
  try {
    const { config, layers } = manifest(JSON.parse(Buffer.from(bytes).toString('utf8')), '');
    return {
      config: { digest: bare(config.digest), size: config.size },
      layers: layers.map(({ mediaType, digest, size }) => ({
        encoder: 'unknown',
        mediaType,
        digest: bare(digest),
        size,
      })),
    };
  } catch (error) {
    if (!(error instanceof FieldFault) && !(error instanceof SyntaxError)) throw error;
    throw new BuilditError(
      'input-invalid',
      `Cannot read "${what}": expected an OCI manifest, found another document: ${error.message}`,
    );
  }
}

function bare(digest: string): string {
  return digest.slice('sha256:'.length);
}
