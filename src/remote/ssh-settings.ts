import { isAbsolute, join } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { isPort, isSshHost, isSshUser, parseSshLocation, type SshLocation } from '../model/ssh-location.ts';
import { absolutePath, findAccount, userId } from '../system/user-directories.ts';
import { readSshConfig, type SshOptions } from './read-ssh-config.ts';
import { expandTokens, type SshTokens } from './ssh-tokens.ts';

/** How a host is reached: what the location, `~/.ssh/config` and `/etc/ssh/ssh_config` say together. */
export interface SshSettings {
  /** The host as it was named. */
  readonly named: string;
  /** Connected to. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /**
   * The names under which known_hosts may have the host: `HostKeyAlias` alone, else `host`. At a port other than 22 the
   * name is `[host]:port`; the bare one comes after it.
   */
  readonly knownAs: readonly [string, ...string[]];
  /** Private keys, in the order in which they are offered. */
  readonly identityFiles: readonly string[];
  /** `CertificateFile` lines; the certificate beside an identity file needs none. */
  readonly certificateFiles: readonly string[];
  /** A `PKCS11Provider` is configured. */
  readonly hasToken: boolean;
  /** No other key of the agent than those of `identityFiles`. */
  readonly identitiesOnly: boolean;
  /** Socket of the agent. */
  readonly agent: string | undefined;
  readonly knownHostsFiles: readonly string[];
  /** Hosts that are gone through, the first one first. */
  readonly jumps: readonly SshLocation[];
  /** `Match exec` stands in the configuration: what it says is known to the system's ssh alone. */
  readonly undecided: boolean;
}

export interface SshSettingsOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Undefined: the user's own configuration, keys and known hosts are not there. */
  readonly home: string | undefined;
  /** For tests; `/etc/ssh/ssh_config` otherwise. */
  readonly systemConfig?: string | undefined;
}

/** Those of security keys come last: a plain key needs nobody to touch a device. */
export const DEFAULT_IDENTITIES = ['id_ed25519', 'id_ecdsa', 'id_rsa', 'id_ed25519_sk', 'id_ecdsa_sk'];
const SYSTEM_CONFIG = '/etc/ssh/ssh_config';

/**
 * Reads the user's and the system's configuration for a host. Nothing that is named there is ever run.
 *
 * @throws BuilditError `configuration-invalid` for `ProxyCommand` and for values that are no host, port or user.
 */
export function readSshSettings(location: SshLocation, options: SshSettingsOptions): SshSettings {
  const { home, environment } = options;
  const localUser = findAccount()?.name;
  const files = [...(home === undefined ? [] : [join(home, '.ssh/config')]), options.systemConfig ?? SYSTEM_CONFIG];
  const { values, undecided } = readSshConfig(files, { location, localUser, home });
  refuseProxyCommand(location.host, values);

  const named = location.host;
  const host = checked(named, 'HostName', hostNameOf(values, named), isSshHost);
  const port = location.port ?? Number(checked(named, 'Port', first(values, 'port') ?? '22', isPortText));
  const user = location.user ?? checked(named, 'User', first(values, 'user') ?? localUser ?? noUser(named), isSshUser);
  const keyAlias = first(values, 'hostkeyalias');
  const tokens: SshTokens = {
    ...{ host, named, port, home, localUser },
    remoteUser: user,
    uid: userId(),
    keyAlias: keyAlias ?? host,
  };
  const expand = (text: string) => expandTokens(text, tokens, environment);
  const paths = (texts: readonly string[]) =>
    texts.filter((text) => text !== 'none').flatMap((text) => absoluteOnly(expand(text)));
  return {
    ...{ named, host, port, user, undecided },
    knownAs: namesInKnownHosts(keyAlias, host, port),
    identityFiles: paths(values.identityfile ?? DEFAULT_IDENTITIES.map((name) => `~/.ssh/${name}`)),
    certificateFiles: paths(values.certificatefile ?? []),
    hasToken: !/^(none)?$/i.test(first(values, 'pkcs11provider') ?? ''),
    identitiesOnly: /^(yes|true)$/i.test(first(values, 'identitiesonly') ?? ''),
    agent: agentOf(first(values, 'identityagent'), environment, expand),
    knownHostsFiles: [
      ...paths(values.userknownhostsfile ?? ['~/.ssh/known_hosts', '~/.ssh/known_hosts2']),
      ...paths(values.globalknownhostsfile ?? ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']),
    ],
    jumps: jumpsOf(named, first(values, 'proxyjump')),
  };
}

/** ssh takes a relative path from the working directory, which is a project here: nobody is trusted by one. */
function absoluteOnly(path: string | undefined): readonly string[] {
  return path !== undefined && isAbsolute(path) ? [path] : [];
}

function noUser(named: string): never {
  throw new BuilditError(
    'configuration-invalid',
    `Cannot connect to "${named}": expected a user name, found none: uid ${userId()} has no account on this machine`,
    { hint: `name the user in the location, as in user@${named}/path, or with User in ~/.ssh/config` },
  );
}

function namesInKnownHosts(alias: string | undefined, host: string, port: number): readonly [string, ...string[]] {
  const bare = (alias ?? host).toLowerCase();
  return alias !== undefined || port === 22 ? [bare] : [`[${bare}]:${port}`, bare];
}

function first(values: SshOptions, name: string): string | undefined {
  return values[name]?.[0];
}

function hostNameOf(values: SshOptions, named: string): string {
  return (first(values, 'hostname') ?? named).replace(/%([%hn])/g, (_, token) => (token === '%' ? '%' : named));
}

function isPortText(text: string): boolean {
  return /^\d{1,5}$/.test(text) && isPort(Number(text));
}

function checked(named: string, option: string, value: string, isRight: (text: string) => boolean): string {
  if (isRight(value)) return value;
  throw new BuilditError(
    'configuration-invalid',
    `Cannot connect to "${named}": expected a usable ${option} in ssh_config, found "${printable(value.slice(0, 100))}"`,
  );
}

/** The first of ProxyCommand and ProxyJump counts, as ssh has it; `none` switches it off. */
function refuseProxyCommand(named: string, values: SshOptions): void {
  const command = first(values, 'proxycommand');
  if (command === undefined || /^none$/i.test(command)) return;
  throw new BuilditError(
    'configuration-invalid',
    `Cannot connect to "${named}": expected a host without ProxyCommand in ssh_config, found one`,
    { hint: 'use ProxyJump, or let the system\'s ssh connect: "driver: system" at this place' },
  );
}

function agentOf(
  configured: string | undefined,
  environment: SshSettingsOptions['environment'],
  expand: (text: string) => string | undefined,
): string | undefined {
  if (configured === undefined || configured === 'SSH_AUTH_SOCK') return absolutePath(environment, 'SSH_AUTH_SOCK');
  if (/^none$/i.test(configured)) return undefined;
  if (/^\$[A-Za-z_][A-Za-z0-9_]*$/.test(configured)) return absolutePath(environment, configured.slice(1));
  return absoluteOnly(expand(configured))[0];
}

function jumpsOf(named: string, configured: string | undefined): readonly SshLocation[] {
  if (configured === undefined || /^none$/i.test(configured)) return [];
  return configured.split(',').map((text) => {
    const jump = parseSshLocation(text.trim());
    if (jump.path === '') return jump;
    throw new BuilditError(
      'configuration-invalid',
      `Cannot connect to "${named}": expected ProxyJump to name hosts, found "${printable(text)}"`,
    );
  });
}
