import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '../model/digest.ts';
import type { Store } from '../store/store.ts';
import { openTemporary } from '../store/temporary.ts';

/** The beginning of a file that is being downloaded, in a private place. */
export interface PartialDownload {
  readonly size: number;
  read(): AsyncIterable<Uint8Array>;
  /** Where the disk refuses more, the partial file is given up, not the download. */
  append(chunk: Uint8Array): Promise<void>;
  /** Forgets what there is: it was not the beginning of the file wanted. */
  restart(): Promise<void>;
  /** Keeps what there is for the next run, or throws it away. */
  close(keep: boolean): Promise<void>;
}

/** Less is quicker to fetch again. */
const LEAST_KEPT_BYTES = 64 * 1024;
const LONGEST_KEPT_MS = 7 * 24 * 3600 * 1000;

/**
 * Takes over what an earlier run left of this file, if anything. It lies at `temporary/partial/<digest>` of the store
 * while nobody works on it; taking it is a rename into this process's own directory, so no two processes write to one.
 */
export async function takePartialDownload(store: Store, digest: Digest): Promise<PartialDownload> {
  const shelf = join(store.directory, 'temporary', 'partial');
  const temporary = await openTemporary(store, 'download');
  const path = join(temporary.path, digest);
  await rename(join(shelf, digest), path).catch(() => undefined);
  const file = await open(path, 'a', 0o600);
  let size = (await file.stat()).size;
  let broken = false;
  return {
    get size() {
      return size;
    },
    read: () => createReadStream(path),
    async append(chunk) {
      if (broken) return;
      try {
        await file.writeFile(chunk);
        size += chunk.length;
      } catch {
        broken = true;
        await file.truncate(0).catch(() => undefined);
      }
    },
    async restart() {
      await file.truncate(0);
      size = 0;
      broken = false;
    },
    async close(keep) {
      await file.close();
      if (keep && !broken && size >= LEAST_KEPT_BYTES) await putBack(path, shelf, digest, size);
      await temporary.release();
    },
  };
}

async function putBack(path: string, shelf: string, digest: Digest, size: number): Promise<void> {
  await mkdir(shelf, { recursive: true, mode: 0o700 });
  await removeOld(shelf);
  const there = await stat(join(shelf, digest)).catch(() => undefined);
  if (there === undefined || there.size < size) await rename(path, join(shelf, digest));
}

async function removeOld(shelf: string): Promise<void> {
  for (const name of await readdir(shelf)) {
    const path = join(shelf, name);
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined || (isDigest(name) && Date.now() - found.mtimeMs < LONGEST_KEPT_MS)) continue;
    await (found.isFile() ? unlink(path) : rm(path, { recursive: true })).catch(() => undefined);
  }
}
