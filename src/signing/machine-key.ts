import type { KeyObject } from 'node:crypto';
import { hostname } from 'node:os';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Environment } from '../system/user-directories.ts';
import { findAccount, userId } from '../system/user-directories.ts';
import { createKeyFile } from './create-key-file.ts';
import { createSigner } from './create-signer.ts';
import { parsePrivateKey } from './private-key-text.ts';
import { readPrivateKeyFile } from './read-private-key-file.ts';
import type { Signer } from './signer.ts';
import { machineKeyPath } from './signing-paths.ts';
import { WireFault } from './wire-reader.ts';

/**
 * The key of this user on this machine: what is built here is signed with it where there is no other. It is made at
 * first use; processes that start at once agree on one. Nobody else trusts it unless told so.
 */
export async function openMachineKey(environment: Environment, uid: number | undefined): Promise<Signer> {
  const path = machineKeyPath(environment, uid);
  const text = (await readPrivateKeyFile(path)) ?? (await makeAndRead(path));
  return createSigner(await readKey(path, text));
}

async function makeAndRead(path: string): Promise<string> {
  await createKeyFile(path, machineName());
  return (await readPrivateKeyFile(path)) ?? '';
}

async function readKey(path: string, text: string): Promise<KeyObject> {
  try {
    const parsed = await parsePrivateKey(text);
    if (parsed.kind === 'open') return parsed.key;
    throw new WireFault('expected a key without a passphrase, found an encrypted one');
  } catch (error) {
    if (!(error instanceof WireFault)) throw error;
    throw new BuilditError('input-invalid', `Cannot open the key "${printable(path)}": ${error.message}`, {
      hint: 'remove the file: buildit makes a new key, and builds again what only the lost one signed',
      cause: error,
    });
  }
}

/** `user@host`, for the comment of a key and as the name of its owner. */
export function machineName(): string {
  return `${findAccount()?.name ?? userId()}@${hostname()}`.replace(/[^A-Za-z0-9@._-]/g, '-');
}
