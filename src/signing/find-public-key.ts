import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { publicKeyOf } from './key-object.ts';
import { parseKeySource } from './key-source.ts';
import { agentOf, type SignerOptions } from './open-signer.ts';
import { isOpensshPrivateKey, readPrivateKeyOutside } from './openssh-private-key.ts';
import { parsePrivateKey } from './private-key-text.ts';
import { fingerprint, type PublicKey } from './public-key.ts';
import { type NamedKey, parsePublicKey } from './public-key-text.ts';
import { readSmallFile } from './read-small-file.ts';
import { usualKeyFiles } from './signing-paths.ts';
import { WireFault } from './wire-reader.ts';

export interface FoundKey extends NamedKey {
  /** Where its private half is, as the user names it: a path, `agent:…` or `env:…`. */
  readonly place: string;
}

const MAXIMUM_BYTES = 64 * 1024;

/**
 * The public half of the key that `openSigner` would open, without any passphrase; undefined where there is none. Fails
 * with `input-invalid` for a file or variable that holds no key.
 */
export async function findPublicKey(key: string | undefined, options: SignerOptions): Promise<FoundKey | undefined> {
  if (key === undefined) return findUsual(options);
  const source = parseKeySource(key, options.environment);
  switch (source.kind) {
    case 'agent': {
      const keys = (await agentOf(options)?.keys()) ?? [];
      const held = keys.find(({ publicKey }) => fingerprint(publicKey) === source.fingerprint);
      return held === undefined ? undefined : { ...held, place: key };
    }
    case 'environment': {
      const text = options.environment[source.variable];
      const publicKey = text === undefined ? undefined : await publicHalf(text, key, undefined);
      return publicKey === undefined ? undefined : { publicKey, comment: '', place: key };
    }
    case 'file':
      return findInFile(source.path);
  }
}

async function findUsual({ environment }: SignerOptions): Promise<FoundKey | undefined> {
  for (const path of usualKeyFiles(environment)) {
    const found = await findInFile(path);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function findInFile(path: string): Promise<FoundKey | undefined> {
  const file = await readSmallFile(path, MAXIMUM_BYTES);
  if (file === undefined) return undefined;
  const beside = await readBeside(path);
  const publicKey = await publicHalf(file.text, path, beside?.publicKey);
  if (publicKey === undefined) return undefined;
  const comment = beside?.publicKey.blob.equals(publicKey.blob) ? beside.comment : '';
  return { publicKey, comment, place: path };
}

/** What `<path>.pub` says, where it can be understood. */
async function readBeside(path: string): Promise<NamedKey | undefined> {
  const file = await readSmallFile(`${path}.pub`, MAXIMUM_BYTES);
  try {
    return file === undefined ? undefined : parsePublicKey(file.text);
  } catch {
    return undefined;
  }
}

async function publicHalf(text: string, name: string, beside: PublicKey | undefined): Promise<PublicKey | undefined> {
  try {
    if (!/^\s*-----BEGIN /.test(text)) return parsePublicKey(text).publicKey;
    if (isOpensshPrivateKey(text)) return readPrivateKeyOutside(text).publicKey;
    const parsed = await parsePrivateKey(text);
    return parsed.kind === 'open' ? publicKeyOf(parsed.key) : (parsed.publicKey ?? beside);
  } catch (error) {
    if (!(error instanceof WireFault)) throw error;
    throw new BuilditError('input-invalid', `Cannot read the key "${printable(name)}": ${printable(error.message)}`, {
      cause: error,
    });
  }
}
