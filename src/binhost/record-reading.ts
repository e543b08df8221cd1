import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { Hash } from '../model/package-hash.ts';
import type { RemoteReader } from '../remote/remote-place.ts';
import { keyId } from '../signing/public-key.ts';
import type { Verdict } from '../signing/trust.ts';
import { publishedRecordPath, signaturePath } from './binhost-paths.ts';
import { decodeUtf8 } from './pointer.ts';
import {
  MOST_RECORD_BYTES,
  MOST_SIGNATURE_BYTES,
  type PublishedRecord,
  parsePublishedRecord,
} from './published-record.ts';
import type { TrustPolicy } from './read-pointer.ts';
import { FieldFault } from './strict-fields.ts';

export type RecordReading =
  /** A whole record, and what its signature is worth here; undefined where there is none. */
  | { readonly kind: 'record'; readonly record: PublishedRecord; readonly verdict: Verdict | undefined }
  | { readonly kind: 'missing' }
  | { readonly kind: 'damaged'; readonly reason: string };

/** Reads one builder's record of a HASH to be looked at: what a build takes is decided by `findPackage`. */
export async function readRecordOf(
  { reader, policy }: { readonly reader: RemoteReader; readonly policy: TrustPolicy },
  { hash, key }: { readonly hash: Hash; readonly key: Digest },
  signal?: AbortSignal,
): Promise<RecordReading> {
  const path = publishedRecordPath(hash, key);
  try {
    const [document, armored] = await Promise.all([
      reader.read(path, { maximumBytes: MOST_RECORD_BYTES, signal }),
      reader.read(signaturePath(path), { maximumBytes: MOST_SIGNATURE_BYTES, signal }),
    ]);
    if (typeof document === 'string') return { kind: 'missing' };
    const record = parsePublishedRecord(decodeUtf8(document.bytes));
    if (record.hash !== hash) return { kind: 'damaged', reason: 'it is the record of another package' };
    if (typeof armored === 'string') return { kind: 'record', record, verdict: undefined };
    const options = { namespace: 'buildit-package', at: policy.now, principals: policy.principals } as const;
    const verdict = policy.trust.judge(document.bytes, decodeUtf8(armored.bytes), options);
    if (verdict.kind !== 'invalid' && keyId(verdict.key) !== key)
      return { kind: 'damaged', reason: 'it is signed by another key than its name says' };
    return { kind: 'record', record, verdict };
  } catch (error) {
    if (error instanceof FieldFault) return { kind: 'damaged', reason: error.message };
    if (error instanceof BuilditError && error.code === 'input-invalid')
      return { kind: 'damaged', reason: error.message };
    throw error;
  }
}
