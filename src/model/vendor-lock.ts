import { canonicalJson } from './canonical-json.ts';
import { type Digest, isDigest } from './digest.ts';
import { BuilditError } from './errors.ts';
import { isVersion, printable } from './names.ts';
import { artefactPurl, ECOSYSTEMS, type Ecosystem, parseArtefactPurl, type RegistryArtefact } from './registry.ts';

export const VENDOR_LOCK_FILE = 'vendor.lock';
export const VENDOR_LOCK_FORMAT = 1;

/** One pinned file of a registry. */
export interface VendoredFile {
  readonly artefact: RegistryArtefact;
  readonly sha256: Digest;
  readonly size: number;
}

/** What one version of a recipe takes from registries. */
export interface VendoredVersion {
  /** For each ecosystem the digest of what its lock file was read from: the file itself, or the main source it is in. */
  readonly from: Readonly<Partial<Record<Ecosystem, Digest>>>;
  /** Sorted by package URL. */
  readonly files: readonly VendoredFile[];
}

/** vendor.lock, beside pkg.yaml: the versions of a recipe with everything their languages' lock files name. */
export type VendorLock = ReadonlyMap<string, VendoredVersion>;

/** JSON with sorted keys and one line for each file, so that a person reads its diff. */
export function vendorLockText(lock: VendorLock): string {
  const versions = [...lock]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([version, { from, files }]) => {
      const lines = files.map((file) => ({ purl: artefactPurl(file.artefact), line: fileLine(file) }));
      lines.sort((a, b) => (a.purl < b.purl ? -1 : 1));
      const list = lines.length === 0 ? '[]' : `[\n${lines.map(({ line }) => `        ${line}`).join(',\n')}\n      ]`;
      return `    ${canonicalJson(version)}: {\n      "files": ${list},\n      "from": ${canonicalJson(from)}\n    }`;
    });
  const all = versions.length === 0 ? '{}' : `{\n${versions.join(',\n')}\n  }`;
  return `{\n  "format": ${VENDOR_LOCK_FORMAT},\n  "kind": "vendor",\n  "versions": ${all}\n}\n`;
}

function fileLine({ artefact, sha256, size }: VendoredFile): string {
  const file = artefact.ecosystem === 'python' ? { file: artefact.fileName } : {};
  return canonicalJson({ ...file, name: artefactPurl(artefact), sha256, size });
}

/** Reads a vendor.lock. It comes with somebody's directory: every field is checked, and unknown ones are refused. */
export function parseVendorLock(text: string, file: string): VendorLock {
  const refuse = (at: string, expected: string, cause?: unknown): never => {
    throw new BuilditError(
      'definition-invalid',
      `Cannot read "${printable(file)}": expected ${expected} at ${printable(at)}`,
      {
        hint: 'buildit lock --vendor DIR writes it anew',
        cause,
      },
    );
  };
  const object = (value: unknown, at: string, keys?: readonly string[]): Record<string, unknown> => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(at, 'an object');
    const odd = keys === undefined ? undefined : Object.keys(value).find((key) => !keys.includes(key));
    if (odd !== undefined) refuse(`${at}.${odd}`, `no keys but ${keys!.join(', ')}`);
    return value as Record<string, unknown>;
  };
  const readFile = (value: unknown, at: string): VendoredFile => {
    const { file: ownName, name, sha256, size } = object(value, at, ['file', 'name', 'sha256', 'size']);
    if (ownName !== undefined && typeof ownName !== 'string') return refuse(`${at}.file`, 'the name of a file');
    const artefact = typeof name === 'string' ? parseArtefactPurl(name, ownName) : undefined;
    if (artefact === undefined) return refuse(`${at}.name`, 'a package URL of a known registry');
    if (typeof sha256 !== 'string' || !isDigest(sha256)) return refuse(`${at}.sha256`, 'a SHA-256');
    if (!Number.isSafeInteger(size) || (size as number) < 0) return refuse(`${at}.size`, 'a number of bytes');
    return { artefact, sha256, size: size as number };
  };
  const readVersion = (value: unknown, at: string): VendoredVersion => {
    const members = object(value, at, ['files', 'from']);
    if (!Array.isArray(members.files) || members.files.length > MAXIMUM_FILES) {
      return refuse(`${at}.files`, `a list of at most ${MAXIMUM_FILES}`);
    }
    const files = members.files.map((entry, index) => readFile(entry, `${at}.files[${index}]`));
    const names = files.map(({ artefact }) => artefactPurl(artefact));
    const unsorted = names.findIndex((name, index) => index > 0 && !(names[index - 1]! < name));
    if (unsorted > 0) refuse(`${at}.files[${unsorted}]`, 'each file once, in the order of names');
    const from = object(members.from, `${at}.from`, ECOSYSTEMS);
    for (const [key, digest] of Object.entries(from)) {
      if (typeof digest !== 'string' || !isDigest(digest)) refuse(`${at}.from.${key}`, 'a SHA-256');
    }
    return { from: from as VendoredVersion['from'], files };
  };

  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    return refuse('the beginning', 'JSON', cause);
  }
  const top = object(parsed, 'the top', ['format', 'kind', 'versions']);
  if (top.format !== VENDOR_LOCK_FORMAT || top.kind !== 'vendor') {
    refuse('the top', `format ${VENDOR_LOCK_FORMAT} and kind "vendor"`);
  }
  const versions = Object.entries(object(top.versions, 'versions'));
  return new Map(
    versions.map(([version, value]) => {
      if (!isVersion(version)) refuse('versions', 'versions such as 1.22.1');
      return [version, readVersion(value, `versions.${version}`)];
    }),
  );
}

const MAXIMUM_FILES = 20_000;
