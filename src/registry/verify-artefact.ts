import { createHash } from 'node:crypto';
import { readZip } from '../layer/read-zip.ts';
import { sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { artefactPurl } from '../model/registry.ts';
import type { LockedArtefact } from './locked-artefact.ts';

/** Throws unless the bytes are those that the ecosystem's own lock file means. */
export function verifyArtefact({ artefact, checksum }: LockedArtefact, bytes: Buffer): void {
  const [expected, found] = (() => {
    switch (checksum.kind) {
      case 'sha256':
        return [checksum.hex, sha256(bytes)];
      case 'sha512':
        return [checksum.base64, createHash('sha512').update(bytes).digest('base64')];
      case 'h1':
        return [
          checksum.base64,
          artefact.fileName.endsWith('.mod') ? goModHash(bytes) : goZipHash(bytes, artefact.name),
        ];
    }
  })();
  if (expected === found) return;
  throw new BuilditError(
    'checksum-mismatch',
    `Cannot use "${artefactPurl(artefact)}": expected ${checksum.kind} ${expected}, found ${found}`,
    { hint: 'the registry has another file than the lock file was made from: nothing of it was used' },
  );
}

/** golang.org/x/mod/sumdb/dirhash, Hash1: SHA-256 over a line for each file, sorted by the bytes of the names. */
export function goZipHash(archive: Buffer, what: string): string {
  const lines = [...readZip(archive, { what })]
    .filter(({ type }) => type === 'file')
    .map(({ path, whole }) => ({ name: Buffer.from(path), line: hashLine(whole!, path) }));
  lines.sort((a, b) => Buffer.compare(a.name, b.name));
  return createHash('sha256')
    .update(lines.map(({ line }) => line).join(''))
    .digest('base64');
}

export function goModHash(bytes: Buffer): string {
  return createHash('sha256').update(hashLine(bytes, 'go.mod')).digest('base64');
}

function hashLine(bytes: Uint8Array, name: string): string {
  return `${sha256(bytes)}  ${name}\n`;
}
