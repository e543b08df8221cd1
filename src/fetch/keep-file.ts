import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { RecipeFile } from '../model/package.ts';
import { putBlob } from '../store/put-blob.ts';
import { blobSize } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';

/** The largest file beside a recipe; sources are as large as this. */
const MAXIMUM_SOURCE_BYTES = 4 * 1024 ** 3;

/** Brings the files of recipes into the store, each as it was when its definition was read. */
export async function keepFiles(store: Store, files: readonly RecipeFile[]): Promise<void> {
  for (const { absolutePath, sha256 } of files) {
    if ((await blobSize(store, sha256)) === undefined) await keepFile(store, absolutePath, sha256);
  }
}

/** A source beside the recipe. Its digest was taken when the definition was read. */
export async function keepFile(store: Store, path: string, expected: Digest): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (cause: unknown) => {
      throw new BuilditError('file-missing', `Cannot read "${printable(path)}": expected a file, found none`, {
        cause,
      });
    },
  );
  try {
    if (!(await file.stat()).isFile()) {
      throw new BuilditError('file-missing', `Cannot read "${printable(path)}": expected a file, found something else`);
    }
    await putBlob(store, file.createReadStream({ autoClose: false }), {
      expected,
      maxBytes: MAXIMUM_SOURCE_BYTES,
      what: path,
    });
  } catch (error) {
    if (!(error instanceof BuilditError) || error.code !== 'checksum-mismatch') throw error;
    throw new BuilditError('checksum-mismatch', error.message, {
      hint: 'the file changed since the definition was read: run again',
      cause: error,
    });
  } finally {
    await file.close();
  }
}
