import { type Digest, isDigest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { isDebianPackageName, printable } from '../model/names.ts';
import { parseControlStanza } from './control-stanza.ts';
import { isPoolPath } from './parse-packages.ts';

/** A file of a source package, by its place in the pool. */
export interface SourceFile {
  readonly sourcePackage: string;
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
}

/** What a source package holds besides archives of upstream's and Debian's files. */
const NO_ARCHIVE = /\.(dsc|asc|sig)$/;
const LINE = /^ *([0-9a-f]{64}) +([0-9]{1,15}) +(\S+) *$/;

/** Reads an unpacked `Sources` file: of every source package its archives. */
export function parseSources(bytes: Uint8Array, place: string): SourceFile[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return text
    .split(/\n\n+/)
    .filter((stanza) => stanza.trim() !== '')
    .flatMap((stanza) => filesOf(stanza, place));
}

function filesOf(text: string, place: string): SourceFile[] {
  const stanza = parseControlStanza(text, place, 'input-invalid');
  const sourcePackage = stanza.get('Package') ?? '';
  if (!isDebianPackageName(sourcePackage)) throw refusal(place, 'the name of a source package', sourcePackage);
  const directory = stanza.get('Directory') ?? '';
  const lines = (stanza.get('Checksums-Sha256') ?? '').split('\n').slice(1);
  return lines.flatMap((line) => {
    const [, sha256, size, name] = LINE.exec(line) ?? [];
    const path = `${directory}/${name}`;
    if (sha256 === undefined || !isDigest(sha256) || name!.includes('/') || !isPoolPath(path)) {
      throw refusal(place, `lines of digest, size and name for ${sourcePackage}`, `${directory}: ${line}`);
    }
    return NO_ARCHIVE.test(name!) ? [] : [{ sourcePackage, path, size: Number(size), sha256 }];
  });
}

function refusal(place: string, expected: string, found: string): BuilditError {
  return new BuilditError(
    'input-invalid',
    `Cannot read "${place}": expected ${expected}, found ${`"${printable(found.slice(0, 120))}"`}`,
  );
}
