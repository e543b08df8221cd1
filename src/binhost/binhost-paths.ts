import type { Digest } from '../model/digest.ts';
import type { Hash } from '../model/package-hash.ts';

/*
 * PLACE/
 *   buildit-binhost.json                 format, name and id: written once by `binhost init` or the first upload
 *   oci-layout  index.json               the images, as an OCI image layout over the same blobs
 *   blobs/sha256/<digest>                layers, configurations, manifests, sources, patches, logs
 *   packages/<hh>/<HASH>/<key>.json      the record of one builder's key; <key>.json.sig is its SSH signature
 *   index/current.json                   the pointer: one line, then its SSH signature
 *   index/gen/<n>.json                   each generation's pointer, created exclusively
 *   index/<digest>.json.zst              immutable parts of the index
 *   specs/<author>/<name>/<version>.tar  container specs
 *   aci/<os>/<arch>/<name>-<version>.aci
 *   keys/allowed_signers                 a copy for convenience
 *   pins/<digest>                        what garbage collection keeps: a HASH, or a container document
 *   index.html  buildit.json             a page for people, and what discovery of the place's address offers
 */
export const IDENTITY_PATH = 'buildit-binhost.json';
export const POINTER_PATH = 'index/current.json';
export const SIGNERS_PATH = 'keys/allowed_signers';
export const PAGE_PATH = 'index.html';
export const GENERATIONS_DIRECTORY = 'index/gen';

export function generationPath(generation: number): string {
  return `${GENERATIONS_DIRECTORY}/${generation}.json`;
}

export function indexPartPath(digest: Digest): string {
  return `index/${digest}.json.zst`;
}

export function publishedBlobPath(digest: Digest): string {
  return `blobs/sha256/${digest}`;
}

/** `key` is the id of the builder's public key: 64 hexadecimal digits. */
export function publishedRecordPath(hash: Hash, key: Digest): string {
  return `packages/${hash.slice(0, 2)}/${hash}/${key}.json`;
}

export function signaturePath(path: string): string {
  return `${path}.sig`;
}
