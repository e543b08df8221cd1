import { eventReader, type PrintedEvent } from './events.ts';
import { type InstalledResult, type InstalledRun, startInstalled } from './run-installed.ts';

/** `Ctrl-C` reaches every process that a terminal started; `SIGINT` and `kill -9` buildit alone. */
export type Stop = 'SIGINT' | 'Ctrl-C' | 'kill -9';

export interface Moment {
  /** What the run is doing then. */
  readonly title: string;
  readonly stops: readonly Stop[];
  /** Makes something that is given each event and tells whether the moment has come. */
  readonly watch: () => (event: PrintedEvent) => boolean;
}

/** In the order in which they come where everything before them is in the store already. */
export const MOMENTS: readonly Moment[] = [
  {
    title: 'fetching',
    stops: ['kill -9', 'SIGINT'],
    watch: () => inTask(/^[0-9]+ Debian packages$/, ({ kind }) => kind === 'task-progress', 2),
  },
  {
    title: 'unpacking packages',
    stops: ['kill -9', 'Ctrl-C'],
    watch: () => inTask(/^unpacking/, ({ kind }) => kind === 'task-progress', 5),
  },
  { title: 'packing', stops: ['kill -9'], watch: () => inTask(/^building sys-apps/, inPhase('pack')) },
  {
    title: 'configuring',
    stops: ['kill -9', 'SIGINT'],
    watch: () => inTask(/^building app-misc/, saying(/checking/), 5),
  },
  { title: 'compiling', stops: ['Ctrl-C'], watch: () => inTask(/^building app-misc/, inPhase('build')) },
];

/** The moment of the n-th fitting event of the tasks with such a label. */
function inTask(label: RegExp, isFitting: (event: PrintedEvent) => boolean, nth = 1) {
  const tasks = new Set<string>();
  let seen = 0;
  return (event: PrintedEvent) => {
    if (event.kind === 'task-started' && label.test(event.label)) tasks.add(event.task);
    if ('task' in event && tasks.has(event.task) && isFitting(event)) seen += 1;
    return seen >= nth;
  };
}

function inPhase(name: string): (event: PrintedEvent) => boolean {
  return (event) => event.kind === 'task-progress' && event.detail === name;
}

function saying(text: RegExp): (event: PrintedEvent) => boolean {
  return (event) => event.kind === 'task-log' && text.test(event.text);
}

/** Builds hello until a moment, stops it then, and waits for its end. */
export async function stopAt(
  moment: Moment,
  stop: Stop,
  run: Omit<InstalledRun, 'args'>,
): Promise<{ wasReached: boolean; result: InstalledResult }> {
  const hasCome = moment.watch();
  let wasReached = false;
  const read = eventReader((event) => {
    if (wasReached || !hasCome(event)) return;
    wasReached = true;
    started.signal(stop === 'kill -9' ? 'SIGKILL' : 'SIGINT', stop === 'Ctrl-C' ? 'group' : 'process');
  });
  const started = startInstalled({ ...run, args: ['hello/', '--progress=json'] }, (stream, text) => {
    if (stream === 'stderr') read(text);
  });
  const result = await started.ended;
  return { wasReached, result };
}
