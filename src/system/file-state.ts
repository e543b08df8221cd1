import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { systemErrorCode } from './write-failure.ts';

/**
 * What `lstat` says of an entry: `d` for a directory; `f` or `l` for a file or a link, then inode, ctime, mtime (both in
 * nanoseconds), size and mode. Nobody can change a file and keep its ctime. `f` or `l` alone: the entry changed so
 * recently that one more change could leave the same ctime. `o` is anything else.
 */
export type FileState = string;

/** The kernel stamps files with the time of its last tick: 10 ms at most, and this leaves room. */
const TICK_NS = 100_000_000n;
/** File systems without nanoseconds count in whole seconds, some in two. */
const COARSE_TICK_NS = 2_000_000_000n;

export function fileState(stats: BigIntStats): FileState {
  const kind = kindOf(stats);
  if (kind !== 'f' && kind !== 'l') return kind;
  return `${kind} ${stats.ino} ${stats.ctimeNs} ${stats.mtimeNs} ${stats.size} ${stats.mode}`;
}

/** A state as it may be kept: without its times where they cannot tell the next change yet. */
export function settledState(state: FileState, nowMs = Date.now()): FileState {
  const ctime = BigInt(state.split(' ', 3)[2] ?? 0);
  const tick = ctime % 1_000_000_000n === 0n ? COARSE_TICK_NS : TICK_NS;
  return ctime > BigInt(nowMs) * 1_000_000n - tick ? state.slice(0, 1) : state;
}

/** The inode in a state; empty where it holds none. */
export function inodeOf(state: FileState): string {
  return state.split(' ', 2)[1] ?? '';
}

const ENTRIES_BETWEEN_PAUSES = 1024;

/**
 * Looks at everything below a directory without following links: paths relative to it, parents before what they hold.
 * What vanishes meanwhile, or cannot be read, is left out. Synchronous calls, with pauses: they take a third of the time
 * of awaited ones.
 */
export async function statTree(directory: string): Promise<Map<string, BigIntStats>> {
  const found = new Map<string, BigIntStats>();
  const waiting = [''];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    for (const name of namesOf(parent === '' ? directory : `${directory}/${parent}`)) {
      const path = parent === '' ? name : `${parent}/${name}`;
      const stats = statOf(`${directory}/${path}`);
      if (stats === undefined) continue;
      found.set(path, stats);
      if (stats.isDirectory()) waiting.push(path);
      if (found.size % ENTRIES_BETWEEN_PAUSES === 0) await new Promise((resume) => setImmediate(resume));
    }
  }
  return found;
}

function kindOf(stats: BigIntStats): 'd' | 'f' | 'l' | 'o' {
  if (stats.isFile()) return 'f';
  if (stats.isDirectory()) return 'd';
  return stats.isSymbolicLink() ? 'l' : 'o';
}

function namesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return [];
  }
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
