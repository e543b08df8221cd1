import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { append } from '../model/append.ts';
import type { OpenObjects } from './kernel-memory.ts';

/** What a sandbox uses at one moment. */
export interface NamespaceUsage {
  readonly processes: number;
  /**
   * Memory that no file backs: of processes with their page tables and kernel stacks, swapped out, and in the sandbox's
   * memory file systems with their inodes.
   */
  readonly memoryBytes: number;
  readonly open: OpenObjects;
}

/** Measures everything below a sandbox's init. All its processes descend from it: it adopts those whose parents end. */
export function measureNamespace(init: number): NamespaceUsage {
  const members = descendants(init);
  const usages = members.map((pid) => processUsage(readProcFile(`/proc/${pid}/status`) ?? ''));
  const sum = (count: (usage: ProcessUsage) => number) => usages.reduce((total, usage) => total + count(usage), 0);
  return {
    processes: members.length,
    memoryBytes: sum(({ bytes }) => bytes) + memoryFiles(init),
    open: { sockets: openSockets(init), files: sum(({ files }) => files) },
  };
}

/** By the kernel's own lists where it keeps them, else out of everybody's parents, which costs more the busier the machine. */
function descendants(init: number): number[] {
  const found = [init];
  for (const pid of found) {
    const children = childrenOf(pid);
    if (children === undefined) return descendantsByParents(init);
    append(found, children);
  }
  return found;
}

/** /proc/PID/task/TID/children (CONFIG_PROC_CHILDREN), of every thread; undefined where the kernel has no such file. */
function childrenOf(pid: number): readonly number[] | undefined {
  if (readProcFile(`/proc/self/task/${process.pid}/children`) === undefined) return undefined;
  return tasksOf(pid).flatMap((task) => {
    const text = readProcFile(`/proc/${pid}/task/${task}/children`) ?? '';
    return text
      .split(' ')
      .filter((child) => child !== '')
      .map(Number);
  });
}

function tasksOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function descendantsByParents(init: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^[1-9][0-9]*$/.test(name)) continue;
    const parent = parentOf(name);
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [Number(name)]);
    else siblings.push(Number(name));
  }
  const found = [init];
  for (const pid of found) append(found, children.get(pid) ?? []);
  return found;
}

/** Field 4 of /proc/PID/stat; the name before it is in parentheses and may hold anything (proc(5)). */
function parentOf(pid: string): number | undefined {
  const text = readProcFile(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ', 2)[1]);
}

export interface ProcessUsage {
  readonly bytes: number;
  /** Places in its table of open files. */
  readonly files: number;
}

/** THREAD_SIZE of the kernel on x86_64 and arm64. */
const STACK_KIBIBYTES = 16;

/** What /proc/PID/status says (proc(5)), which counts in KiB. Page tables are memory, whatever they lead to. */
export function processUsage(status: string): ProcessUsage {
  let kibibytes = 0;
  for (const [, amount] of status.matchAll(/^(?:RssAnon|RssShmem|VmSwap|VmPTE):\s*([0-9]+) kB$/gm)) {
    kibibytes += Number(amount);
  }
  const count = (name: string) => Number(new RegExp(`^${name}:\\s*([0-9]+)$`, 'm').exec(status)?.[1] ?? 0);
  return { bytes: (kibibytes + count('Threads') * STACK_KIBIBYTES) * 1024, files: count('FDSize') };
}

/** Sockets of every family in the sandbox's network namespace. */
function openSockets(init: number): number {
  return Number(/^sockets: used ([0-9]+)$/m.exec(readProcFile(`/proc/${init}/net/sockstat`) ?? '')?.[1] ?? 0);
}

/** linux/magic.h */
const TMPFS_MAGIC = 0x01021994;

/** An inode of a tmpfs with its name: 3.3 GB were measured for 1.2 million empty files. */
const INODE_BYTES = 2816;

function memoryFiles(init: number): number {
  return ['dev/shm', 'run', 'tmp'].reduce((sum, place) => {
    try {
      const { type, blocks, bfree, bsize, files, ffree } = statfsSync(`/proc/${init}/root/${place}`);
      // In a test of an image some of these are directories on disk.
      return type === TMPFS_MAGIC ? sum + (blocks - bfree) * bsize + (files - ffree) * INODE_BYTES : sum;
    } catch {
      return sum;
    }
  }, 0);
}

/** Undefined for a process that ended in the meantime. */
function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
