import type { Duplex } from 'node:stream';
import type { BuildFailureReason, BuildLimits } from '../model/build-request.ts';
import type { DiskMeter } from './disk-usage.ts';
import { createIpcMeter, type IpcMeter } from './ipc-usage.ts';
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
  countLog(bytes: number): void;
  stop(): void;
}

const INTERVAL_MS = 500;

/**
 * Watches one sandbox from outside: time, memory, processes, disk and log. Kills it once, for the first bound that is
 * exceeded. `deadline` is a time of `performance.now()`; on `usageChannel` the sandbox answers what `createIpcMeter` asks.
 */
export function watchLimits(
  limits: BuildLimits,
  deadline: number,
  { initProcess: init, kill }: Pick<RunningSandbox, 'initProcess' | 'kill'>,
  usageChannel: Duplex | undefined,
  disk: DiskMeter,
  log: { bytes: number },
): LimitWatch {
  const ipc = usageChannel && createIpcMeter(usageChannel);
  let found: ExceededLimit | undefined;
  let stopped = false;
  const report = (exceeded: ExceededLimit | undefined) => {
    if (exceeded === undefined || found !== undefined || stopped) return;
    found = exceeded;
    kill();
  };
  let timer: NodeJS.Timeout;
  const look = async () => {
    report(await lookAt(limits, deadline, await init, disk, ipc).catch(() => undefined));
    if (!stopped && found === undefined) timer = setTimeout(look, nextLook(deadline));
  };
  timer = setTimeout(look, nextLook(deadline));
  return {
    exceeded: () => found,
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

function nextLook(deadline: number): number {
  return Math.max(1, Math.min(INTERVAL_MS, deadline - performance.now()));
}

async function lookAt(
  limits: BuildLimits,
  deadline: number,
  init: number | undefined,
  disk: DiskMeter,
  ipc: IpcMeter | undefined,
): Promise<ExceededLimit | undefined> {
  if (performance.now() >= deadline) {
    return { reason: 'timeout', explanation: `the time limit of ${limits.timeoutMs / 1000} s was exceeded` };
  }
  if (init !== undefined) {
    const usage = measureNamespace(init);
    const shared = ipc?.measure() ?? { bytes: 0, silent: false };
    if (shared.silent)
      return { reason: 'memory', explanation: 'the process that counts its shared memory was stopped' };
    const memoryBytes = usage.memoryBytes + shared.bytes;
    const { processes } = usage;
    if (memoryBytes > limits.memoryBytes) return exceededBytes('memory', memoryBytes, limits.memoryBytes);
    if (processes > limits.processes) {
      return { reason: 'memory', explanation: `the limit of ${limits.processes} processes was exceeded` };
    }
  }
  const diskBytes = await disk.measure(limits.diskBytes);
  return diskBytes > limits.diskBytes ? exceededBytes('disk', diskBytes, limits.diskBytes) : undefined;
}

function exceededBytes(reason: 'memory' | 'disk', used: number, limit: number): ExceededLimit {
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  return { reason, explanation: `the ${reason} limit of ${mebibytes(limit)} was exceeded: ${mebibytes(used)}` };
}

function exceededLog({ logBytes }: BuildLimits): ExceededLimit {
  return { reason: 'log', explanation: `the log limit of ${Math.ceil(logBytes / 2 ** 20)} MiB was exceeded` };
}
