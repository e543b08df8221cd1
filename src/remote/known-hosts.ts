import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { withoutTrailing } from '../model/without-trailing.ts';
import { matchesList } from './read-ssh-config.ts';

/** A line of a known_hosts file, sshd(8): which hosts, and which key they have. */
export interface KnownHostLine {
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  /** `a.org,*.b.org,!c.b.org`, or `|1|salt|hash`. */
  readonly hosts: string;
  /** `ssh-ed25519` and so on. */
  readonly keyType: string;
  /** In the form in which a server sends it. */
  readonly key: Buffer;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export type HostKeyVerdict =
  | { readonly kind: 'known' }
  /** `authority`: a certificate authority vouches for the host's certificates, which a plain key says nothing about. */
  | { readonly kind: 'unknown'; readonly authority: KnownHostLine | undefined }
  /** `known`: the line with another key, of the same type where there is one. */
  | { readonly kind: 'changed'; readonly known: KnownHostLine }
  | { readonly kind: 'revoked'; readonly known: KnownHostLine };

/** All lines of several files, in their order. Files that are not there and lines that are none are passed over. */
export function readKnownHosts(files: readonly string[]): readonly KnownHostLine[] {
  return files.flatMap((file) => {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      return [];
    }
    return text.split('\n').flatMap((line, index) => parseLine(line.trim(), file, index + 1) ?? []);
  });
}

function parseLine(text: string, file: string, line: number): KnownHostLine | undefined {
  if (text === '' || text.startsWith('#')) return undefined;
  const fields = text.split(/[ \t]+/);
  const marked = fields[0]!.startsWith('@') ? fields.shift()! : '';
  const marker =
    marked === ''
      ? 'none'
      : marked === '@revoked'
        ? 'revoked'
        : marked === '@cert-authority'
          ? 'cert-authority'
          : undefined;
  const [hosts, keyType, encoded] = fields;
  if (marker === undefined || hosts === undefined || keyType === undefined || encoded === undefined) return undefined;
  const key = Buffer.from(encoded, 'base64');
  return keyTypeOf(key) === keyType ? { marker, hosts, keyType, key, file, line } : undefined;
}

/** The type that a key says of itself: its first string. */
export function keyTypeOf(key: Buffer): string | undefined {
  if (key.length < 4) return undefined;
  const length = key.readUInt32BE(0);
  return length <= 64 && length <= key.length - 4 ? key.toString('latin1', 4, 4 + length) : undefined;
}

/** Lines about a host; `name` is `host`, or `[host]:port` where the port is not 22. */
export function linesFor(name: string, lines: readonly KnownHostLine[]): readonly KnownHostLine[] {
  return lines.filter(({ hosts }) => (hosts.startsWith('|') ? matchesHash(hosts, name) : matchesNames(hosts, name)));
}

function matchesNames(hosts: string, name: string): boolean {
  return matchesList(hosts.split(','), name);
}

/** `|1|base64(salt)|base64(HMAC-SHA1(salt, name))`, as `ssh-keygen -H` writes it. */
function matchesHash(hosts: string, name: string): boolean {
  const [, version, salt, hash] = hosts.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64');
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return expected.length === found.length && timingSafeEqual(expected, found);
}

/** What the files say of a key that a host showed. A revoked key is refused whatever else they say. */
export function judgeHostKey(name: string, key: Buffer, lines: readonly KnownHostLine[]): HostKeyVerdict {
  const about = linesFor(name, lines);
  const revoked = about.find((line) => line.marker === 'revoked' && line.key.equals(key));
  if (revoked !== undefined) return { kind: 'revoked', known: revoked };
  const plain = about.filter(({ marker }) => marker === 'none');
  if (plain.some((line) => line.key.equals(key))) return { kind: 'known' };
  const other = plain.find(({ keyType }) => keyType === keyTypeOf(key)) ?? plain[0];
  if (other !== undefined) return { kind: 'changed', known: other };
  return { kind: 'unknown', authority: about.find(({ marker }) => marker === 'cert-authority') };
}

const SIGNATURE_TYPES: Readonly<Record<string, readonly string[]>> = {
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};
const OFFERED = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/**
 * Host key algorithms to offer: those of keys that are known for the host first, so that a server with several keys shows
 * one that can be checked.
 */
export function hostKeyAlgorithms(name: string, lines: readonly KnownHostLine[]): readonly string[] {
  const known = linesFor(name, lines)
    .filter(({ marker }) => marker === 'none')
    .flatMap(({ keyType }) => SIGNATURE_TYPES[keyType] ?? [keyType]);
  return [...new Set([...OFFERED.filter((type) => known.includes(type)), ...OFFERED])];
}

/** `SHA256:…`, as ssh shows it. */
export function keyFingerprint(key: Buffer): string {
  return `SHA256:${withoutTrailing(createHash('sha256').update(key).digest('base64'), '=')}`;
}
