import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

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

/** Where keys and trust are kept unless the configuration names other files; the revoked keys lie beside the trusted. */
export function signingPaths(
  environment: Environment,
  uid: number | undefined,
  { allowedSigners, signingKey }: { readonly allowedSigners?: string | undefined; readonly signingKey?: string } = {},
): SigningPaths {
  const home = homeOf(environment);
  const configured = join(xdg(environment, 'XDG_CONFIG_HOME') ?? join(home, '.config'), 'buildit');
  const trusted = expandHome(allowedSigners ?? join(configured, 'allowed_signers'), environment);
  const state = xdg(environment, 'XDG_STATE_HOME') ?? (uid === 0 ? '/var/lib' : join(home, '.local', 'state'));
  return {
    allowedSigners: trusted,
    revokedKeys: join(trusted, '..', 'revoked_keys'),
    signingKey: expandHome(signingKey ?? join(configured, 'signing-key'), environment),
    machineKey: join(state, 'buildit', 'machine-key'),
  };
}

export function homeOf(environment: Environment): string {
  return environment.HOME || homedir();
}

/** `~/.ssh/id_ed25519` as a path. */
export function expandHome(path: string, environment: Environment): string {
  return path === '~' || path.startsWith('~/') ? join(homeOf(environment), path.slice(1)) : path;
}

/** The XDG base directory specification says to ignore relative paths. */
function xdg(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value !== undefined && isAbsolute(value) ? value : undefined;
}
