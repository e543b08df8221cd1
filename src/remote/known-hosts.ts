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
  | { readonly kind: 'changed'; readonly known: KnownHostLine; readonly authority: KnownHostLine | undefined }
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
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const key = Buffer.from(encoded, 'base64');
  return keyTypeOf(key) === keyType && isWholeKey(key) ? { marker, hosts, keyType, key, file, line } : undefined;
}

/** A key is a sequence of strings, each with its length before it (RFC 4253, section 6.6); one that was cut is none. */
function isWholeKey(key: Buffer): boolean {
  let fields = 0;
  let position = 0;
  while (position + 4 <= key.length) {
    position += 4 + key.readUInt32BE(position);
    fields += 1;
  }
  return position === key.length && fields >= 2;
}

/** The type that a key says of itself: its first string. */
export function keyTypeOf(key: Buffer): string | undefined {
  if (key.length < 4) return undefined;
  const length = key.readUInt32BE(0);
  return length <= 64 && length <= key.length - 4 ? key.toString('latin1', 4, 4 + length) : undefined;
}

/** Lines about a host; `name` is `host` or `[host]:port`. */
function linesFor(name: string, lines: readonly KnownHostLine[]): readonly KnownHostLine[] {
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

/**
 * What the files say of a key that a host showed. A revoked key is refused whatever else they say. `names` are tried in
 * order, as OpenSSH does (`check_host_key` of sshconnect.c): lines of a later name count only where the earlier ones have
 * no key, and another key there says nothing about this port.
 */
export function judgeHostKey(names: readonly string[], key: Buffer, lines: readonly KnownHostLine[]): HostKeyVerdict {
  const about = names.map((name) => linesFor(name, lines));
  const all = about.flat();
  const revoked = all.find((line) => line.marker === 'revoked' && line.key.equals(key));
  if (revoked !== undefined) return { kind: 'revoked', known: revoked };
  const authority = all.find(({ marker }) => marker === 'cert-authority');
  const plain = firstWithKeys(about);
  if (plain.some((line) => line.key.equals(key))) return { kind: 'known' };
  const other = plain.find(({ keyType }) => keyType === keyTypeOf(key)) ?? plain[0];
  const isOfFirstName = other !== undefined && about[0]!.includes(other);
  return isOfFirstName ? { kind: 'changed', known: other, authority } : { kind: 'unknown', authority };
}

/** The plain lines of the first name that has any. */
function firstWithKeys(about: readonly (readonly KnownHostLine[])[]): readonly KnownHostLine[] {
  const plain = about.map((lines) => lines.filter(({ marker }) => marker === 'none'));
  return plain.find(({ length }) => length > 0) ?? [];
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
export function hostKeyAlgorithms(names: readonly string[], lines: readonly KnownHostLine[]): readonly string[] {
  const known = firstWithKeys(names.map((name) => linesFor(name, lines))).flatMap(
    ({ keyType }) => SIGNATURE_TYPES[keyType] ?? [keyType],
  );
  return [...new Set([...OFFERED.filter((type) => known.includes(type)), ...OFFERED])];
}

/** `SHA256:…`, as ssh shows it. */
export function keyFingerprint(key: Buffer): string {
  return `SHA256:${withoutTrailing(createHash('sha256').update(key).digest('base64'), '=')}`;
}
