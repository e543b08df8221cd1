import type { BuilditEvent } from '../../model/events.ts';
import { boundedText } from '../../model/shown-name.ts';

const BOUNDS = { characters: 1000, lines: 4 };
/** Ties events together, and is never shown. */
const IDS: readonly string[] = ['kind', 'task', 'hash'];

/** The event with every text in it bounded: names in it may come from anywhere. Raw log bytes stay as they are. */
export function boundedEvent(event: BuilditEvent): BuilditEvent {
  const fields = Object.entries(event).map(([key, value]): [string, unknown] => [
    key,
    IDS.includes(key) ? value : bounded(value),
  ]);
  return Object.fromEntries(fields) as unknown as BuilditEvent;
}

function bounded(value: unknown): unknown {
  if (typeof value === 'string') return boundedText(value, BOUNDS);
  return Array.isArray(value) ? value.map(bounded) : value;
}
