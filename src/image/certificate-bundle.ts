import { X509Certificate } from 'node:crypto';
import { printable } from '../model/names.ts';
import type { GeneratedEntry } from './generated-layer.ts';
import type { MergedTree } from './merge-tree.ts';
import { resolveInTree } from './tree-path.ts';
import type { ReadTreeFile } from './tree-reader.ts';
import { filesBelow } from './walk-tree.ts';

const BUNDLE = 'etc/ssl/certs/ca-certificates.crt';
const SHIPPED = '/usr/share/ca-certificates';
const OWN = '/usr/local/share/ca-certificates';
const SELECTION = '/etc/ca-certificates.conf';

export interface CertificateBundle {
  /** Undefined where there is no certificate, or where a package's or the user's own bundle is all there is. */
  readonly entry: GeneratedEntry | undefined;
  /** Certificates of the user's own that are left out, and why. */
  readonly warnings: readonly string[];
}

/**
 * `update-ca-certificates` of ca-certificates: what /etc/ca-certificates.conf selects of the packages' certificates (all
 * of them where it is missing), then every `.crt` below /usr/local/share/ca-certificates, in the order of their names.
 * A bundle of a package gets the user's own at its end. The hashed links beside it are not made: Debian's OpenSSL and
 * GnuTLS read the bundle. `packages` is the tree below generated files and steps.
 */
export async function certificateBundle(
  tree: MergedTree,
  packages: MergedTree,
  read: ReadTreeFile,
): Promise<CertificateBundle> {
  const [own, warnings] = await ownCertificates(tree, read);
  const packaged = packages.entries.has(BUNDLE);
  if (packaged && own.length === 0) return { entry: undefined, warnings };
  const before = packaged ? [BUNDLE] : await selectedCertificates(tree, read);
  const parts = [...(await Promise.all(before.map(read))), ...own].map(endedLine);
  if (parts.length === 0) return { entry: undefined, warnings };
  return { entry: { path: BUNDLE, kind: 'file', mode: 0o644, content: Buffer.concat(parts) }, warnings };
}

async function selectedCertificates(tree: MergedTree, read: ReadTreeFile): Promise<readonly string[]> {
  const shipped = filesBelow(tree, SHIPPED).filter(({ name }) => name.endsWith('.crt'));
  const selection = resolveInTree((path) => tree.entries.get(path)?.entry, SELECTION, { followLast: true });
  if (selection.kind !== 'path' || !tree.entries.has(selection.path)) return shipped.map(({ file }) => file);
  const lines = (await read(selection.path)).toString('utf8').split('\n');
  const byName = new Map(filesBelow(tree, SHIPPED).map(({ name, file }) => [name, file]));
  return lines.flatMap((line) => (/^[#!]/.test(line) ? [] : (byName.get(line.trim()) ?? [])));
}

async function ownCertificates(tree: MergedTree, read: ReadTreeFile): Promise<[readonly Buffer[], readonly string[]]> {
  const parts: Buffer[] = [];
  const warnings: string[] = [];
  for (const { name, file } of filesBelow(tree, OWN)) {
    if (!name.endsWith('.crt')) continue;
    const bytes = await read(file);
    const fault = faultOf(bytes);
    if (fault === undefined) parts.push(bytes);
    else warnings.push(`${printable(`${OWN}/${name}`)} is not in ${`/${BUNDLE}`}: ${fault}`);
  }
  return [parts, warnings];
}

const MOST_BYTES = 4 * 2 ** 20;
const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

/** Why a file would spoil the bundle: programs read it up to the first mistake. */
function faultOf(bytes: Buffer): string | undefined {
  if (bytes.length > MOST_BYTES) return `it is larger than ${MOST_BYTES} bytes`;
  const text = bytes.toString('latin1');
  if (text.includes('PRIVATE KEY-----')) return 'it holds a private key, which everyone could read there';
  const places = beginnings(text);
  if (places.length === 0) {
    const isDer = bytes[0] === 0x30 && isCertificate(bytes);
    const hint = 'openssl x509 -inform der -in FILE -out FILE.crt';
    return isDer ? `it is DER, and the bundle is PEM (${hint})` : 'it holds no certificate in PEM';
  }
  for (const place of places) {
    const end = text.indexOf(END, place);
    if (end < 0 || !isCertificate(text.slice(place, end + END.length))) return 'it holds a damaged certificate';
  }
  return undefined;
}

/** Where certificates begin, each at the beginning of a line. */
function beginnings(text: string): readonly number[] {
  const places: number[] = [];
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at + BEGIN.length)) {
    if (at === 0 || text[at - 1] === '\n') places.push(at);
  }
  return places;
}

function isCertificate(certificate: string | Buffer): boolean {
  try {
    new X509Certificate(certificate);
    return true;
  } catch {
    return false;
  }
}

function endedLine(bytes: Buffer): Buffer {
  return bytes.length === 0 || bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, Buffer.from('\n')]);
}
