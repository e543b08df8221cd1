import type { Digest } from '../model/digest.ts';
import { isDigest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { isDebianPackageName, isDebianVersion, printable } from '../model/names.ts';
import { parseControlStanza } from './control-stanza.ts';
import { isPoolPath } from './parse-packages.ts';

/** A source package as a `Sources` index describes it. Relations are kept as texts. */
export interface SourcePackage {
  readonly name: string;
  readonly version: string;
  /** `3.0 (quilt)`; whether it can be unpacked is decided by who asks for it. */
  readonly format: string;
  /** Archives, diffs and the description, signatures left out. */
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: Digest }[];
  readonly binaries: readonly string[];
  /** Build-Depends, -Arch and -Indep together. */
  readonly buildDepends: string;
  readonly buildConflicts: string;
}

const LINE = /^ *([0-9a-f]{64}) +([0-9]{1,15}) +(\S+) *$/;

/** Reads stanzas of a `Sources` file. Every name, version and path is checked, because a signed index has no mistakes. */
export function parseSourcePackages(text: string, place: string): SourcePackage[] {
  return text
    .split(/\n\n+/)
    .filter((stanza) => stanza.trim() !== '')
    .map((stanza) => sourcePackage(stanza, place));
}

function sourcePackage(text: string, place: string): SourcePackage {
  const stanza = parseControlStanza(text, place, 'input-invalid');
  const name = stanza.get('Package') ?? '';
  const version = stanza.get('Version') ?? '';
  if (!isDebianPackageName(name)) throw refusal(place, 'the name of a source package', name);
  if (!isDebianVersion(version)) throw refusal(place, `a version of ${name}`, version);
  const directory = stanza.get('Directory') ?? '';
  const files = (stanza.get('Checksums-Sha256') ?? '')
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, sha256, size, file] = LINE.exec(line) ?? [];
      const path = `${directory}/${file}`;
      if (sha256 === undefined || !isDigest(sha256) || file!.includes('/') || !isPoolPath(path)) {
        throw refusal(place, `lines of digest, size and name for ${name}`, `${directory}: ${line}`);
      }
      return /\.(asc|sig)$/.test(file!) ? [] : [{ path, size: Number(size), sha256 }];
    });
  const binaries = (stanza.get('Binary') ?? '').split(/[\s,]+/).filter((binary) => binary !== '');
  const wrong = binaries.find((binary) => !isDebianPackageName(binary));
  if (wrong !== undefined) throw refusal(place, `names of binary packages of ${name}`, wrong);
  const joined = (...fields: readonly string[]) =>
    fields
      .flatMap((field) => stanza.get(field) ?? [])
      .map((list) => list.replaceAll('\n', ' ').replace(/,\s*$/, '').trim())
      .filter((list) => list !== '')
      .join(', ');
  return {
    name,
    version,
    format: stanza.get('Format') ?? '1.0',
    files,
    binaries: binaries.sort(),
    buildDepends: joined('Build-Depends', 'Build-Depends-Arch', 'Build-Depends-Indep'),
    buildConflicts: joined('Build-Conflicts', 'Build-Conflicts-Arch', 'Build-Conflicts-Indep'),
  };
}

function refusal(place: string, expected: string, found: string): BuilditError {
  return new BuilditError(
    'input-invalid',
    `Cannot read "${place}": expected ${expected}, found "${printable(found.slice(0, 120))}"`,
  );
}
