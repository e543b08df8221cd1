import { readFileSync } from 'node:fs';

/** Memory of this machine at one moment, in bytes. */
export interface MachineMemory {
  /** What programs could still get, swap included. */
  readonly available: number;
  readonly total: number;
  /** What the kernel holds for itself and cannot give back: buffers of sockets and pipes, and objects in slabs. */
  readonly held: number;
}

export function readMachineMemory(): MachineMemory {
  return parseMachineMemory(readFileSync('/proc/meminfo', 'latin1'));
}

/** Reads /proc/meminfo (proc(5)), which counts in KiB. What it lists under no name is what is left of the total. */
export function parseMachineMemory(text: string): MachineMemory {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name = '', value = ''] = line.split(':', 2);
    values.set(name, Number.parseInt(value, 10) * 1024 || 0);
  }
  const sum = (...names: string[]) => names.reduce((total, name) => total + (values.get(name) ?? 0), 0);
  const total = sum('MemTotal');
  const listed = sum('MemFree', 'Buffers', 'Cached', 'SwapCached', 'AnonPages', 'PageTables', 'KernelStack');
  return {
    available: sum('MemAvailable', 'SwapFree'),
    total,
    held: Math.max(0, total - listed - sum('SReclaimable')),
  };
}

/** What a sandbox has open that the kernel may hold memory for. */
export interface OpenObjects {
  readonly sockets: number;
  /** Places in the tables of open files of all its processes. */
  readonly files: number;
}

/** Most of what the buffers of one socket take (`net.core.wmem_max` and `rmem_max`, which the kernel doubles). */
export function readSocketBytes(): number {
  return ['wmem_max', 'rmem_max'].reduce((sum, name) => sum + 2 * readNumber(`/proc/sys/net/core/${name}`, 212_992), 0);
}

/** A pipe beyond a user's share has two pages (pipe(7)); other files that no disk has are smaller. */
const FILE_BYTES = 16 * 1024;

/**
 * What the kernel holds for a sandbox, which it tells nobody outside of it: at most what all of the machine has come to
 * hold since the sandbox began, and at most what as many sockets and files can take.
 */
export function heldFor({ sockets, files }: OpenObjects, grown: number, socketBytes: number): number {
  return Math.max(0, Math.min(grown, sockets * socketBytes + files * FILE_BYTES));
}

/** What stays free for everything else: a build under which the machine comes below this is ended. */
export function reservedMemory(total: number): number {
  return Math.min(512 * 2 ** 20, Math.max(64 * 2 ** 20, total / 64));
}

function readNumber(path: string, otherwise: number): number {
  try {
    return Number.parseInt(readFileSync(path, 'latin1'), 10) || otherwise;
  } catch {
    return otherwise;
  }
}
