import { statfsSync } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** Counted for each name, so that a million empty files are not nothing. */
const BYTES_PER_ENTRY = 1024;

/** A walk costs, so one is made only when the whole file system has filled by that much, and at this interval. */
const WALK_INTERVAL_MS = 60_000;

/** Tells what directories have come to take, as cheaply as possible while that is far below the limit. */
export interface DiskMeter {
  /** Bytes taken, or undefined while it is certain, or was found lately, that they are below the limit. */
  measure(limitBytes: number): Promise<number | undefined>;
}

export function createDiskMeter(directories: readonly string[], now: () => number = Date.now): DiskMeter {
  const before = fileSystemUse(directories[0]!);
  let walkedAt = now();
  return {
    async measure(limitBytes) {
      const growth = fileSystemUse(directories[0]!) - before;
      if (growth < limitBytes && now() - walkedAt < WALK_INTERVAL_MS) return undefined;
      walkedAt = now();
      const usages = await Promise.all(directories.map(treeUsage));
      const walkedBytes = usages.reduce((sum, { bytes }) => sum + bytes, 0);
      // What hides in a directory nobody may read is at most what the file system has lost.
      return usages.some(({ complete }) => !complete) ? Math.max(walkedBytes, growth) : walkedBytes;
    },
  };
}

function fileSystemUse(path: string): number {
  const { blocks, bfree, bsize, files, ffree } = statfsSync(path);
  return (blocks - bfree) * bsize + (files - ffree) * BYTES_PER_ENTRY;
}

/** Bytes below a directory that a hostile program may be changing meanwhile; nothing is followed or changed. */
async function treeUsage(directory: string): Promise<{ bytes: number; complete: boolean }> {
  const waiting = [directory];
  let bytes = 0;
  let complete = true;
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    try {
      for await (const entry of await opendir(path)) {
        const child = join(path, entry.name);
        const { blocks } = await lstat(child);
        bytes += blocks * 512 + BYTES_PER_ENTRY;
        if (entry.isDirectory()) waiting.push(child);
      }
    } catch (error) {
      // What vanished takes nothing any more.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') complete = false;
    }
  }
  return { bytes, complete };
}
