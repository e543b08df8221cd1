import { printable } from '../model/names.ts';

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):(?!\d{1,5}(?:\/|$))/;
const MAXIMUM_LENGTH = 1000;

export interface WebAddressRules {
  /** This machine too, over http as well. What comes from elsewhere must not send anyone there. */
  readonly allowThisMachine: boolean;
}

/**
 * What is wrong with a text as the address of something on the web, as the `found` of a message; undefined for an https
 * address without user, password, query and fragment. What the text holds is not repeated, except the name of its scheme.
 */
export function webAddressFault(text: string, { allowThisMachine }: WebAddressRules): string | undefined {
  if (text.length > MAXIMUM_LENGTH) return `${text.length} characters`;
  if (/[\s\\]/.test(text) || printable(text) !== text) return 'an address with spaces or odd characters';
  const scheme = schemeOf(text);
  if (scheme === undefined) return 'no scheme';
  if (scheme !== 'https' && scheme !== 'http') return `the scheme "${scheme}:"`;
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) return 'no whole address';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || text.includes('@')) return 'an address with a user or a password';
  if (/[?#]/.test(text)) return 'an address with a query or a fragment';
  if (!isHost(url.hostname)) return 'no name of a host';
  if (isLoopback(url.hostname)) return allowThisMachine ? undefined : 'an address of this machine';
  return scheme === 'https' ? undefined : 'plain http to another machine';
}

/** The scheme of an address in lower case. A host with a port (`localhost:8080/x`) has none; `ext::…` has `ext`. */
export function schemeOf(text: string): string | undefined {
  return SCHEME.exec(text)?.[1]?.toLowerCase();
}

/** Whether a host of a URL is this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

/** Whether an address that `webAddressFault` accepted leads to this machine. */
export function isLoopbackAddress(address: string): boolean {
  return isLoopback(new URL(address).hostname);
}

/** RFC 1123 section 2.1, or an address of IPv6 in brackets. */
export function isHost(hostname: string): boolean {
  if (/^\[[0-9A-Fa-f:.]{2,45}\]$/.test(hostname)) return true;
  return hostname.length <= 253 && hostname.split('.').every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}$/.test(label));
}
