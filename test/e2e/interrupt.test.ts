import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { eventReader, type PrintedEvent } from './support/events.ts';
import { type ImageDigests, imageDigests } from './support/image-digests.ts';
import { mountsAt, processesAt, remainingProcesses, temporaryFiles } from './support/leftovers.ts';
import { openPerson, openPlace, type Person } from './support/place.ts';
import { type InstalledResult, runInstalled, startInstalled } from './support/run-installed.ts';
import { ordinaryUser } from './support/users.ts';

const TEST_MS = 1_800_000;

interface Moment {
  readonly title: string;
  /** Makes something that tells from each event whether the moment has come. */
  readonly watch: () => (event: PrintedEvent) => boolean;
}

/** In the order in which they come when everything before them is in the store. */
const MOMENTS: readonly Moment[] = [
  { title: 'fetching', watch: () => inTask(/^fetching/, ({ kind }) => kind === 'task-progress', 3) },
  { title: 'unpacking packages', watch: () => inTask(/^unpacking/, ({ kind }) => kind === 'task-progress', 5) },
  { title: 'configuring', watch: () => inTask(/^building app-misc\/hello/, saying(/checking for/), 1) },
  { title: 'compiling', watch: () => inTask(/^building app-misc\/hello/, saying(/^(gcc|cc|libtool| +CC) /m), 1) },
  { title: 'assembling the image', watch: () => (event) => event.kind === 'image-started' },
];

/** The moment of the n-th fitting event of a task. */
function inTask(label: RegExp, isFitting: (event: PrintedEvent) => boolean, nth: number) {
  const tasks = new Set<string>();
  let seen = 0;
  return (event: PrintedEvent) => {
    if (event.kind === 'task-started' && label.test(event.label)) tasks.add(event.task);
    if ('task' in event && tasks.has(event.task) && isFitting(event)) seen += 1;
    return seen >= nth;
  };
}

function saying(text: RegExp): (event: PrintedEvent) => boolean {
  return (event) => event.kind === 'task-log' && text.test('text' in event ? event.text : '');
}
