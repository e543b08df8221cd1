import type { Trust, Verdict } from '../signing/trust.ts';
import { type Pointer, parsePointer, splitPointer } from './pointer.ts';
import { FieldFault } from './strict-fields.ts';

/** How much a place must prove: `require` a trusted signature, `warn` says where there is none, `off` asks for none. */
export type Verify = 'require' | 'warn' | 'off';

export interface TrustPolicy {
  readonly trust: Trust;
  readonly verify: Verify;
  /** Patterns for the principals that count at this place; all trusted ones where it is absent. */
  readonly principals?: readonly string[] | undefined;
  readonly now: Date;
}

export type PointerReading =
  | { readonly kind: 'pointer'; readonly pointer: Pointer; readonly doubt: string | undefined }
  /** `reason` is one clause; `because` tells a signer who does not count from bytes that are none of a pointer. */
  | { readonly kind: 'refused'; readonly reason: string; readonly because: Verdict['kind'] | 'damaged' };

/** Reads a pointer's file. `doubt` is what a weaker policy than `require` lets pass. */
export function readPointer(bytes: Uint8Array, policy: TrustPolicy): PointerReading {
  try {
    if (bytes.length === 0) return { kind: 'refused', reason: 'an empty file', because: 'damaged' };
    const { line, signature } = splitPointer(bytes);
    const { trust, verify, principals, now } = policy;
    if (verify === 'off') return { kind: 'pointer', pointer: parsePointer(line), doubt: undefined };
    const verdict = trust.judge(Buffer.from(line), signature, { namespace: 'buildit-index', at: now, principals });
    const doubt = verdict.kind === 'trusted' ? undefined : verdict.reason;
    if (doubt !== undefined && !mayCount(verdict, verify))
      return { kind: 'refused', reason: doubt, because: verdict.kind };
    return { kind: 'pointer', pointer: parsePointer(line), doubt };
  } catch (error) {
    if (error instanceof FieldFault) {
      return { kind: 'refused', reason: `damaged: ${error.message}`, because: 'damaged' };
    }
    throw error;
  }
}

/** `warn` lets a whole signature pass whose key is not known, or not now; never one that is damaged or was revoked. */
const PASSING: readonly Verdict['kind'][] = ['stranger', 'expired', 'not-yet-valid'];

export function mayCount({ kind }: Pick<Verdict, 'kind'>, verify: Verify): boolean {
  return kind === 'trusted' || verify === 'off' || (verify === 'warn' && PASSING.includes(kind));
}
