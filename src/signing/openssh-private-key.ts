import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { armor } from './armor.ts';
import { publicKeyOf } from './key-object.ts';
import type { PublicKey } from './public-key.ts';
import { WireFault, WireReader } from './wire-reader.ts';
import { wireString, wireUint32 } from './wire-writer.ts';

/*
 * The private key format of OpenSSH (PROTOCOL.key), for one key:
 *
 *   "openssh-key-v1\0"  string cipher  string kdf  string kdf options  uint32 1  string public key  string secrets
 *
 * Secrets of an Ed25519 key:  uint32 check  uint32 check  string type  string public  string seed ‖ public
 *                             string comment  bytes 1, 2, 3 … up to a whole block
 */
const LABEL = 'OPENSSH PRIVATE KEY';
const MAGIC = 'openssh-key-v1\0';
const BLOCK_BYTES = 8;
const MAXIMUM_FIELD_BYTES = 32_768;

/** What can be told of a private key without its passphrase. */
export interface PrivateKeyOutside {
  readonly encrypted: boolean;
  readonly publicKey: PublicKey;
  /** What is inside, encrypted or not. */
  readonly secrets: Buffer;
}

/** Whether a text claims to be a private key in OpenSSH's own format. */
export function isOpensshPrivateKey(text: string): boolean {
  return text.trimStart().startsWith(`-----BEGIN ${LABEL}-----`);
}

/** Reads what is not secret of a private key in OpenSSH's format; throws a `WireFault`. */
export function readPrivateKeyOutside(text: string): PrivateKeyOutside {
  const base64 = new RegExp(`^-----BEGIN ${LABEL}-----([A-Za-z0-9+/=\\s]*)-----END ${LABEL}-----$`).exec(
    text.trim(),
  )?.[1];
  if (base64 === undefined) throw new WireFault('expected a private key of OpenSSH, found another text');
  const reader = new WireReader(Buffer.from(base64, 'base64'));
  if (reader.fixed(MAGIC.length, 'the magic').toString('latin1') !== MAGIC)
    throw new WireFault('expected a private key of OpenSSH, found other bytes');
  const cipher = reader.text('the cipher', 255);
  reader.text('the key derivation', 255);
  reader.string('the options of the key derivation', 1024);
  const count = reader.uint32('the number of keys');
  if (count !== 1) throw new WireFault(`expected one private key, found ${count}`);
  const blob = reader.string('the public key', MAXIMUM_FIELD_BYTES);
  const secrets = reader.string('the private key', MAXIMUM_FIELD_BYTES);
  const type = new WireReader(blob).text('the type of the key', 255);
  return { encrypted: cipher !== 'none', publicKey: { type, blob }, secrets };
}

/** The Ed25519 key in secrets that are not encrypted; throws a `WireFault`. */
export function decodeEd25519Secrets({ publicKey, secrets }: PrivateKeyOutside): KeyObject {
  const reader = new WireReader(secrets);
  const check = reader.uint32('the check');
  if (reader.uint32('the check') !== check) throw new WireFault('expected a whole private key, found a damaged one');
  reader.text('the type of the key', 255);
  reader.string('the public key', 32);
  const pair = reader.string('the private key', 64);
  const [d, x] = [pair.subarray(0, 32), pair.subarray(32)].map((half) => half.toString('base64url'));
  if (pair.length !== 64) throw new WireFault(`expected a private key of 64 bytes, found ${pair.length}`);
  const key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d: d!, x: x! }, format: 'jwk' });
  if (!publicKeyOf(key).blob.equals(publicKey.blob))
    throw new WireFault('expected the private half of the public key beside it, found that of another');
  return key;
}

/** The text of an Ed25519 key without a passphrase, which `ssh-keygen -y -f` reads. */
export function encodeEd25519PrivateKey(key: KeyObject, comment: string): string {
  const { blob } = publicKeyOf(key);
  const [seed, point] = [key.export({ format: 'jwk' }).d!, key.export({ format: 'jwk' }).x!].map((text) =>
    Buffer.from(text, 'base64url'),
  ) as [Buffer, Buffer];
  const check = randomBytes(4);
  const pair = Buffer.concat([seed, point]);
  const content = Buffer.concat([check, check, ...['ssh-ed25519', point, pair, comment].map(wireString)]);
  const padding = Buffer.from(Array.from({ length: -content.length & (BLOCK_BYTES - 1) }, (_, index) => index + 1));
  const outside = ['none', 'none', ''].map(wireString);
  const secrets = wireString(Buffer.concat([content, padding]));
  return armor(LABEL, Buffer.concat([Buffer.from(MAGIC), ...outside, wireUint32(1), wireString(blob), secrets]));
}
