import { hash } from 'node:crypto';
import { canonicalJson, type JsonValue } from './canonical-json.ts';

/** A SHA-256 as 64 lower-case hexadecimal digits, without a prefix. */
export type Digest = string;

export const DIGEST_PATTERN = /^[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return DIGEST_PATTERN.test(text);
}

export function sha256(bytes: Uint8Array | string): Digest {
  return hash('sha256', bytes);
}

/** The identity of a JSON value: SHA-256 over its RFC 8785 form. */
export function digestOfJson(value: JsonValue): Digest {
  return sha256(canonicalJson(value));
}
