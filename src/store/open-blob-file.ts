import { closeSync, constants, openSync } from 'node:fs';
import type { Digest } from '../model/digest.ts';
import { verifyBlob } from './read-blob.ts';
import type { Store } from './store.ts';
import { blobPath } from './store-paths.ts';

/** A blob that is read in any order: its descriptor and size. To be closed. */
export interface BlobFile {
  readonly file: number;
  readonly size: number;
  close(): void;
}

/** Opens a blob after all of it has been verified. Throws as `readBlob` does. */
export async function openBlobFile(store: Store, digest: Digest): Promise<BlobFile> {
  const size = await verifyBlob(store, digest);
  const file = openSync(blobPath(store, digest), constants.O_RDONLY | constants.O_NOFOLLOW);
  return { file, size, close: () => closeSync(file) };
}
