import { link, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { syncDirectory, writeFileDurably } from '../system/files.ts';
import { systemErrorCode, writeFailure } from '../system/write-failure.ts';
import { type AllowedSigner, parseAllowedSigners } from './allowed-signers.ts';
import { createAllowedSigner } from './create-allowed-signer.ts';
import { createKeyFile } from './create-key-file.ts';
import { editLines } from './edit-lines.ts';
import { type FoundKey, findPublicKey } from './find-public-key.ts';
import { isPrincipal } from './is-principal.ts';
import { machineName } from './machine-key.ts';
import { keyId, type PublicKey } from './public-key.ts';
import { publicKeyText } from './public-key-text.ts';
import { signerLine } from './signer-line.ts';
import type { SigningPaths } from './signing-paths.ts';
import { type NewSigner, withSigner } from './trust-key.ts';

export interface RotatedKey {
  readonly oldKey: PublicKey;
  /** Where the old private key lies now. */
  readonly oldPlace: string;
  readonly newKey: PublicKey;
  /** Until when what the old key signed counts. */
  readonly validBefore: Date;
  /** The lines that those who trust the old key need in place of theirs. */
  readonly lines: readonly string[];
}

/**
 * Puts a new key in the place of buildit's own. The old public key is trusted until `validBefore` at most, the new one
 * for the same names and namespaces. Trust is written before the new key takes its place; what was cut off goes on when
 * it is run again. Fails with `file-missing` where there is no key to rotate.
 */
export async function rotateKey(
  paths: SigningPaths,
  { namespaces, validBefore }: { readonly namespaces: readonly string[]; readonly validBefore: Date },
): Promise<RotatedKey> {
  const old = await findPublicKey(paths.signingKey, { environment: {} });
  if (old === undefined) throw nothingToRotate(paths.signingKey);
  const next = await makeNext(paths.signingKey, old);
  const lines = await editLines(paths.allowedSigners, (text) => {
    const signers = successors(parseAllowedSigners(text, '').signers, old, { next, namespaces, validBefore });
    const edited = signers.reduce((edit, signer) => withSigner(edit, signer).text, text);
    return { text: edited, result: signers.map(signerLine) };
  });
  const oldPlace = `${paths.signingKey}.${keyId(old.publicKey).slice(0, 8)}`;
  await replaceKey(paths.signingKey, oldPlace);
  await writeFileDurably(`${paths.signingKey}.pub`, `${publicKeyText(next, old.comment || machineName())}\n`);
  return { oldKey: old.publicKey, oldPlace, newKey: next, validBefore, lines };
}

/** The key that is to take the place; one that an earlier run left is used. */
async function makeNext(path: string, old: FoundKey): Promise<PublicKey> {
  const created = await createKeyFile(`${path}.new`, old.comment || machineName());
  return created ?? (await findPublicKey(`${path}.new`, { environment: {} }))!.publicKey;
}

/** The lines of the old key with their end, and the same ones without an end for the new key. */
function successors(
  signers: readonly AllowedSigner[],
  old: FoundKey,
  next: { readonly next: PublicKey; readonly namespaces: readonly string[]; readonly validBefore: Date },
): readonly NewSigner[] {
  const own = signers.filter(({ publicKey }) => publicKey.blob.equals(old.publicKey.blob));
  const principal = isPrincipal(old.comment) ? old.comment : machineName();
  const unnamed: NewSigner = createAllowedSigner(old.publicKey, principal, next.namespaces);
  return (own.length > 0 ? own : [unnamed]).flatMap((signer) => [
    { ...signer, validBefore: earlier(signer.validBefore, next.validBefore) },
    { ...signer, publicKey: next.next, validAfter: undefined, validBefore: undefined },
  ]);
}

function earlier(one: Date | undefined, other: Date): Date {
  return one !== undefined && one < other ? one : other;
}

async function replaceKey(path: string, oldPlace: string): Promise<void> {
  try {
    for (const end of ['', '.pub']) {
      await link(`${path}${end}`, `${oldPlace}${end}`).catch((error) => {
        if (!['EEXIST', 'ENOENT'].includes(systemErrorCode(error) ?? '')) throw error;
      });
    }
    await rename(`${path}.new`, path);
    await syncDirectory(dirname(path));
    await rm(`${path}.new.pub`, { force: true });
  } catch (error) {
    throw writeFailure(error, { path });
  }
}

function nothingToRotate(path: string): BuilditError {
  return new BuilditError(
    'file-missing',
    `Cannot rotate "${printable(path)}": expected a key of buildit's own, found no file`,
    { hint: 'buildit key new makes one; keys of ssh are changed with ssh-keygen and told with buildit key trust' },
  );
}
