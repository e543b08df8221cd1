import type { AllowedSigner } from './allowed-signers.ts';
import type { PublicKey } from './public-key.ts';
import type { SignatureNamespace } from './signer.ts';

/** Trust in a key that stands in no file: without an end, and for these namespaces only. */
export function createAllowedSigner(
  publicKey: PublicKey,
  principal: string,
  namespaces: readonly SignatureNamespace[],
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
