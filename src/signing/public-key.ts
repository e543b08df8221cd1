import { createHash } from 'node:crypto';
import { withoutTrailing } from '../model/without-trailing.ts';

/** An SSH public key: its algorithm and its wire form (RFC 4253, 6.6; RFC 8709 for Ed25519). */
export interface PublicKey {
  readonly type: string;
  readonly blob: Buffer;
}

/** As ssh-keygen shows it: `SHA256:` and unpadded base64. */
export function fingerprint({ blob }: PublicKey): string {
  return `SHA256:${withoutTrailing(createHash('sha256').update(blob).digest('base64'), '=')}`;
}

/** The same digest as 64 hexadecimal digits: how a key's files are named. */
export function keyId({ blob }: PublicKey): string {
  return createHash('sha256').update(blob).digest('hex');
}
