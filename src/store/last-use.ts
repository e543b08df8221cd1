import { futimesSync, utimesSync } from 'node:fs';

/** How stale the time of last use may be; reading the store writes to it no more often than this. */
const ACCURACY_MS = 24 * 3_600_000;

/** Says that something in the store was used now: its modification time, which is what garbage collection goes by. */
export function noteUse(file: string | number, modifiedMs: number): void {
  const now = Date.now();
  if (now - modifiedMs < ACCURACY_MS) return;
  try {
    if (typeof file === 'number') futimesSync(file, now / 1000, now / 1000);
    else utimesSync(file, now / 1000, now / 1000);
  } catch {
    // Not this user's file: its age counts from when it was written.
  }
}
