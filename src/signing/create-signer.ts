import type { KeyObject } from 'node:crypto';
import { publicKeyOf } from './key-object.ts';
import { createKeySignature } from './key-signature.ts';
import type { Signer } from './signer.ts';
import { bytesToSign, encodeSshsig } from './sshsig.ts';

/** A signer whose private key is in this process. */
export function createSigner(key: KeyObject): Signer {
  const publicKey = publicKeyOf(key);
  return {
    publicKey,
    async sign(namespace, message) {
      const bytes = bytesToSign({ namespace, hash: 'sha512' }, message);
      const signature = createKeySignature(key, publicKey.type, bytes);
      return encodeSshsig({ publicKey, namespace, hash: 'sha512', signature });
    },
  };
}
