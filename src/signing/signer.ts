import type { PublicKey } from './public-key.ts';

/** What a signature is for: none made for one purpose is taken for another. */
export type SignatureNamespace = 'buildit-package' | 'buildit-index';

/** A private key, wherever it is: in a file, in an agent, in an environment variable. */
export interface Signer {
  readonly publicKey: PublicKey;
  /** The armored SSHSIG of a message (OpenSSH's PROTOCOL.sshsig), as `ssh-keygen -Y sign` writes it. */
  sign(namespace: SignatureNamespace, message: Uint8Array): Promise<string>;
}
