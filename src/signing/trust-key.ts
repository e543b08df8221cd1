import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { type AllowedSigner, parseAllowedSigners } from './allowed-signers.ts';
import { editLines, withLine } from './edit-lines.ts';
import { fingerprint } from './public-key.ts';
import { readTrust, type TrustFiles } from './read-trust.ts';
import { signerLine } from './signer-line.ts';

export type NewSigner = Omit<AllowedSigner, 'line'>;

/**
 * Writes a key with its owner into allowed_signers. A line that says the same of other terms is replaced where it
 * stands; all others stay as they are, comments too. Fails with `configuration-invalid` for a revoked key.
 */
export async function trustKey(files: TrustFiles, signer: NewSigner): Promise<'added' | 'changed' | 'unchanged'> {
  const print = fingerprint(signer.publicKey);
  const revoked = (await readTrust(files)).revokedKeys.find((key) => key.fingerprint === print);
  if (revoked !== undefined) {
    throw new BuilditError(
      'configuration-invalid',
      `Cannot trust "${print}": expected a key that was not revoked, found it in ${printable(files.revokedKeys)}`,
      { hint: `if it is to count again, remove line ${revoked.line} there` },
    );
  }
  return editLines(files.allowedSigners, (text) => withSigner(text, signer));
}

/** The text of allowed_signers with this signer in it. */
export function withSigner(
  text: string,
  signer: NewSigner,
): { readonly text: string; readonly result: 'added' | 'changed' | 'unchanged' } {
  const line = signerLine(signer);
  const same = parseAllowedSigners(text, '').signers.find(
    ({ publicKey, principals }) =>
      publicKey.blob.equals(signer.publicKey.blob) && principals.join() === signer.principals.join(),
  );
  if (same === undefined) return { text: withLine(text, line), result: 'added' };
  const lines = text.split('\n');
  if (lines[same.line - 1] === line) return { text, result: 'unchanged' };
  lines[same.line - 1] = line;
  return { text: lines.join('\n'), result: 'changed' };
}
