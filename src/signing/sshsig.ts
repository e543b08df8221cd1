import { createHash } from 'node:crypto';
import { armor, unarmor } from './armor.ts';
import { decodePublicKey } from './key-object.ts';
import { verifyKeySignature } from './key-signature.ts';
import type { PublicKey } from './public-key.ts';
import { WireFault, WireReader } from './wire-reader.ts';
import { wireString, wireUint32 } from './wire-writer.ts';

/*
 * An SSHSIG (OpenSSH's PROTOCOL.sshsig) in its armor:
 *
 *   "SSHSIG"  uint32 1  string public key  string namespace  string ""  string "sha512"  string signature
 *
 * The key signs  "SSHSIG"  string namespace  string ""  string "sha512"  string SHA-512(message).
 */
const LABEL = 'SSH SIGNATURE';
const MAGIC = 'SSHSIG';
const VERSION = 1;
const HASHES: readonly string[] = ['sha512', 'sha256'];
/** The largest RSA key gives about 6,000 characters. */
const MAXIMUM_CHARACTERS = 16_384;
const MAXIMUM_FIELD_BYTES = 8192;
const MAXIMUM_NAME_BYTES = 255;

/** What an armored signature says; nothing of it is believed yet. */
export interface Sshsig {
  readonly publicKey: PublicKey;
  readonly namespace: string;
  readonly hash: string;
  /** The signature in its SSH form: algorithm and value. */
  readonly signature: Buffer;
}

/** Reads an armored signature of which there is only one form; throws a `WireFault` for everything else. */
export function parseSshsig(armored: string): Sshsig {
  const reader = new WireReader(unarmor(LABEL, armored, MAXIMUM_CHARACTERS));
  const magic = reader.fixed(MAGIC.length, 'the magic').toString('latin1');
  if (magic !== MAGIC) throw new WireFault(`expected the magic ${MAGIC}, found other bytes`);
  const version = reader.uint32('the version');
  if (version !== VERSION) throw new WireFault(`expected version ${VERSION}, found ${version}`);
  const blob = reader.string('the public key', MAXIMUM_FIELD_BYTES);
  const namespace = reader.text('the namespace', MAXIMUM_NAME_BYTES);
  reader.string('the reserved field', 0);
  const hash = reader.text('the hash algorithm', MAXIMUM_NAME_BYTES);
  if (!HASHES.includes(hash)) throw new WireFault(`expected the hash sha512 or sha256, found "${hash}"`);
  const signature = reader.string('the signature', MAXIMUM_FIELD_BYTES);
  reader.end('the signature');
  const type = new WireReader(blob).text('the type of the key', MAXIMUM_NAME_BYTES);
  return { publicKey: { type, blob }, namespace, hash, signature };
}

/** The armored text of a signature, as `ssh-keygen -Y sign` writes it. */
export function encodeSshsig({ publicKey, namespace, hash, signature }: Sshsig): string {
  const fields = [publicKey.blob, namespace, '', hash, signature].map(wireString);
  return armor(LABEL, Buffer.concat([Buffer.from(MAGIC), wireUint32(VERSION), ...fields]));
}

/** Tells whether a signature is one of its own key over this message; throws a `WireFault` where it cannot be one. */
export function verifySshsig({ publicKey, namespace, hash, signature }: Sshsig, message: Uint8Array): boolean {
  return verifyKeySignature(decodePublicKey(publicKey.blob), signature, bytesToSign({ namespace, hash }, message));
}

/** What the key really signs. */
export function bytesToSign(
  { namespace, hash }: { readonly namespace: string; readonly hash: string },
  message: Uint8Array,
): Buffer {
  const digest = createHash(hash).update(message).digest();
  return Buffer.concat([Buffer.from(MAGIC), ...[namespace, '', hash, digest].map(wireString)]);
}
