import { readSourceArchive } from '../layer/read-source-archive.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { PackageSource } from '../model/package.ts';
import type { Store } from '../store/store.ts';

const MAXIMUM_BYTES = 64 * 1024 * 1024;

/** One file of an archive that is a source, by its path below the source tree; nothing is unpacked. */
export async function readSourceFile(
  store: Store,
  { sha256, fileName, strip }: Pick<PackageSource, 'sha256' | 'fileName' | 'strip'>,
  path: string,
): Promise<Buffer> {
  for await (const member of readSourceArchive(store, { digest: sha256, fileName })) {
    if (member.type !== 'file' || member.path.split('/').slice(strip).join('/') !== path) continue;
    if (member.size > MAXIMUM_BYTES) break;
    const chunks: Uint8Array[] = [];
    for await (const chunk of member.content) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }
  const object = `${printable(fileName)}: ${path}`;
  throw new BuilditError('file-missing', `Cannot read "${object}": expected a file there, found none`);
}
