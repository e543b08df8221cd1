import { WireFault } from './wire-reader.ts';

const TIME = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z)?$/;

/**
 * Reads a time as allowed_signers writes it (ssh-keygen(1)): YYYYMMDD[HHMM[SS]][Z], of this machine's time zone without
 * the Z. Throws a `WireFault`.
 */
export function parseSignerTime(text: string): Date {
  const [, ...parts] = TIME.exec(text) ?? [];
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(0, 6)
    .map((part) => Number(part ?? 0));
  const utc = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isReal =
    parts.length > 0 &&
    utc.getUTCFullYear() === year &&
    utc.getUTCMonth() === month - 1 &&
    utc.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  if (!isReal) throw new WireFault(`expected a time YYYYMMDD[HHMM[SS]][Z], found "${text}"`);
  return parts[6] === 'Z' ? utc : new Date(year, month - 1, day, hour, minute, second);
}

/** `20260131235959Z`: whole seconds, the same for readers in every time zone. */
export function signerTimeText(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}
