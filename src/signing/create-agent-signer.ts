import { BuilditError } from '../model/errors.ts';
import type { Agent } from './agent.ts';
import { fingerprint, type PublicKey } from './public-key.ts';
import type { Signer } from './signer.ts';
import { bytesToSign, encodeSshsig, parseSshsig, verifySshsig } from './sshsig.ts';
import { WireFault } from './wire-reader.ts';

/** A signer whose private key stays in an agent. What the agent answers is checked before it is given on. */
export function createAgentSigner(agent: Agent, publicKey: PublicKey): Signer {
  return {
    publicKey,
    async sign(namespace, message) {
      const signature = await agent.sign(publicKey, bytesToSign({ namespace, hash: 'sha512' }, message));
      const armored = encodeSshsig({ publicKey, namespace, hash: 'sha512', signature });
      const fault = faultOf(armored, message);
      if (fault === undefined) return armored;
      throw new BuilditError(
        'authentication-failed',
        `Cannot sign with "${fingerprint(publicKey)}": expected a signature of this key from the agent, found ${fault}`,
      );
    },
  };
}

function faultOf(armored: string, message: Uint8Array): string | undefined {
  try {
    return verifySshsig(parseSshsig(armored), message) ? undefined : 'one that does not fit';
  } catch (error) {
    if (error instanceof WireFault) return `one that is not accepted: ${error.message}`;
    throw error;
  }
}
