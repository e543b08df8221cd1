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
  /** One clause: why it does not count. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Reads a pointer's file. `doubt` is what a weaker policy than `require` lets pass. */
export function readPointer(bytes: Uint8Array, policy: TrustPolicy): PointerReading {
  try {
    const { line, signature } = splitPointer(bytes);
    const doubt = doubtOf(policy, (judge) => judge(Buffer.from(line), signature, 'buildit-index'));
    if (doubt !== undefined && policy.verify === 'require') return { kind: 'refused', reason: doubt };
    return { kind: 'pointer', pointer: parsePointer(line), doubt: policy.verify === 'off' ? undefined : doubt };
  } catch (error) {
    if (error instanceof FieldFault) return { kind: 'refused', reason: `damaged: ${error.message}` };
    throw error;
  }
}

type Judge = (message: Uint8Array, armored: string, namespace: 'buildit-package' | 'buildit-index') => Verdict;

/** One clause about a signature that does not count; undefined for one that does. */
export function doubtOf(policy: TrustPolicy, ask: (judge: Judge) => Verdict): string | undefined {
  const { trust, principals, now } = policy;
  const verdict = ask((message, armored, namespace) =>
    trust.judge(message, armored, { namespace, at: now, principals }),
  );
  return verdict.kind === 'trusted' ? undefined : verdict.reason;
}
