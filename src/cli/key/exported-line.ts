import { BuilditError } from '../../model/errors.ts';
import { printable } from '../../model/names.ts';
import { createAllowedSigner } from '../../signing/create-allowed-signer.ts';
import { findPublicKey } from '../../signing/find-public-key.ts';
import { isPrincipal } from '../../signing/is-principal.ts';
import { machineName } from '../../signing/machine-key.ts';
import { signerLine } from '../../signing/signer-line.ts';
import type { Environment } from '../../system/user-directories.ts';
import { USUAL_NAMESPACES } from './read-given-keys.ts';

/** The line of allowed_signers that trusts a key; its owner is named by its comment unless said otherwise. */
export async function exportedLine(
  key: string | undefined,
  { environment, principal }: { readonly environment: Environment; readonly principal: string | undefined },
): Promise<string> {
  const found = await findPublicKey(key, { environment });
  if (found === undefined) {
    const name = key === undefined ? '~/.ssh/id_ed25519' : printable(key);
    throw new BuilditError('file-missing', `Cannot export "${name}": expected a key to sign with, found none`, {
      hint: 'buildit key new makes one',
    });
  }
  const owner = principal ?? (isPrincipal(found.comment) ? found.comment : machineName());
  if (!isPrincipal(owner))
    throw new BuilditError(
      'usage',
      `Cannot export a key of "${printable(owner)}": expected a name without spaces, commas and patterns`,
    );
  return signerLine(createAllowedSigner(found.publicKey, owner, USUAL_NAMESPACES));
}
