import type { BuilditEvent } from '../../model/events.ts';
import { printable } from '../../model/names.ts';
import { createLogLines, type LogLines } from './log-lines.ts';

/** One piece of long work that runs now, with all that a view shows of it. */
export interface RunningTask {
  readonly task: string;
  readonly label: string;
  readonly startedAtMs: number;
  /** What `done` and `total` count. */
  readonly unit: 'bytes' | 'packages' | 'items';
  readonly done: number;
  readonly total: number | undefined;
  /** Units a second. */
  readonly rate: number | undefined;
  readonly detail: string;
  readonly lastLogLine: string;
}

export interface RunningTasks {
  apply(event: BuilditEvent, nowMs: number): void;
  /** In the order they were started. */
  list(): readonly RunningTask[];
}

interface Sample {
  readonly atMs: number;
  readonly done: number;
}

/** Rates are means over this time, so that they can be read. */
const RATE_WINDOW_MS = 5000;
const SAMPLE_DISTANCE_MS = 250;

/** Follows the `task-…` events of a run. */
export function createRunningTasks(): RunningTasks {
  const tasks = new Map<string, RunningTask>();
  const samples = new Map<string, Sample[]>();
  const logs = new Map<string, LogLines>();

  const change = (task: string, changes: Partial<RunningTask>) => {
    const known = tasks.get(task);
    if (known !== undefined) tasks.set(task, { ...known, ...changes });
  };

  return {
    apply(event, nowMs) {
      switch (event.kind) {
        case 'task-started':
          samples.set(event.task, [{ atMs: nowMs, done: 0 }]);
          tasks.set(event.task, startedTask(event, nowMs));
          return;
        case 'task-progress':
          return change(event.task, {
            done: event.done,
            ...(event.total === undefined ? {} : { total: event.total }),
            ...(event.detail === undefined ? {} : { detail: printable(event.detail) }),
            rate: rateOf(samples.get(event.task) ?? [], { atMs: nowMs, done: event.done }),
          });
        case 'task-log': {
          const log = logs.get(event.task) ?? createLogLines();
          logs.set(event.task, log);
          const lines = log.add(event.chunk);
          const line = [...lines, log.rest()].findLast((candidate) => candidate.trim() !== '');
          return line === undefined ? undefined : change(event.task, { lastLogLine: line });
        }
        case 'task-finished':
          samples.delete(event.task);
          logs.delete(event.task);
          tasks.delete(event.task);
          return;
        default:
      }
    },
    list: () => [...tasks.values()],
  };
}

function startedTask(event: BuilditEvent & { kind: 'task-started' }, nowMs: number): RunningTask {
  return {
    task: event.task,
    label: printable(event.label),
    startedAtMs: nowMs,
    unit: event.unit ?? 'bytes',
    done: 0,
    total: event.total,
    rate: undefined,
    detail: '',
    lastLogLine: '',
  };
}

/** Adds a sample and gives the mean rate since the oldest one kept; undefined until there is something to say. */
function rateOf(samples: Sample[], now: Sample): number | undefined {
  while (samples.length > 1 && now.atMs - samples[0]!.atMs > RATE_WINDOW_MS) samples.shift();
  const oldest = samples[0];
  if (now.atMs - (samples.at(-1)?.atMs ?? 0) >= SAMPLE_DISTANCE_MS) samples.push(now);
  if (oldest === undefined || now.atMs - oldest.atMs < SAMPLE_DISTANCE_MS) return undefined;
  return Math.max(0, ((now.done - oldest.done) * 1000) / (now.atMs - oldest.atMs));
}
