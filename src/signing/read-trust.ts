import { type BuilditError, throwCollected } from '../model/errors.ts';
import { type AllowedSigner, parseAllowedSigners } from './allowed-signers.ts';
import { createTrust } from './create-trust.ts';
import { readSmallFile } from './read-small-file.ts';
import { parseRevokedKeys, type RevokedKey } from './revoked-keys.ts';
import type { Trust } from './trust.ts';

export interface TrustReading {
  readonly trust: Trust;
  readonly allowedSigners: readonly AllowedSigner[];
  readonly revokedKeys: readonly RevokedKey[];
  /** Lines of allowed_signers that do not count because they cannot be understood: to be shown as warnings. */
  readonly problems: readonly BuilditError[];
}

export interface TrustFiles {
  readonly allowedSigners: string;
  readonly revokedKeys: string;
}

const MAXIMUM_BYTES = 4 * 1024 * 1024;

/**
 * Reads whom the user believes, besides `also` (the user's own key); nobody where the files are missing. A line of the
 * revoked keys that cannot be understood is an error (`configuration-invalid`), and so is a file that cannot be read: a
 * key that was taken back must not count.
 */
export async function readTrust(files: TrustFiles, also: readonly AllowedSigner[] = []): Promise<TrustReading> {
  const [allowed, revoked] = await Promise.all([
    readSmallFile(files.allowedSigners, MAXIMUM_BYTES),
    readSmallFile(files.revokedKeys, MAXIMUM_BYTES),
  ]);
  const { signers, problems } = parseAllowedSigners(allowed?.text ?? '', files.allowedSigners);
  const { keys, problems: faults } = parseRevokedKeys(revoked?.text ?? '', files.revokedKeys);
  throwCollected(faults);
  return {
    trust: createTrust({ allowedSigners: [...signers, ...also], revokedKeys: keys }),
    allowedSigners: signers,
    revokedKeys: keys,
    problems,
  };
}
