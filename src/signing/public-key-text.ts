import { decodePublicKey } from './key-object.ts';
import type { PublicKey } from './public-key.ts';
import { WireFault } from './wire-reader.ts';

export interface NamedKey {
  readonly publicKey: PublicKey;
  /** What stands behind the key; empty where nothing does. */
  readonly comment: string;
}

const LINE = /^(?<type>[a-z0-9@.-]{1,64})[ \t]+(?<base64>[A-Za-z0-9+/]{1,12000}={0,2})(?:[ \t]+(?<comment>\S.*))?$/;

/** Reads `ssh-ed25519 AAAA… comment`, as a .pub file and a line of authorized_keys have it; throws a `WireFault`. */
export function parsePublicKey(text: string): NamedKey {
  const { type = '', base64 = '', comment = '' } = LINE.exec(text.trim())?.groups ?? {};
  if (base64 === '') throw new WireFault('expected a public key such as "ssh-ed25519 AAAA…", found none');
  const blob = Buffer.from(base64, 'base64');
  if (blob.toString('base64') !== base64)
    throw new WireFault('expected a public key in base64, found other characters');
  const decoded = decodePublicKey(blob);
  if (decoded.type !== type) throw new WireFault(`expected a key of type ${type}, found ${decoded.type}`);
  return { publicKey: { type, blob }, comment: comment.trim() };
}

export function publicKeyText({ type, blob }: PublicKey, comment = ''): string {
  return `${type} ${blob.toString('base64')}${comment === '' ? '' : ` ${comment}`}`;
}
