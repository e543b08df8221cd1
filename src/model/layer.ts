import type { Capability } from './capability.ts';
import type { Digest } from './digest.ts';

/** SHA-256 of a layer's uncompressed tar. */
export type DiffId = Digest;

/**
 * One entry of a layer. `path` is relative, without a leading or trailing slash, valid UTF-8 without NUL.
 * `mode` holds permission bits including set-id and sticky. `mtime` is in whole seconds.
 */
export type LayerEntry = {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
} & (
  | {
      readonly type: 'file';
      readonly size: number;
      readonly sha256: Digest;
      /** What every program gets that is started from the file, in the order of their numbers. Absent for nearly all. */
      readonly capabilities?: readonly Capability[];
    }
  | { readonly type: 'directory' }
  | { readonly type: 'symlink'; readonly target: string }
  /** `target` is the path of an earlier file entry in the same layer. */
  | { readonly type: 'hardlink'; readonly target: string }
);

/** All entries of a layer, sorted by the bytes of their paths, parents included. */
export type LayerListing = readonly LayerEntry[];

export type MediaType =
  | 'application/vnd.oci.image.layer.v1.tar+zstd'
  | 'application/vnd.oci.image.layer.v1.tar+gzip'
  | 'application/vnd.oci.image.layer.v1.tar';

/** A layer's bytes as they are stored and shipped. `encoder` names the exact compressor: other encoders give other bytes. */
export interface LayerBlob {
  readonly encoder: string;
  readonly mediaType: MediaType;
  readonly digest: Digest;
  readonly size: number;
}

/** What one ELF file says of itself. Version names are those of .gnu.version_r and .gnu.version_d. */
export interface ElfFacts {
  readonly path: string;
  readonly machine: string;
  readonly soname: string | undefined;
  readonly interpreter: string | undefined;
  readonly needed: readonly { readonly soname: string; readonly versions: readonly string[] }[];
  readonly defines: readonly string[];
  /** DT_RPATH and DT_RUNPATH entries as written. */
  readonly runPaths: readonly string[];
}

/** A layer kept in the store: its tree, its listing and what its ELF files need. */
export interface KeptLayer {
  readonly diffId: DiffId;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  /** Digest of the blob that holds the `LayerListing` as JSON. */
  readonly listing: Digest;
  readonly elf: readonly ElfFacts[];
}
