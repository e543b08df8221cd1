import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { link, mkdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory, writeFileDurably, writeNewFile } from '../system/files.ts';
import { systemErrorCode, writeFailure } from '../system/write-failure.ts';
import { publicKeyOf } from './key-object.ts';
import { encodeEd25519PrivateKey } from './openssh-private-key.ts';
import type { PublicKey } from './public-key.ts';
import { publicKeyText } from './public-key-text.ts';

/** What file systems without hard links say to one. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Makes an Ed25519 key without a passphrase at `path` (mode 0600, missing directories 0700) and its public half at
 * `<path>.pub`. A key that is there already stays: undefined then. The key appears whole, and of processes that do this
 * at once exactly one makes it.
 */
export async function createKeyFile(path: string, comment: string): Promise<PublicKey | undefined> {
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (!(await placeNewFile(path, encodeEd25519PrivateKey(privateKey, comment)))) return undefined;
    return await writePublicHalf(path, privateKey, comment);
  } catch (error) {
    throw writeFailure(error, { path });
  }
}

async function writePublicHalf(path: string, privateKey: KeyObject, comment: string): Promise<PublicKey> {
  const publicKey = publicKeyOf(privateKey);
  await writeFileDurably(`${path}.pub`, `${publicKeyText(publicKey, comment)}\n`);
  return publicKey;
}

/** A hard link to a file that is whole already never replaces what is there. */
async function placeNewFile(path: string, text: string): Promise<boolean> {
  const temporary = join(dirname(path), `.new-key-${randomBytes(8).toString('hex')}`);
  try {
    await writeNewFile(temporary, text, 0o600);
    await link(temporary, path);
    await syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    if (!NO_LINKS.has(systemErrorCode(error) ?? '')) throw error;
    return await writeExclusively(path, text);
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

async function writeExclusively(path: string, text: string): Promise<boolean> {
  try {
    await writeNewFile(path, text, 0o600);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}
