import type { AllowedSigner } from './allowed-signers.ts';
import type { PublicKey } from './public-key.ts';

/** Trust in a key that stands in no file: without an end, for these namespaces or for all. */
export function createAllowedSigner(
  publicKey: PublicKey,
  principal: string,
  namespaces: readonly string[] | undefined,
): AllowedSigner {
  return {
    principals: [principal],
    publicKey,
    namespaces,
    validAfter: undefined,
    validBefore: undefined,
    comment: '',
    line: 0,
  };
}
