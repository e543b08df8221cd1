import type { BuilditEvent } from '../../model/events.ts';
import { inertJson } from './inert-stream.ts';

/** One event as one line of JSON; log bytes become text, `time` is ISO 8601 in UTC. */
export function eventAsJson(event: BuilditEvent, nowMs: number): string {
  const time = new Date(nowMs).toISOString();
  if (event.kind !== 'task-log') return inertJson({ time, ...event });
  const { chunk, ...rest } = event;
  return inertJson({ time, ...rest, text: Buffer.from(chunk).toString('utf8') });
}
