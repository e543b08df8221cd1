import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import type { FindingKind } from './place-report.ts';
import type { TrustPolicy } from './read-pointer.ts';
import { FieldFault } from './strict-fields.ts';

export interface VerifyPlaceOptions {
  readonly policy: TrustPolicy;
  /** Reads every blob and compares it with its digest. */
  readonly deep: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What is known while a place is verified. */
export interface Check {
  readonly writer: RemoteWriter;
  readonly options: VerifyPlaceOptions;
  readonly policy: TrustPolicy;
  readonly found: (kind: FindingKind, path: string, detail: string) => void;
  /** Blobs that must be there: size, and who names them. */
  readonly named: Map<Digest, { readonly size: number; readonly by: string }>;
  /** Paths and digests that something refers to. */
  readonly kept: Set<string>;
  /** Files that would say what else is named, and cannot be read. */
  readonly unclear: Set<string>;
}

/** What is wrong with the bytes is a finding; a place that cannot be reached is no finding but the end. */
export function asDamage(error: unknown): string {
  if (error instanceof FieldFault) return error.message;
  if (error instanceof BuilditError && DAMAGE.includes(error.code)) return error.message;
  throw error;
}

const DAMAGE: readonly string[] = ['checksum-mismatch', 'input-invalid', 'archive-refused', 'signature-invalid'];
