import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { PublicKey } from './public-key.ts';
import { WireFault, WireReader } from './wire-reader.ts';
import { wirePositiveInteger, wireString } from './wire-writer.ts';

/** NIST curves by the name SSH gives them (RFC 5656, 10.1), with the bytes of one coordinate. */
export const CURVES: Readonly<Record<string, { readonly jwk: string; readonly bytes: number; readonly hash: string }>> =
  {
    nistp256: { jwk: 'P-256', bytes: 32, hash: 'sha256' },
    nistp384: { jwk: 'P-384', bytes: 48, hash: 'sha384' },
    nistp521: { jwk: 'P-521', bytes: 66, hash: 'sha512' },
  };

const ECDSA_PREFIX = 'ecdsa-sha2-';
const MINIMUM_RSA_BITS = 2048;
const MAXIMUM_RSA_BYTES = 16_384 / 8;
/** A larger public exponent would only make checking slow. */
const MAXIMUM_EXPONENT_BYTES = 8;
const MAXIMUM_NAME_BYTES = 255;

/** What a public key's wire form says. `application` is what a hardware key was made for (PROTOCOL.u2f). */
export interface DecodedKey {
  readonly type: string;
  readonly keyObject: KeyObject;
  readonly application: string | undefined;
}

/**
 * Reads the wire form of a public key that buildit believes: Ed25519, ECDSA over a NIST curve, RSA of 2048 to 16384
 * bits, Ed25519 on a hardware key. Throws a `WireFault` for anything else.
 */
export function decodePublicKey(blob: Uint8Array): DecodedKey {
  const reader = new WireReader(blob);
  const type = reader.text('the type of the key', MAXIMUM_NAME_BYTES);
  const jwk = readJwk(reader, type);
  const application =
    type === 'sk-ssh-ed25519@openssh.com' ? reader.text('the application', MAXIMUM_NAME_BYTES) : undefined;
  reader.end('the key');
  try {
    return { type, keyObject: createPublicKey({ key: jwk, format: 'jwk' }), application };
  } catch {
    throw new WireFault(`expected a key of type ${type}, found numbers that are none`);
  }
}

function readJwk(reader: WireReader, type: string): JsonWebKey {
  if (type === 'ssh-ed25519' || type === 'sk-ssh-ed25519@openssh.com')
    return { kty: 'OKP', crv: 'Ed25519', x: base64url(exactly(reader.string('the key', 32), 32)) };
  if (type === 'ssh-rsa') return readRsa(reader);
  if (type.startsWith(ECDSA_PREFIX)) return readEcdsa(reader, type.slice(ECDSA_PREFIX.length));
  throw new WireFault(`expected a key of type ssh-ed25519, ecdsa-sha2-* or ssh-rsa, found "${type}"`);
}

function readRsa(reader: WireReader): JsonWebKey {
  const exponent = reader.positiveInteger('the exponent', MAXIMUM_EXPONENT_BYTES);
  const modulus = reader.positiveInteger('the modulus', MAXIMUM_RSA_BYTES);
  const bits = modulus.length * 8 - Math.clz32(modulus[0]!) + 24;
  if (bits < MINIMUM_RSA_BITS)
    throw new WireFault(`expected an RSA key of at least ${MINIMUM_RSA_BITS} bits, found ${bits}`);
  return { kty: 'RSA', n: base64url(modulus), e: base64url(exponent) };
}

function readEcdsa(reader: WireReader, name: string): JsonWebKey {
  const curve = Object.hasOwn(CURVES, name) ? CURVES[name] : undefined;
  if (curve === undefined) throw new WireFault(`expected a NIST curve, found "${name}"`);
  const inner = reader.text('the name of the curve', MAXIMUM_NAME_BYTES);
  if (inner !== name) throw new WireFault(`expected the curve ${name}, found "${inner}"`);
  const length = 1 + 2 * curve.bytes;
  const point = exactly(reader.string('the point', length), length);
  if (point[0] !== 4) throw new WireFault('expected an uncompressed point, found another form');
  return {
    kty: 'EC',
    crv: curve.jwk,
    x: base64url(point.subarray(1, 1 + curve.bytes)),
    y: base64url(point.subarray(1 + curve.bytes)),
  };
}

function exactly(bytes: Buffer, length: number): Buffer {
  if (bytes.length !== length) throw new WireFault(`expected ${length} bytes, found ${bytes.length}`);
  return bytes;
}

/** The SSH form of a key of node:crypto, private or public. Throws a `WireFault` for a kind that SSH does not sign with. */
export function publicKeyOf(key: KeyObject): PublicKey {
  const { kty, crv, x = '', y = '', n = '', e = '' } = exportJwk(key);
  if (kty === 'OKP' && crv === 'Ed25519') return publicKey('ssh-ed25519', wireString(fromBase64url(x)));
  if (kty === 'RSA')
    return publicKey('ssh-rsa', wirePositiveInteger(fromBase64url(e)), wirePositiveInteger(fromBase64url(n)));
  const name = Object.keys(CURVES).find((known) => CURVES[known]!.jwk === crv);
  if (kty !== 'EC' || name === undefined)
    throw new WireFault(`expected an Ed25519, ECDSA or RSA key, found ${key.asymmetricKeyType ?? 'another kind'}`);
  const point = Buffer.concat([Buffer.of(4), fromBase64url(x), fromBase64url(y)]);
  return publicKey(`${ECDSA_PREFIX}${name}`, wireString(name), wireString(point));
}

function exportJwk(key: KeyObject): JsonWebKey {
  try {
    return (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  } catch {
    return {};
  }
}

function publicKey(type: string, ...fields: readonly Buffer[]): PublicKey {
  return { type, blob: Buffer.concat([wireString(type), ...fields]) };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function fromBase64url(text: string): Buffer {
  return Buffer.from(text, 'base64url');
}
