import type { PublicKey } from './public-key.ts';
import type { SignatureNamespace } from './signer.ts';

/** Whom the user believes: an `allowed_signers` file (ssh-keygen(1), ALLOWED SIGNERS) and the keys that were revoked. */
export interface Trust {
  /** Judges an armored SSHSIG over a message. Never throws for what is in the signature. */
  judge(message: Uint8Array, armored: string, options: JudgeOptions): Verdict;
  /** What `judge` says of a whole signature by the key of this id (`keyId`), as far as the key alone decides it. */
  judgeKey(keyId: string, options: JudgeOptions): KeyVerdict;
  /** Whether a key of this id (`keyId`) may count at all: it stands there and was not revoked. */
  knows(keyId: string): boolean;
}

export interface JudgeOptions {
  readonly namespace: SignatureNamespace;
  /** The time that the validity of the key is measured at. */
  readonly at: Date;
  /** Only signers one of whose principals matches one of these patterns count; all where it is absent. */
  readonly principals?: readonly string[] | undefined;
}

export type Verdict =
  /** The earliest moment at which this verdict changes by itself, where the file names one. */
  | {
      readonly kind: 'trusted';
      readonly key: PublicKey;
      readonly principal: string;
      /** The same text for all keys of one person (`peopleByKey`). */
      readonly person: string;
      readonly validUntil: Date | undefined;
    }
  /** A whole signature by a key that does not count, and why: one clause such as `signed by a stranger`. */
  | {
      readonly kind: 'stranger' | 'revoked' | 'expired' | 'not-yet-valid' | 'other-namespace';
      readonly key: PublicKey;
      readonly reason: string;
    }
  /** No signature over these bytes: damaged, of another message, or of an algorithm that is not accepted. */
  | { readonly kind: 'invalid'; readonly reason: string };

export type KeyVerdict =
  | Pick<Extract<Verdict, { readonly kind: 'trusted' }>, 'kind' | 'person'>
  | { readonly kind: Exclude<Verdict['kind'], 'trusted' | 'invalid'>; readonly reason: string };
