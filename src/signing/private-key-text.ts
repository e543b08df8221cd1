import { createPrivateKey, type KeyObject } from 'node:crypto';
import { publicKeyOf } from './key-object.ts';
import { decodeEd25519Secrets, isOpensshPrivateKey, readPrivateKeyOutside } from './openssh-private-key.ts';
import type { PublicKey } from './public-key.ts';
import { WireFault } from './wire-reader.ts';

/** A private key as it lies in a file: in OpenSSH's format or in PEM (PKCS#8 and its older sisters). */
export type PrivateKeyText =
  | { readonly kind: 'open'; readonly key: KeyObject }
  /** `publicKey` is what it says of itself without its passphrase; PEM says nothing. */
  | { readonly kind: 'encrypted'; readonly publicKey: PublicKey | undefined; readonly unlock: Unlock }
  /** The secret is in a hardware token; only an agent can sign with it. */
  | { readonly kind: 'hardware'; readonly publicKey: PublicKey };

/** Opens the key with a passphrase; undefined where it is the wrong one. */
export type Unlock = (passphrase: string) => Promise<KeyObject | undefined>;

/** Reads the text of a private key; throws a `WireFault` where it is none that buildit can sign with. */
export async function parsePrivateKey(text: string): Promise<PrivateKeyText> {
  if (!isOpensshPrivateKey(text)) return parsePem(text);
  const outside = readPrivateKeyOutside(text);
  const { publicKey, encrypted } = outside;
  if (publicKey.type.startsWith('sk-')) return { kind: 'hardware', publicKey };
  if (encrypted)
    return { kind: 'encrypted', publicKey, unlock: (passphrase) => unlockOpenssh(text, publicKey, passphrase) };
  if (publicKey.type === 'ssh-ed25519') return { kind: 'open', key: decodeEd25519Secrets(outside) };
  return { kind: 'open', key: checked(await readWithSsh2(text), publicKey) };
}

function parsePem(text: string): PrivateKeyText {
  if (!/^-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/.test(text.trimStart()))
    throw new WireFault('expected a private key of OpenSSH or in PEM, found another text');
  if (/^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(text))
    return { kind: 'encrypted', publicKey: undefined, unlock: async (passphrase) => unlockPem(text, passphrase) };
  const key = unlockPem(text, undefined);
  if (key === undefined) throw new WireFault('expected a private key in PEM, found a damaged one');
  publicKeyOf(key);
  return { kind: 'open', key };
}

function unlockPem(text: string, passphrase: string | undefined): KeyObject | undefined {
  try {
    return createPrivateKey({ key: text, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    return undefined;
  }
}

async function unlockOpenssh(text: string, publicKey: PublicKey, passphrase: string): Promise<KeyObject | undefined> {
  const read = await readWithSsh2(text, passphrase);
  // Of a wrong passphrase ssh2 says only that the two check numbers differ, or that decryption failed.
  return read instanceof Error && !/unsupported/i.test(read.message) ? undefined : checked(read, publicKey);
}

/** ssh2 knows the ciphers and the key derivation of OpenSSH. It is loaded only where they are needed. */
async function readWithSsh2(text: string, passphrase?: string): Promise<KeyObject | Error> {
  const { default: ssh2 } = await import('ssh2');
  const parsed: unknown = ssh2.utils.parseKey(text, passphrase);
  const key = Array.isArray(parsed) ? (parsed as unknown[])[0] : parsed;
  if (key instanceof Error) return key;
  try {
    return createPrivateKey((key as { getPrivatePEM(): string }).getPrivatePEM());
  } catch (error) {
    return error as Error;
  }
}

/** The outside of a file may name another key than the one inside. */
function checked(key: KeyObject | Error, publicKey: PublicKey): KeyObject {
  if (key instanceof Error)
    throw new WireFault(`expected a private key that can be read, found one that cannot: ${key.message}`);
  if (!publicKeyOf(key).blob.equals(publicKey.blob))
    throw new WireFault('expected the private half of the public key beside it, found that of another');
  return key;
}
