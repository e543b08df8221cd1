import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { RegistryArtefact } from '../model/registry.ts';

/** What an ecosystem's own lock file says of a file's bytes. */
export type Checksum =
  | { readonly kind: 'sha256'; readonly hex: Digest }
  /** Subresource integrity, base64. */
  | { readonly kind: 'sha512'; readonly base64: string }
  /** Go's `h1:` over the files in a zip, or over the one go.mod; base64. */
  | { readonly kind: 'h1'; readonly base64: string };

/** A file that a lock file names, with its checksum. */
export interface LockedArtefact {
  readonly artefact: RegistryArtefact;
  readonly checksum: Checksum;
}

/** A Python package of a requirements file: which of its files is taken is known when the index was asked. */
export interface PythonRequirement {
  readonly name: string;
  readonly version: string;
  readonly digests: readonly Digest[];
}

/** A lock file as text, and what messages call it. */
export interface LockText {
  readonly text: string;
  readonly name: string;
}

/** A lock file that is not taken, with the line where that is known. */
export function lockRefusal({ name }: LockText, expected: string, found: string, line = 1): BuilditError {
  const message = `Cannot read "${printable(name)}": expected ${expected}, found ${printable(found).slice(0, 200)}`;
  return new BuilditError('input-invalid', message, { position: { file: name, line, column: 1 } });
}

export const MAXIMUM_LOCKED = 20_000;
