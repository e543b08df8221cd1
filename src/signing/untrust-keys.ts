import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { type AllowedSigner, parseAllowedSigners } from './allowed-signers.ts';
import { editLines, withLine } from './edit-lines.ts';
import { isFingerprint } from './key-source.ts';
import { fingerprint } from './public-key.ts';
import { publicKeyText } from './public-key-text.ts';
import type { TrustFiles } from './read-trust.ts';
import { parseRevokedKeys } from './revoked-keys.ts';
import { signerLine } from './signer-line.ts';

export interface Untrusted {
  readonly fingerprint: string;
  readonly principals: readonly string[];
}

/**
 * Takes trust back from a key (`SHA256:…`) or from all keys of a principal: their lines go, comments and all other lines
 * stay. A line for several principals stays for the others. With `revoke` the keys themselves count no longer, whoever
 * names them: they are written to the revoked keys first. Fails with `input-invalid` where there is nothing to take back.
 */
export async function untrustKeys(
  files: TrustFiles,
  selector: string,
  { revoke }: { readonly revoke: boolean },
): Promise<readonly Untrusted[]> {
  const chosen = await editLines(files.allowedSigners, (text) => ({ text, result: choose(text, selector) }));
  const untrusted = chosen.map((signer) => ({
    fingerprint: fingerprint(signer.publicKey),
    principals: signer.principals,
  }));
  const strange = chosen.length === 0 && revoke && isFingerprint(selector);
  if (chosen.length === 0 && !strange) throw nothingToTakeBack(files, selector);
  if (revoke) await revokeKeys(files, strange ? [selector] : chosen.map(revokedLine));
  await editLines(files.allowedSigners, (text) => ({
    text: withoutSigners(text, selector, revoke),
    result: undefined,
  }));
  return strange ? [{ fingerprint: selector, principals: [] }] : untrusted;
}

function choose(text: string, selector: string): readonly AllowedSigner[] {
  return parseAllowedSigners(text, '').signers.filter(
    ({ publicKey, principals }) => fingerprint(publicKey) === selector || principals.includes(selector),
  );
}

function withoutSigners(text: string, selector: string, whole: boolean): string {
  const lines: (string | undefined)[] = text.split('\n');
  const chosen = choose(text, selector);
  const keys = new Set(chosen.map(({ publicKey }) => fingerprint(publicKey)));
  for (const signer of whole ? parseAllowedSigners(text, '').signers : chosen) {
    if (!keys.has(fingerprint(signer.publicKey))) continue;
    const others = signer.principals.filter((principal) => principal !== selector);
    const stays = !whole && !isFingerprint(selector) && others.some((principal) => !principal.startsWith('!'));
    lines[signer.line - 1] = stays ? signerLine({ ...signer, principals: others }) : undefined;
  }
  return lines.filter((line) => line !== undefined).join('\n');
}

/** The whole key with its owner: ssh-keygen reads such files too. */
function revokedLine({ publicKey, principals }: AllowedSigner): string {
  return publicKeyText(publicKey, principals.join(','));
}

async function revokeKeys({ revokedKeys }: TrustFiles, lines: readonly string[]): Promise<void> {
  await editLines(revokedKeys, (text) => {
    const known = new Set(parseRevokedKeys(text, revokedKeys).keys.map((key) => key.fingerprint));
    const fresh = lines.filter((line) => !parseRevokedKeys(line, '').keys.some((key) => known.has(key.fingerprint)));
    return { text: [...new Set(fresh)].reduce(withLine, text), result: undefined };
  });
}

function nothingToTakeBack({ allowedSigners }: TrustFiles, selector: string): BuilditError {
  return new BuilditError(
    'input-invalid',
    `Cannot untrust "${printable(selector)}": expected a fingerprint or a principal of ${printable(allowedSigners)}, found neither`,
    { hint: 'buildit key list shows both' },
  );
}
