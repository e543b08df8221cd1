import type { Duplex } from 'node:stream';
import type { BuildFailureReason, BuildLimits } from '../model/build-request.ts';
import type { DiskMeter } from './disk-usage.ts';
import { createIpcMeter, type IpcMeter } from './ipc-usage.ts';
import { heldFor, readMachineMemory, readSocketBytes, reservedMemory } from './kernel-memory.ts';
import { measureNamespace } from './namespace-usage.ts';
import type { RunningSandbox } from './run-sandbox.ts';

/** A bound that a build went over, as one clause for a message. */
export interface ExceededLimit {
  readonly reason: BuildFailureReason;
  readonly explanation: string;
}

export interface LimitWatch {
  /** Says what was exceeded, if anything was. */
  exceeded(): ExceededLimit | undefined;
  /** Whether the sandbox came as far as to start its command; before that bubblewrap alone had anything to say. */
  started(): boolean;
  countLog(bytes: number): void;
  stop(): void;
}

const INTERVAL_MS = 500;

/** Between looks at something that may come over its limit before the usual next one. */
const SHORT_INTERVAL_MS = 50;

/** What a program can come to use in a second of writing to fresh pages, or of allocating blocks without writing them. */
const FASTEST_BYTES_PER_MS = { memory: 4 * 2 ** 20, disk: 2 ** 20 };

/**
 * Watches one sandbox from outside: time, memory, processes, disk and log. Kills it once, for the first bound that is
 * exceeded. `deadline` is a time of `performance.now()`; on `usageChannel` the sandbox answers what `createIpcMeter` asks.
 */
export function watchLimits(
  limits: BuildLimits,
  deadline: number,
  { initProcess: init, kill, outOfMemory }: Pick<RunningSandbox, 'initProcess' | 'kill' | 'outOfMemory'>,
  usageChannel: Duplex | undefined,
  disk: DiskMeter,
  log: { bytes: number },
): LimitWatch {
  const ipc = usageChannel && createIpcMeter(usageChannel);
  const memory = createMemoryMeter(limits, ipc);
  let found: ExceededLimit | undefined;
  let stopped = false;
  const report = (exceeded: ExceededLimit | undefined) => {
    if (exceeded === undefined || found !== undefined || stopped) return;
    found = exceeded;
    kill();
  };
  let timer: NodeJS.Timeout;
  const look = async () => {
    const seen = await lookAt(limits, deadline, await init, memory, disk).catch(() => undefined);
    report(seen?.exceeded);
    if (!stopped && found === undefined) timer = setTimeout(look, nextLook(deadline, seen?.restMs ?? INTERVAL_MS));
  };
  timer = setTimeout(look, nextLook(deadline, SHORT_INTERVAL_MS));
  return {
    exceeded: () => found ?? (outOfMemory() ? exceededByKernel(limits) : undefined),
    started: () => ipc?.heard() ?? true,
    countLog(bytes) {
      log.bytes += bytes;
      if (log.bytes > limits.logBytes) report(exceededLog(limits));
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function nextLook(deadline: number, restMs: number): number {
  return Math.max(1, Math.min(restMs, deadline - performance.now()));
}

interface Look {
  readonly exceeded: ExceededLimit | undefined;
  /** How long nothing can come over its limit. */
  readonly restMs: number;
}

async function lookAt(
  limits: BuildLimits,
  deadline: number,
  init: number | undefined,
  memory: MemoryMeter,
  disk: DiskMeter,
): Promise<Look> {
  const over = (exceeded: ExceededLimit) => ({ exceeded, restMs: 0 });
  if (performance.now() >= deadline) {
    return over({ reason: 'timeout', explanation: `the time limit of ${limits.timeoutMs / 1000} s was exceeded` });
  }
  const used = init === undefined ? { bytes: 0, exceeded: undefined } : memory.measure(init);
  if (used.exceeded !== undefined) return over(used.exceeded);
  const diskBytes = await disk.measure(limits.diskBytes);
  if (diskBytes > limits.diskBytes) return over(exceededBytes('disk', diskBytes, limits.diskBytes));
  return {
    exceeded: undefined,
    restMs: restBefore(limits.memoryBytes - used.bytes, limits.diskBytes - disk.atMost()),
  };
}

/** How long to wait for the next look, with this much left of memory and disk. */
export function restBefore(memoryLeft: number, diskLeft: number): number {
  const longestMs = Math.min(memoryLeft / FASTEST_BYTES_PER_MS.memory, diskLeft / FASTEST_BYTES_PER_MS.disk);
  return Math.max(SHORT_INTERVAL_MS, Math.min(INTERVAL_MS, longestMs));
}

interface MemoryMeter {
  measure(init: number): { readonly bytes: number; readonly exceeded: ExceededLimit | undefined };
}

function createMemoryMeter(limits: BuildLimits, ipc: IpcMeter | undefined): MemoryMeter {
  const before = readMachineMemory();
  const socketBytes = readSocketBytes();
  const reserve = reservedMemory(before.total);
  // A machine that was short of memory before is not so because of this build.
  const isReserved = before.available > 2 * reserve;
  return {
    measure(init) {
      const { memoryBytes, processes, open } = measureNamespace(init);
      const shared = ipc?.measure() ?? { bytes: 0, silent: false };
      const machine = readMachineMemory();
      const bytes = memoryBytes + shared.bytes + heldFor(open, machine.held - before.held, socketBytes);
      const over = (explanation: string) => ({ bytes, exceeded: { reason: 'memory', explanation } as const });
      if (shared.silent) return over('the process that counts its shared memory was stopped');
      if (bytes > limits.memoryBytes) return { bytes, exceeded: exceededBytes('memory', bytes, limits.memoryBytes) };
      if (processes > limits.processes) return over(`the limit of ${limits.processes} processes was exceeded`);
      if (isReserved && machine.available < reserve) {
        return over(`the machine had only ${mebibytes(machine.available)} of memory left`);
      }
      return { bytes, exceeded: undefined };
    },
  };
}

function exceededByKernel({ memoryBytes }: BuildLimits): ExceededLimit {
  return { reason: 'memory', explanation: `the memory limit of ${mebibytes(memoryBytes)} was exceeded` };
}

function exceededBytes(reason: 'memory' | 'disk', used: number, limit: number): ExceededLimit {
  return { reason, explanation: `the ${reason} limit of ${mebibytes(limit)} was exceeded: ${mebibytes(used)}` };
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

function exceededLog({ logBytes }: BuildLimits): ExceededLimit {
  return { reason: 'log', explanation: `the log limit of ${Math.ceil(logBytes / 2 ** 20)} MiB was exceeded` };
}
