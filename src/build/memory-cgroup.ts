import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A control group whose memory the kernel itself bounds, with all that it allocates for the processes in it. */
export interface MemoryCgroup {
  /** Puts a process in; what it starts from then on is in it, too. */
  add(pid: number): void;
  /** Tells whether the kernel ended a process in it because the memory was used up. */
  ranOut(): boolean;
  /** Removes it; every process in it has ended. */
  close(): void;
}

/** Files of a hierarchy: cgroup-v2.rst and cgroup-v1/memory.rst of the kernel's documentation. */
interface Hierarchy {
  readonly limit: string;
  /** Written where they are there: no swap in place of memory, and all processes end together. */
  readonly settings: readonly (readonly [string, string])[];
  readonly events: string;
}

const VERSION_2: Hierarchy = {
  limit: 'memory.max',
  settings: [
    ['memory.swap.max', '0'],
    ['memory.oom.group', '1'],
  ],
  events: 'memory.events',
};

const VERSION_1: Hierarchy = {
  limit: 'memory.limit_in_bytes',
  settings: [['memory.swappiness', '0']],
  events: 'memory.oom_control',
};

const MOUNT = '/sys/fs/cgroup';
const NAME = /^buildit-[0-9]+-[0-9]+$/;

/**
 * Makes a control group of at most so many bytes; undefined where none is delegated to this user. systemd delegates one to
 * each user's service manager, and to units with `Delegate=yes`.
 */
export function openMemoryCgroup(bytes: number): MemoryCgroup | undefined {
  const parent = memoryCgroupParent(readText('/proc/self/cgroup') ?? '', {
    isWritable: (directory) => isWritable(directory) && isWritable(join(directory, 'cgroup.procs')),
    controllersBelow: (directory) => readText(join(directory, 'cgroup.subtree_control')) ?? '',
  });
  if (parent === undefined) return undefined;
  removeAbandoned(parent.directory);
  const directory = join(parent.directory, `buildit-${process.pid}-${nextNumber()}`);
  try {
    mkdirSync(directory);
    writeFileSync(join(directory, parent.hierarchy.limit), String(bytes));
  } catch {
    removeDirectory(directory);
    return undefined;
  }
  for (const [file, value] of parent.hierarchy.settings) writeIfThere(join(directory, file), value);
  return {
    add(pid) {
      writeIfThere(join(directory, 'cgroup.procs'), String(pid));
    },
    ranOut: () => /^oom_kill [1-9]/m.test(readText(join(directory, parent.hierarchy.events)) ?? ''),
    close: () => removeDirectory(directory),
  };
}

export interface CgroupView {
  /** Whether this user may make groups in the directory and move processes into them. */
  isWritable(directory: string): boolean;
  /** The controllers that groups below the directory have; version 2 only. */
  controllersBelow(directory: string): string;
}

export interface CgroupParent {
  readonly directory: string;
  readonly hierarchy: Hierarchy;
}

/**
 * Where a group for memory can be made, from the text of /proc/self/cgroup. In version 2 a group that holds processes gives
 * no controllers to groups below it, so the nearest group above that is writable and gives `memory` is taken.
 */
export function memoryCgroupParent(own: string, view: CgroupView): CgroupParent | undefined {
  const first = /^[0-9]+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(\/.*)$/m.exec(own)?.[1];
  if (first !== undefined) {
    const directory = join(MOUNT, 'memory', first);
    return view.isWritable(directory) ? { directory, hierarchy: VERSION_1 } : undefined;
  }
  const second = /^0::(\/.*)$/m.exec(own)?.[1];
  if (second === undefined || second.includes('..')) return undefined;
  for (let path = second; ; path = dirname(path)) {
    const directory = join(MOUNT, path);
    if (!view.isWritable(directory)) return undefined;
    if (view.controllersBelow(directory).split(/\s/).includes('memory')) return { directory, hierarchy: VERSION_2 };
    if (path === '/') return undefined;
  }
}

/** Groups of runs that were killed, and earlier ones of this run: the kernel removes only those without processes. */
function removeAbandoned(parent: string): void {
  for (const name of namesIn(parent)) {
    if (!NAME.test(name)) continue;
    const pid = Number(name.split('-')[1]);
    if (pid === process.pid || readText(`/proc/${pid}/stat`) === undefined) removeDirectory(join(parent, name));
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

let made = 0;

function nextNumber(): number {
  made += 1;
  return made;
}

function removeDirectory(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // It was never made, or a process in it is still ending: the next run removes it.
  }
}

function writeIfThere(path: string, value: string): void {
  try {
    writeFileSync(path, value, { flag: 'r+' });
  } catch {
    // Without it the limit holds as well, or the process has ended.
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
