import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { PackageSource } from '../model/package.ts';
import { openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { archiveMembers } from './unpack-source.ts';

const MAXIMUM_BYTES = 64 * 1024 * 1024;

/** One file of an archive that is a source, by its path below the source tree; nothing is unpacked. */
export async function readSourceFile(
  store: Store,
  { sha256, fileName, strip }: Pick<PackageSource, 'sha256' | 'fileName' | 'strip'>,
  path: string,
): Promise<Buffer> {
  const blob = openBlob(store, sha256);
  try {
    for await (const member of await archiveMembers(store, { digest: sha256, fileName }, blob)) {
      if (member.type !== 'file' || member.path.split('/').slice(strip).join('/') !== path) continue;
      if (member.size > MAXIMUM_BYTES) break;
      const chunks: Uint8Array[] = [];
      for await (const chunk of member.content) chunks.push(chunk);
      return Buffer.concat(chunks);
    }
  } finally {
    await blob.return();
  }
  const object = `${printable(fileName)}: ${path}`;
  throw new BuilditError('file-missing', `Cannot read "${object}": expected a file there, found none`);
}
