import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Person, Place } from './place.ts';

/**
 * Processes that have something to do with a place: in their command line, working directory, root or program, or among
 * the mounts they see, which tell where a sandbox's files lie on the host even where nothing else does. Only mounts
 * count that this process does not see: podman keeps mounts on this machine, which everybody's processes see.
 */
export function processesAt(place: Place): string[] {
  const name = basename(place.path);
  const ownMounts = new Set(mountsSeenBy('self'));
  return readdirSync('/proc')
    .filter((entry) => /^[0-9]+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((pid) => {
      const facts = [
        readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' '),
        ...['cwd', 'root', 'exe'].map((link) => readLink(`/proc/${pid}/${link}`)),
        ...mountsSeenBy(pid).filter((mount) => !ownMounts.has(mount)),
      ];
      return facts.some((fact) => fact.includes(name)) ? [`${pid} ${facts[0]}`] : [];
    });
}

/** Waits until no process is left at a place, and gives those that stayed. */
export async function remainingProcesses(place: Place, patienceMs = 3000): Promise<string[]> {
  for (const start = Date.now(); ; await delay(50)) {
    const found = processesAt(place);
    if (found.length === 0 || Date.now() - start > patienceMs) return found;
  }
}

/** What is mounted and where, for each mount a process sees: `ROOT MOUNT-POINT` (proc_pid_mountinfo(5)). */
function mountsSeenBy(pid: string): string[] {
  return readText(`/proc/${pid}/mountinfo`)
    .split('\n')
    .map((line) => line.split(' ').slice(3, 5).join(' '));
}

/** Where something is mounted on this machine that lies in a place or comes from it. */
export function mountsAt(place: Place): string[] {
  return mountsSeenBy('self')
    .filter((mount) => mount.includes(basename(place.path)))
    .map((mount) => mount.split(' ')[1]!);
}

/** Files that only a running buildit may have: in the store's part for them, and half-written ones anywhere. */
export function temporaryFiles({ store, container, home }: Person): string[] {
  const inStore = namesBelow(join(store, 'temporary')).filter((path) => path.includes('/'));
  const halfWritten = [...namesBelow(store), ...namesBelow(container)].filter((path) => path.endsWith('.tmp'));
  const strange = readdirSync(container).filter((name) => name.startsWith('.') || name.startsWith('out.'));
  const own = new Set([store, container, join(home, '.local')]);
  const atHome = readdirSync(home).filter((name) => !own.has(join(home, name)));
  const state = namesBelow(join(home, '.local')).filter((path) => !MACHINE_KEY.includes(path));
  return [...inStore, ...halfWritten, ...strange, ...atHome, ...state];
}

/** What a first build leaves for the user: the key that signs what is kept here. */
const MACHINE_KEY = ['state', 'state/buildit', 'state/buildit/machine-key', 'state/buildit/machine-key.pub'];

/** Paths below a directory; trees of packages are not looked into, but for the names in the first place. */
function namesBelow(directory: string, depth = 5): string[] {
  if (!existsSync(directory)) return [];
  const names: string[] = [];
  const visit = (path: string, level: number) => {
    for (const name of readdirSync(path)) {
      const below = join(path, name);
      names.push(relative(directory, below));
      if (level < depth && lstatSync(below).isDirectory()) visit(below, level + 1);
    }
  };
  visit(directory, 1);
  return names;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
