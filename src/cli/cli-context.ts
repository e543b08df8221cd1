import type { StopSignal } from './exit-code.ts';
import type { Invocation } from './receipt/receipt.ts';
import type { TextStream } from './text-stream.ts';

/** All that commands know of the process they run in. */
export interface CliContext extends Invocation {
  /** Absolute path of the directory that holds package.json, bin/, schemas/ and repos/. */
  readonly installation: string;
  readonly version: string;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Standard error for the commands of the CI service; from the other two no text is one. */
  readonly commands: TextStream;
  /** Aborted when the user asks the run to stop. */
  readonly signal: AbortSignal;
  readonly stoppedBy: () => StopSignal | undefined;
  /** Calls back before the process ends, however it ends. */
  readonly onExit: (callback: () => void) => void;
}
