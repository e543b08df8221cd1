import { createHash } from 'node:crypto';
import { type ArchiveBytes, bytesOfFile } from '../layer/archive-bytes.ts';
import { archiveRefusal } from '../layer/archive-refusal.ts';
import { readZip } from '../layer/read-zip.ts';
import { type Digest, sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { artefactPurl } from '../model/registry.ts';
import { openBlobFile } from '../store/open-blob-file.ts';
import { openBlob, readBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import type { LockedArtefact } from './locked-artefact.ts';

/** Throws unless a blob has the bytes that the ecosystem's own lock file means. Large ones are read as a stream. */
export async function verifyArtefact(
  { artefact, checksum }: LockedArtefact,
  store: Store,
  digest: Digest,
): Promise<void> {
  const [expected, found] = await (async () => {
    switch (checksum.kind) {
      case 'sha256':
        return [checksum.hex, digest];
      case 'sha512':
        return [checksum.base64, await sha512Of(store, digest)];
      case 'h1':
        return [
          checksum.base64,
          artefact.fileName.endsWith('.mod')
            ? goModHash(await readBlob(store, digest, { maxBytes: MOST_GO_MOD_BYTES }))
            : await goZipHashOf(store, digest, artefact.name),
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

/** Go's own limit for go.mod (golang.org/x/mod/zip, MaxGoMod). */
const MOST_GO_MOD_BYTES = 16 << 20;

async function sha512Of(store: Store, digest: Digest): Promise<string> {
  const hash = createHash('sha512');
  for await (const chunk of openBlob(store, digest)) hash.update(chunk);
  return hash.digest('base64');
}

async function goZipHashOf(store: Store, digest: Digest, what: string): Promise<string> {
  const { file, size, close } = await openBlobFile(store, digest);
  try {
    return await goZipHash(bytesOfFile(file, size), what);
  } finally {
    close();
  }
}

/** golang.org/x/mod/sumdb/dirhash, Hash1: SHA-256 over a line for each file, sorted by the bytes of the names. */
export async function goZipHash(archive: ArchiveBytes, what: string): Promise<string> {
  const lines: { readonly name: Buffer; readonly line: string }[] = [];
  for await (const { type, path, content } of readZip(archive, { what })) {
    if (type === 'symlink') throw archiveRefusal(`${what}: ${path}`, 'the files of a Go module', 'a symbolic link');
    if (type !== 'file') continue;
    const hash = createHash('sha256');
    for await (const chunk of content) hash.update(chunk);
    lines.push({ name: Buffer.from(path), line: `${hash.digest('hex')}  ${path}\n` });
  }
  lines.sort((a, b) => Buffer.compare(a.name, b.name));
  return createHash('sha256')
    .update(lines.map(({ line }) => line).join(''))
    .digest('base64');
}

export function goModHash(bytes: Buffer): string {
  return createHash('sha256')
    .update(`${sha256(bytes)}  go.mod\n`)
    .digest('base64');
}
