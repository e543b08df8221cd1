import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PublicKey } from 'openpgp';
import { BuilditError } from '../model/errors.ts';

/** The keys that ship with buildit; found from `src/` and from `dist/` alike. */
export const SHIPPED_KEYRING = fileURLToPath(new URL('../../keys/debian-archive.gpg', import.meta.url));
/** The keys that the host's own package manager trusts for the Debian archive, where the host is one of Debian's. */
export const HOST_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

let loaded: Promise<readonly PublicKey[]> | undefined;

/** The public keys that may sign an index of the Debian archive: those that ship with buildit, and the host's. */
export function loadArchiveKeys(): Promise<readonly PublicKey[]> {
  loaded ??= (async () => [...(await readKeyring(SHIPPED_KEYRING)), ...(await readHostKeyring())])();
  return loaded;
}

/** Reads a binary OpenPGP keyring. */
export async function readKeyring(path: string): Promise<readonly PublicKey[]> {
  const { readKeys } = await import('openpgp');
  try {
    return (await readKeys({ binaryKeys: readFileSync(path) })).map((key) => key.toPublic());
  } catch (error) {
    throw new BuilditError('file-missing', `Cannot read the keyring "${path}": expected OpenPGP public keys`, {
      hint: 'install buildit again: the keys of the Debian archive ship with it',
      cause: error,
    });
  }
}

/** A host without the keyring, or with a damaged one, is an ordinary host: the shipped keys are enough. */
async function readHostKeyring(): Promise<readonly PublicKey[]> {
  try {
    return await readKeyring(HOST_KEYRING);
  } catch {
    return [];
  }
}
