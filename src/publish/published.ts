import type { Digest } from '../model/digest.ts';
import type { Witness } from '../system/witness.ts';
import type { OutputType } from './parse-output.ts';

/** Something that was written for the user. */
export interface Published {
  readonly kind: OutputType;
  readonly path: string;
  /** `sha256:…` of an OCI manifest, or of the file. */
  readonly digest: string;
  /** Of an ACI. */
  readonly imageId?: string;
  /** Bytes, of all files together. */
  readonly size: number;
  readonly tags?: readonly string[];
  /** What in the store this is made of, for garbage collection. */
  readonly blobs: readonly Digest[];
}

/** Told about every file that was written, so that a later run can tell that nothing changed. */
export type WriteWitness = Pick<Witness, 'wrote' | 'stored'>;
