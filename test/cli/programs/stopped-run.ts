import { setTimeout as delay } from 'node:timers/promises';
import { exitCodeOfSignal } from '../../../src/cli/exit-code.ts';
import { watchStopSignals } from '../../../src/cli/stop-signals.ts';

/** Runs until it is asked to stop; `stubborn` goes on nevertheless. */
const stop = watchStopSignals();
stop.signal.addEventListener('abort', () => process.stdout.write('asked to stop\n'));
process.stdout.write('running\n');
await delay(20_000, undefined, process.argv[2] === 'obedient' ? { signal: stop.signal } : {}).catch(() => undefined);
process.stdout.write('cleared up\n');
process.exitCode = exitCodeOfSignal(stop.stoppedBy()!);
stop.release();
