/** What `%` tokens of ssh_config(5) stand for. */
export interface SshTokens {
  /** `%h`: the host that is connected to. */
  readonly host: string;
  /** `%n`: the host as it was named. */
  readonly named: string;
  readonly port: number;
  /** `%r`: the user at the other side. */
  readonly remoteUser: string;
  /** `%u`: the user here. */
  readonly localUser: string;
  readonly uid: number;
  readonly home: string;
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
  const values: Readonly<Record<string, string>> = {
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
    .replace(/^~(?=\/|$)/, () => tokens.home)
    .replace(/%(.)|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, token: string | undefined, name: string) =>
      value(token === undefined ? environment[name] : values[token]),
    );
  return known ? expanded : undefined;
}
