const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const BYTES: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** `90s`, `30m`, `2h`, `1d` or a number of seconds, in milliseconds; undefined for anything else and for nothing. */
export function parseDurationMs(text: string): number | undefined {
  const [, digits, unit = 's'] = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([smhd])?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const duration = Math.round(Number(digits) * SECONDS[unit]! * 1000);
  return duration > 0 && duration <= 2 ** 31 - 1 ? duration : undefined;
}

/** `512M`, `4G`, `4GiB` (powers of 1024) or a number of bytes; undefined for anything else and for nothing. */
export function parseBytes(text: string): number | undefined {
  const [, digits, unit] = /^([0-9]{1,15}(?:\.[0-9]{1,3})?)\s*(?:([KMGT])(?:i?B)?|B)?$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const bytes = Math.round(Number(digits) * (unit === undefined ? 1 : BYTES[unit.toUpperCase()]!));
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
