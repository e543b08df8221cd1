import { BuilditError } from '../model/errors.ts';

export function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new BuilditError('interrupted', 'Cannot go on: interrupted');
}
