import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import { CURVES, type DecodedKey } from './key-object.ts';
import { WireFault, WireReader } from './wire-reader.ts';
import { wirePositiveInteger, wireString } from './wire-writer.ts';

const MAXIMUM_NAME_BYTES = 255;
const MAXIMUM_SIGNATURE_BYTES = 16_384 / 8;
const RSA_HASHES: Readonly<Record<string, string>> = { 'rsa-sha2-512': 'sha512', 'rsa-sha2-256': 'sha256' };
/** The flag of PROTOCOL.u2f that says a person touched the key. */
const USER_PRESENCE = 0x01;

/**
 * Tells whether `blob`, a signature in its SSH form (RFC 4253, 6.6), is one of this key over these bytes. Throws a
 * `WireFault` for a form or an algorithm that is not accepted; SHA-1 is not.
 */
export function verifyKeySignature(key: DecodedKey, blob: Uint8Array, message: Uint8Array): boolean {
  const reader = new WireReader(blob);
  const algorithm = reader.text('the algorithm of the signature', MAXIMUM_NAME_BYTES);
  const signature = reader.string('the signature', MAXIMUM_SIGNATURE_BYTES);
  if (key.type === 'ssh-rsa') return verifyRsa(key, algorithm, signature, message, reader);
  if (algorithm !== key.type)
    throw new WireFault(`expected a signature of algorithm ${key.type}, found "${algorithm}"`);
  if (key.application !== undefined) return verifyHardwareKey(key, signature, message, reader);
  reader.end('the signature');
  if (key.type === 'ssh-ed25519') return signature.length === 64 && verify(null, message, key.keyObject, signature);
  return verifyEcdsa(key, signature, message);
}

function verifyRsa(
  { keyObject }: DecodedKey,
  algorithm: string,
  signature: Buffer,
  message: Uint8Array,
  reader: WireReader,
) {
  reader.end('the signature');
  const hash = Object.hasOwn(RSA_HASHES, algorithm) ? RSA_HASHES[algorithm] : undefined;
  if (hash === undefined)
    throw new WireFault(`expected a signature of algorithm rsa-sha2-512 or rsa-sha2-256, found "${algorithm}"`);
  return verify(hash, message, keyObject, signature);
}

function verifyEcdsa(key: DecodedKey, signature: Buffer, message: Uint8Array): boolean {
  const { bytes, hash } = CURVES[key.type.slice('ecdsa-sha2-'.length)]!;
  const reader = new WireReader(signature);
  const numbers = ['r', 's'].map((name) => reader.positiveInteger(`the number ${name}`, bytes));
  reader.end('the signature');
  const fixed = Buffer.concat(numbers.flatMap((number) => [Buffer.alloc(bytes - number.length), number]));
  return verify(hash, message, { key: key.keyObject, dsaEncoding: 'ieee-p1363' }, fixed);
}

/** PROTOCOL.u2f, "SSH U2F signatures". */
function verifyHardwareKey(
  { keyObject, application }: DecodedKey,
  signature: Buffer,
  message: Uint8Array,
  reader: WireReader,
): boolean {
  const flagsAndCounter = reader.fixed(5, 'flags and counter');
  reader.end('the signature');
  if ((flagsAndCounter[0]! & USER_PRESENCE) === 0)
    throw new WireFault('expected a signature that a person confirmed by touch, found one without');
  const digest = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest();
  const signed = Buffer.concat([digest(application ?? ''), flagsAndCounter, digest(message)]);
  return signature.length === 64 && verify(null, signed, keyObject, signature);
}

/** Signs with a private key that is at hand; gives the SSH form of the signature. RSA signs as rsa-sha2-512. */
export function createKeySignature(key: KeyObject, type: string, message: Uint8Array): Buffer {
  if (type === 'ssh-ed25519') return signatureBlob(type, sign(null, message, key));
  if (type === 'ssh-rsa') return signatureBlob('rsa-sha2-512', sign('sha512', message, key));
  const { bytes, hash } = CURVES[type.slice('ecdsa-sha2-'.length)]!;
  const fixed = sign(hash, message, { key, dsaEncoding: 'ieee-p1363' });
  const numbers = [fixed.subarray(0, bytes), fixed.subarray(bytes)];
  return signatureBlob(type, Buffer.concat(numbers.map(wirePositiveInteger)));
}

function signatureBlob(algorithm: string, signature: Uint8Array): Buffer {
  return Buffer.concat([wireString(algorithm), wireString(signature)]);
}
