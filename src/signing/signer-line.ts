import type { AllowedSigner } from './allowed-signers.ts';
import { publicKeyText } from './public-key-text.ts';
import { signerTimeText } from './signer-time.ts';

/** A signer as a line of allowed_signers, without its end. */
export function signerLine(signer: Omit<AllowedSigner, 'line'>): string {
  const { principals, publicKey, namespaces, validAfter, validBefore, comment } = signer;
  const names = principals.join(',');
  const options = [
    namespaces === undefined ? undefined : `namespaces="${namespaces.join(',')}"`,
    validAfter === undefined ? undefined : `valid-after="${signerTimeText(validAfter)}"`,
    validBefore === undefined ? undefined : `valid-before="${signerTimeText(validBefore)}"`,
  ].filter((option) => option !== undefined);
  const words = [/\s/.test(names) ? `"${names}"` : names, ...(options.length > 0 ? [options.join(',')] : [])];
  return `${words.join(' ')} ${publicKeyText(publicKey, comment)}`;
}
