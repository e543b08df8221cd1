import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where benchmarks keep what they need: the store, mirrors, the storage of engines. */
export interface Place {
  readonly directory: string;
  /** buildit's store; filled by the first benchmark that needs something in it. */
  readonly store: string;
  /** A path below the place whose parent is there. */
  path(...names: readonly string[]): string;
  /** Ends mounts that engines left, and removes a place that was made for this run. */
  close(): void;
}

/**
 * The directory that BUILDIT_BENCH_DIRECTORY names, which is kept so that the next run finds everything ready, or a new
 * one that is removed at the end.
 */
export function openPlace(): Place {
  const named = process.env.BUILDIT_BENCH_DIRECTORY;
  const directory =
    named === undefined || named === '' ? mkdtempSync(join(tmpdir(), 'buildit-bench-')) : resolve(named);
  mkdirSync(directory, { recursive: true });
  // Builds started by root run as another user, who must reach the store.
  chmodSync(directory, 0o755);
  return {
    directory,
    store: join(directory, 'store'),
    path(...names) {
      const path = join(directory, ...names);
      mkdirSync(join(path, '..'), { recursive: true });
      return path;
    },
    close() {
      endMounts(directory);
      if (named === undefined || named === '') removeTree(directory);
    },
  };
}

/** Engines keep their storage mounted. */
function endMounts(directory: string): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((mount) => mount.startsWith(`${directory}/`));
  for (const mount of mounts.reverse()) spawnSync('umount', [mount], { stdio: 'ignore' });
}

/** Node leaves directories alone that may not be written to. */
export function removeTree(directory: string): void {
  spawnSync('chmod', ['-R', 'u+rwX', directory], { stdio: 'ignore' });
  rmSync(directory, { recursive: true, force: true });
}
