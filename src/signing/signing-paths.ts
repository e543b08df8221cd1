import { join } from 'node:path';
import { baseDirectory, expandHome } from '../system/needed-directories.ts';
import { absolutePath, type Environment, findBaseDirectory, findHome } from '../system/user-directories.ts';

export interface SigningPaths {
  /** Whom the user believes (ssh-keygen(1), ALLOWED SIGNERS). */
  readonly allowedSigners: string;
  /** Keys that count no longer, whatever else is said of them. */
  readonly revokedKeys: string;
  /** The private key of buildit's own that `buildit key new` makes. */
  readonly signingKey: string;
  /** The private key that this user signs with on this machine where there is no other. */
  readonly machineKey: string;
}

/**
 * Where keys and trust are kept unless the configuration names other files; the revoked keys lie beside the trusted.
 *
 * @throws BuilditError `configuration-invalid` for a user without a home directory.
 */
export function signingPaths(
  environment: Environment,
  uid: number | undefined,
  { allowedSigners, signingKey }: { readonly allowedSigners?: string | undefined; readonly signingKey?: string } = {},
): SigningPaths {
  const configured = join(baseDirectory(environment, 'config'), 'buildit');
  const trusted = expandHome(allowedSigners ?? join(configured, 'allowed_signers'), environment);
  return {
    allowedSigners: trusted,
    revokedKeys: join(trusted, '..', 'revoked_keys'),
    signingKey: expandHome(signingKey ?? join(configured, 'signing-key'), environment),
    machineKey: machineKeyPath(environment, uid),
  };
}

/** Where the key of this user on this machine is. @throws BuilditError like `signingPaths`. */
export function machineKeyPath(environment: Environment, uid: number | undefined): string {
  const state =
    absolutePath(environment, 'XDG_STATE_HOME') ?? (uid === 0 ? '/var/lib' : baseDirectory(environment, 'state'));
  return join(state, 'buildit', 'machine-key');
}

/** The files that are looked for where the configuration names no key, the first first; none without a home directory. */
export function usualKeyFiles(environment: Environment): readonly string[] {
  const configured = findBaseDirectory(environment, 'config');
  const home = findHome(environment);
  return [
    ...(configured === undefined ? [] : [join(configured, 'buildit', 'signing-key')]),
    ...(home === undefined ? [] : [join(home, '.ssh', 'id_ed25519')]),
  ];
}
