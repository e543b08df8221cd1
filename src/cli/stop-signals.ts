import { BuilditError } from '../model/errors.ts';
import { exitCodeOfSignal, type StopSignal } from './exit-code.ts';

export interface StopSignals {
  readonly signal: AbortSignal;
  stoppedBy(): StopSignal | undefined;
  /** Gives the signals back to Node's own handling. */
  release(): void;
}

const WATCHED: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * The first signal asks the run to end: children are stopped, nothing half done stays. A second one ends the process at
 * once; builds die with it, and the next run clears up.
 */
export function watchStopSignals(): StopSignals {
  const controller = new AbortController();
  let stoppedBy: StopSignal | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    const signal = name as StopSignal;
    if (stoppedBy !== undefined) process.exit(exitCodeOfSignal(signal));
    stoppedBy = signal;
    controller.abort(new BuilditError('interrupted', 'Cannot finish "the run": it was interrupted'));
  };
  for (const name of WATCHED) process.on(name, onSignal);
  return {
    signal: controller.signal,
    stoppedBy: () => stoppedBy,
    release: () => {
      for (const name of WATCHED) process.off(name, onSignal);
    },
  };
}
