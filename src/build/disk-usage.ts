import { lstatSync, statfsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Counted for each name, so that a million empty files are not nothing. */
const BYTES_PER_ENTRY = 1024;

/** A walk takes time, so it is made at this interval at most, and for at most a fiftieth of the time. */
const SHORTEST_INTERVAL_MS = 10_000;
const SHARE_OF_TIME = 50;

/** Tells what directories have come to take, as cheaply as possible while that is far below the limit. */
export interface DiskMeter {
  /** Bytes taken as far as is known: exact when they may be above the limit, else as they were not long ago. */
  measure(limitBytes: number): Promise<number>;
  /** The most that they can be by now, as cheaply as can be told: others' files may be counted. */
  atMost(): number;
}

/**
 * Between walks the free space of the file system tells whether the directories can have grown up to the limit; as others
 * may have freed space meanwhile, they are walked now and then all the same.
 */
export function createDiskMeter(directories: readonly string[], now: () => number = Date.now): DiskMeter {
  const before = fileSystemUse(directories[0]!);
  let known = { bytes: 0, fileSystem: before, at: now(), restMs: SHORTEST_INTERVAL_MS };
  return {
    atMost: () => known.bytes + Math.max(0, fileSystemUse(directories[0]!) - known.fileSystem),
    async measure(limitBytes) {
      const use = fileSystemUse(directories[0]!);
      const mayBeAbove = known.bytes + use - known.fileSystem >= limitBytes;
      if (!mayBeAbove && now() - known.at < known.restMs) return known.bytes;
      const start = now();
      const usages = await Promise.all(directories.map((directory) => treeUsage(directory, limitBytes)));
      const walkedBytes = usages.reduce((sum, { bytes }) => sum + bytes, 0);
      const isComplete = usages.every(({ complete }) => complete);
      known = {
        // What hides in a directory nobody may read is at most what the file system has lost.
        bytes: isComplete ? walkedBytes : Math.max(walkedBytes, use - before),
        fileSystem: use,
        at: now(),
        restMs: Math.max(SHORTEST_INTERVAL_MS, (now() - start) * SHARE_OF_TIME),
      };
      return known.bytes;
    },
  };
}

function fileSystemUse(path: string): number {
  const { blocks, bfree, bsize, files, ffree } = statfsSync(path);
  return (blocks - bfree) * bsize + (files - ffree) * BYTES_PER_ENTRY;
}

/**
 * Bytes below a directory that a hostile program may be changing meanwhile; nothing is followed or changed, and nothing
 * looked at any more when they are above the limit. The entries of one directory are looked at synchronously, which takes a
 * fifth of the time.
 */
async function treeUsage(directory: string, limitBytes: number): Promise<{ bytes: number; complete: boolean }> {
  const waiting = [directory];
  let bytes = 0;
  let complete = true;
  for (let path = waiting.pop(); path !== undefined && bytes <= limitBytes; path = waiting.pop()) {
    try {
      for (const entry of await readdir(path, { withFileTypes: true })) {
        const child = join(path, entry.name);
        bytes += (lstatSync(child, { throwIfNoEntry: false })?.blocks ?? 0) * 512 + BYTES_PER_ENTRY;
        if (entry.isDirectory()) waiting.push(child);
      }
    } catch (error) {
      // What vanished takes nothing any more.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') complete = false;
    }
  }
  return { bytes, complete };
}
