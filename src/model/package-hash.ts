import type { Digest } from './digest.ts';

/** The identity of a package: a SHA-256 over everything that goes into it. Compared in full, shown as a UUID. */
export type Hash = Digest;

/** Shows a HASH as a UUID of version 8 (RFC 9562): its first 128 bits with version and variant bits set. */
export function hashAsUuid(hash: Hash): string {
  const digits = hash.slice(0, 32).split('');
  digits[12] = '8';
  digits[16] = ((Number.parseInt(digits[16]!, 16) & 0x3) | 0x8).toString(16);
  const text = digits.join('');
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
}

/**
 * Tells whether what a person typed means this HASH: a prefix of at least 8 digits of the HASH itself or of its UUID,
 * with or without dashes.
 */
export function hashMatches(hash: Hash, typed: string): boolean {
  const digits = typed.toLowerCase().replaceAll('-', '');
  if (!/^[0-9a-f]{8,64}$/.test(digits)) return false;
  return hash.startsWith(digits) || hashAsUuid(hash).replaceAll('-', '').startsWith(digits);
}
