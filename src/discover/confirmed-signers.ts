import { createHash } from 'node:crypto';
import { isFingerprint } from './parse-discovery.ts';

export interface ConfirmedSigners {
  /** Offered signers that the user named by fingerprint: the only ones of a discovered place that count. */
  readonly confirmed: readonly string[];
  /** Fingerprints of the user's that nobody there offers. */
  readonly absent: readonly string[];
}

/** Compares the signers that a location offers with the fingerprints of `trust=`. Offering alone confirms nothing. */
export function confirmedSigners(offered: readonly string[], trust: readonly string[]): ConfirmedSigners {
  const fingerprints = offered.map(fingerprintOf);
  return {
    confirmed: offered.filter((_, index) => trust.includes(fingerprints[index] ?? '')),
    absent: trust.filter((fingerprint) => !fingerprints.includes(fingerprint)),
  };
}

/** The SHA-256 of the key in a line of an allowed_signers file, as ssh-keygen(1) prints it; undefined without a key. */
export function fingerprintOf(signer: string): string | undefined {
  if (isFingerprint(signer)) return signer;
  const key = /(?:^| )(?:ssh|ecdsa|sk)-[a-z0-9@.-]+ ([A-Za-z0-9+/]+={0,2})(?: |$)/.exec(signer)?.[1];
  if (key === undefined) return undefined;
  return `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`;
}
