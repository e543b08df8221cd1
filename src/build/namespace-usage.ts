import { readdirSync, readFileSync, statfsSync } from 'node:fs';

/** What a sandbox uses at one moment. */
export interface NamespaceUsage {
  readonly processes: number;
  /** Memory that no file backs: of processes, swapped out, and in the sandbox's memory file systems. */
  readonly memoryBytes: number;
}

/** Measures everything below a sandbox's init. All its processes descend from it: it adopts those whose parents end. */
export function measureNamespace(init: number): NamespaceUsage {
  const members = descendants(init);
  const processBytes = members.reduce((sum, pid) => sum + processMemory(pid), 0);
  return { processes: members.length, memoryBytes: processBytes + memoryFiles(init) };
}

/** By the kernel's own lists where it keeps them, else out of everybody's parents, which costs more the busier the machine. */
function descendants(init: number): number[] {
  const found = [init];
  for (const pid of found) {
    const children = childrenOf(pid);
    if (children === undefined) return descendantsByParents(init);
    found.push(...children);
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
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** Field 4 of /proc/PID/stat; the name before it is in parentheses and may hold anything (proc(5)). */
function parentOf(pid: string): number | undefined {
  const text = readProcFile(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ', 2)[1]);
}

/** RssAnon, RssShmem and VmSwap of /proc/PID/status, which count in KiB. */
function processMemory(pid: number): number {
  const text = readProcFile(`/proc/${pid}/status`) ?? '';
  let kibibytes = 0;
  for (const [, amount] of text.matchAll(/^(?:RssAnon|RssShmem|VmSwap):\s*([0-9]+) kB$/gm)) kibibytes += Number(amount);
  return kibibytes * 1024;
}

/** linux/magic.h */
const TMPFS_MAGIC = 0x01021994;

function memoryFiles(init: number): number {
  return ['dev/shm', 'run', 'tmp'].reduce((sum, place) => {
    try {
      const { type, blocks, bfree, bsize } = statfsSync(`/proc/${init}/root/${place}`);
      // In a test of an image some of these are directories on disk.
      return type === TMPFS_MAGIC ? sum + (blocks - bfree) * bsize : sum;
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
