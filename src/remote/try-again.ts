import { setTimeout as sleep } from 'node:timers/promises';
import { isFault } from './place-files.ts';

const TRIES = 4;
const FIRST_PAUSE_MS = 250;

/**
 * Runs a task again where the connection broke, at most 4 times in a row without progress, with growing pauses.
 * `progress` tells how far the task has come, in any unit that only grows while it gets ahead.
 */
export async function tryAgain<T>(task: () => Promise<T>, progress: () => number = () => 0): Promise<T> {
  let reached = progress();
  for (let broken = 0; ; ) {
    try {
      return await task();
    } catch (error) {
      if (!isFault(error, 'lost')) throw error;
      broken = progress() > reached ? 1 : broken + 1;
      reached = Math.max(reached, progress());
      if (broken >= TRIES) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** (broken - 1));
    }
  }
}
