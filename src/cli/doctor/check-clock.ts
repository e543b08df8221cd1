import { type Finding, fault, ok } from './finding.ts';
import type { HostView } from './host-view.ts';

/** No machine that runs this release has an earlier day. */
const RELEASED_MS = Date.UTC(2026, 10, 1);
const YEAR_MS = 366 * 86_400_000;
const PLAUSIBLE_YEARS = 15;

/** A wrong clock makes valid signatures look expired, or not valid yet. */
export function checkClock({ nowMs }: HostView): Finding {
  const day = new Date(nowMs).toISOString().slice(0, 10);
  const remedy = ['sudo timedatectl set-ntp true', "or: sudo date --set 'YYYY-MM-DD hh:mm'"];
  if (nowMs < RELEASED_MS) return fault('clock', `says ${day}, before this release was made`, ...remedy);
  if (nowMs > RELEASED_MS + PLAUSIBLE_YEARS * YEAR_MS)
    return fault('clock', `says ${day}, far in the future`, ...remedy);
  return ok('clock', day);
}
