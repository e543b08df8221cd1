/** What `%` tokens of ssh_config(5) stand for. */
export interface SshTokens {
  /** `%h`: the host that is connected to. */
  readonly host: string;
  /** `%n`: the host as it was named. */
  readonly named: string;
  readonly port: number;
  /** `%r`: the user at the other side. */
  readonly remoteUser: string;
  /** `%u`: the user here; undefined for a uid without an account. */
  readonly localUser: string | undefined;
  readonly uid: number;
  /** `~` and `%d`; undefined where there is none. */
  readonly home: string | undefined;
  /** `%k`: the alias of the host key, else the host. */
  readonly keyAlias: string;
}

/**
 * Expands `%` tokens, a leading `~` and `${VARIABLE}`. Undefined where one is not known, or an environment variable is not
 * set: a half-expanded path would name another file.
 */
export function expandTokens(
  text: string,
  tokens: SshTokens,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const values: Readonly<Record<string, string | undefined>> = {
    '%': '%',
    h: tokens.host,
    n: tokens.named,
    p: String(tokens.port),
    r: tokens.remoteUser,
    u: tokens.localUser,
    i: String(tokens.uid),
    d: tokens.home,
    k: tokens.keyAlias,
  };
  let known = true;
  const value = (found: string | undefined) => {
    known &&= found !== undefined;
    return found ?? '';
  };
  const expanded = text
    .replace(/^~(?=\/|$)/, () => value(tokens.home))
    .replace(/%(.)|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, token: string | undefined, name: string) =>
      value(token === undefined ? environment[name] : values[token]),
    );
  return known ? expanded : undefined;
}
