import type { Config } from '../model/config.ts';
import { findPublicKey } from '../signing/find-public-key.ts';
import { isPrincipal } from '../signing/is-principal.ts';
import { machineName } from '../signing/machine-key.ts';

/** As `buildit key export` names the owner of the key that signs: by its comment, else by this user and machine. */
export async function ownerOfKey({ sign }: Pick<Config, 'sign'>): Promise<string> {
  const comment = (await findPublicKey(sign.key, { environment: process.env }))?.comment ?? '';
  return isPrincipal(comment) ? comment : machineName();
}
