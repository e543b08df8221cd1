import { type LocationFault, oddCharacter } from '../model/location-fault.ts';
import { readSshLocation } from '../model/ssh-location.ts';

const MAXIMUM_LENGTH = 1000;
/** Names of hosts in use have `_`, whatever RFC 952 says. */
const HOST = /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.(?!-)[A-Za-z0-9_-]{1,63})*\.?$/;
const BRACKETED_ADDRESS = /^\[[0-9A-Fa-f:.]{2,45}\]$/;

/** Why a text cannot be where a binhost of that type is written to or read from; undefined for one that can. */
export function binhostLocationFault(type: 'ssh' | 'file' | 'https' | 'http', text: string): LocationFault | undefined {
  switch (type) {
    case 'ssh': {
      const read = readSshLocation(text);
      return 'expected' in read ? read : undefined;
    }
    case 'https':
    case 'http':
      return textFault(text, 'host[:port]/path') ?? webFault(text);
    case 'file':
      return textFault(text, 'a directory') ?? directoryFault(text);
  }
}

function textFault(text: string, expected: string): LocationFault | undefined {
  if (text.trim() === '') return { expected, found: 'nothing' };
  if (text.length > MAXIMUM_LENGTH) return { expected, found: `${text.length} characters` };
  const odd = oddCharacter(text, /[\s\S]/);
  if (odd !== undefined) return { expected, found: odd };
  return text.trim() === text ? undefined : { expected, found: 'a blank at its start or end' };
}

function webFault(text: string): LocationFault | undefined {
  const expected = 'host[:port]/path';
  const scheme = /^[a-z+]{1,20}:\/\//i.exec(text)?.[0];
  if (scheme !== undefined) {
    return { expected, found: `"${scheme}"`, hint: 'download-type says https or http; leave it out of the path' };
  }
  const [authority = ''] = text.split('/', 1);
  if (authority.includes('@')) {
    return { expected, found: 'a user or a password before the host', hint: 'leave it out', isSecret: true };
  }
  const host = authority.replace(/:\d{1,5}$/, '');
  const odd = host.startsWith('[') ? undefined : oddCharacter(host, /[A-Za-z0-9._-]/);
  if (odd !== undefined) return { expected, found: `${odd} in the name of the host` };
  if (!HOST.test(host) && !BRACKETED_ADDRESS.test(host)) return { expected, found: `the host "${host.slice(0, 100)}"` };
  const oddInPath = oddCharacter(text.slice(authority.length), /[^?#\\\s]/);
  if (oddInPath !== undefined) {
    return { expected, found: `${oddInPath} in the path`, hint: 'a blank is written %20, "?" %3F and "#" %23' };
  }
  return URL.canParse(`https://${text}`) ? undefined : { expected, found: `"${text.slice(0, 100)}"` };
}

function directoryFault(text: string): LocationFault | undefined {
  if (text.startsWith('-')) return { expected: 'a directory', found: 'a "-" at its start', hint: `write ./${text}` };
  if (!/^~[^/]/.test(text)) return undefined;
  const hint = `only ~/ is known here: write the whole path, or ./${text}`;
  return { expected: 'a directory', found: `"${text.split('/', 1)[0]}"`, hint };
}
