/** The names of this machine for itself; no name server can make a foreign name one of them. */
const OWN_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

const AUTHORITY = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(?::(\d{1,5}))?$/;

/** `host` or `host:port` in lower case and without the dot that ends a full name; undefined for anything else. */
export function parseServedName(
  text: string,
): { readonly host: string; readonly port: number | undefined } | undefined {
  const [, host, port] = AUTHORITY.exec(text.toLowerCase()) ?? [];
  if (host === undefined || host === '.') return undefined;
  return { host: host.replace(/\.$/, ''), port: port === undefined ? undefined : Number(port) };
}

/**
 * Whether a server on loopback is meant by the authority of a request (RFC 9110, 7.2): the names of this machine, without
 * a port or with the server's, and the names that were added, with any port unless they name one. A page from elsewhere
 * whose name suddenly leads here (DNS rebinding) asks for its own name.
 */
export function isServedName(
  authority: string | undefined,
  { port, names }: { readonly port: number; readonly names: readonly string[] },
): boolean {
  const asked = parseServedName(authority ?? '');
  if (asked === undefined) return false;
  if (OWN_NAMES.includes(asked.host) && (asked.port ?? port) === port) return true;
  return names.some((name) => {
    const added = parseServedName(name);
    return added !== undefined && added.host === asked.host && (added.port ?? asked.port) === asked.port;
  });
}
