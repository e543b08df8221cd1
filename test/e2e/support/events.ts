import type { BuilditEvent } from '../../../src/model/events.ts';

/** An event as `--progress=json` prints it: log bytes as text. */
export type PrintedEvent = { readonly time: string } & (Exclude<BuilditEvent, { kind: 'task-log' }> | PrintedLog);

interface PrintedLog {
  readonly kind: 'task-log';
  readonly task: string;
  readonly text: string;
}

export function printedEvents(output: string): PrintedEvent[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{"time"'))
    .map((line) => JSON.parse(line) as PrintedEvent);
}

/** Calls back with each event as soon as its line is complete. */
export function eventReader(onEvent: (event: PrintedEvent) => void): (text: string) => void {
  let pending = '';
  return (text) => {
    const lines = (pending + text).split('\n');
    pending = lines.pop()!;
    for (const event of printedEvents(lines.join('\n'))) onEvent(event);
  };
}
