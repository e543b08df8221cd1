import { BuilditError } from '../model/errors.ts';
import { exitCodeOfSignal, type StopSignal } from './exit-code.ts';

export interface StopSignals {
  readonly signal: AbortSignal;
  stoppedBy(): StopSignal | undefined;
  /** Asks the run to end as the first signal does, for a reason of its own. */
  stop(reason: BuilditError): void;
  /** Gives the signals back to Node's own handling. */
  release(): void;
}

const WATCHED: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * The first signal asks the run to end: children are stopped, nothing half done stays. A second one ends the process at
 * once; builds die with it, and the next run clears up. A terminal that closes sends several SIGHUPs, which are one.
 */
export function watchStopSignals(): StopSignals {
  const controller = new AbortController();
  let stoppedBy: StopSignal | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    const signal = name as StopSignal;
    if (stoppedBy !== undefined && signal === 'SIGHUP') return;
    if (stoppedBy !== undefined) process.exit(exitCodeOfSignal(signal));
    stoppedBy = signal;
    controller.abort(new BuilditError('interrupted', 'Cannot finish "the run": it was interrupted'));
  };
  for (const name of WATCHED) process.on(name, onSignal);
  return {
    signal: controller.signal,
    stoppedBy: () => stoppedBy,
    stop: (reason) => controller.abort(reason),
    release: () => {
      for (const name of WATCHED) process.off(name, onSignal);
    },
  };
}
