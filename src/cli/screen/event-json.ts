import type { BuilditEvent } from '../../model/events.ts';

/** One event as one line of JSON; log bytes become text, `time` is ISO 8601 in UTC. */
export function eventAsJson(event: BuilditEvent, nowMs: number): string {
  const time = new Date(nowMs).toISOString();
  if (event.kind !== 'task-log') return JSON.stringify({ time, ...event });
  const { chunk, ...rest } = event;
  return JSON.stringify({ time, ...rest, text: Buffer.from(chunk).toString('utf8') });
}
