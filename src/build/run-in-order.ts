import { BuilditError, BuilditErrors, throwCollected } from '../model/errors.ts';
import type { BuildStep } from '../model/plan.ts';

export interface OrderedRun {
  /** Steps that run at once. */
  readonly jobs: number;
  /** Starts further steps after a failure; those that need what failed are skipped. */
  readonly keepGoing: boolean;
  readonly signal: AbortSignal;
  /** Whether everything that a step needs is there. */
  isReady(step: BuildStep): boolean;
  run(step: BuildStep): Promise<void>;
  /** Called for each step that never became ready, with the ones that failed and those that were skipped before it. */
  onSkipped(step: BuildStep, failed: readonly BuildStep[], skipped: readonly BuildStep[]): void;
}

/**
 * Runs each step as soon as everything it needs is there. `steps` are in order, dependencies first. Throws all failures
 * together, in the order of the steps; a bug or an interrupt ends the run in any case.
 */
export async function runInOrder(
  steps: readonly BuildStep[],
  { jobs, keepGoing, signal, isReady, run, onSkipped }: OrderedRun,
): Promise<void> {
  const waiting = [...steps];
  const running = new Set<Promise<void>>();
  const failures = new Map<BuildStep, readonly BuilditError[]>();
  let bug: { readonly error: unknown } | undefined;
  while (waiting.length > 0 || running.size > 0) {
    const isStopped = (failures.size > 0 && !keepGoing) || bug !== undefined || signal.aborted;
    const next = isStopped || running.size >= jobs ? -1 : waiting.findIndex(isReady);
    if (next >= 0) {
      const step = waiting.splice(next, 1)[0]!;
      const task: Promise<void> = run(step)
        .catch((error: unknown) => {
          const understood = understoodFailures(error);
          if (understood === undefined) bug ??= { error };
          else failures.set(step, understood);
        })
        .finally(() => running.delete(task));
      running.add(task);
    } else if (running.size > 0) {
      await Promise.race(running);
    } else {
      break;
    }
  }
  if (bug !== undefined) throw bug.error;
  if (signal.aborted) throw new BuilditError('interrupted', 'Cannot go on: interrupted');
  if (keepGoing) tellSkipped(waiting, [...failures.keys()], onSkipped);
  throwCollected(steps.flatMap((step) => failures.get(step) ?? []));
}

function understoodFailures(error: unknown): readonly BuilditError[] | undefined {
  if (error instanceof BuilditErrors) return error.errors;
  return error instanceof BuilditError ? [error] : undefined;
}

function tellSkipped(
  waiting: readonly BuildStep[],
  failed: readonly BuildStep[],
  onSkipped: OrderedRun['onSkipped'],
): void {
  for (const [index, step] of waiting.entries()) onSkipped(step, failed, waiting.slice(0, index));
}
