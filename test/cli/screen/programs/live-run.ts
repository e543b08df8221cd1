import { coloursFor } from '../../../../src/cli/colours.ts';
import { createScreen } from '../../../../src/cli/screen/create-screen.ts';
import { textStreamOf } from '../../../../src/cli/text-stream.ts';
import type { BuilditEvent } from '../../../../src/model/events.ts';

/** A run in the terminal it is started in; each key that is pressed lets it go one step further. */
const errors = textStreamOf(process.stderr, () => {});
const screen = createScreen({
  mode: 'tty',
  quiet: false,
  verbose: false,
  transcript: textStreamOf(process.stdout, () => {}),
  errors,
  commands: errors,
  colours: coloursFor(true, process.env),
  unicode: true,
});

const HELLO = 'a'.repeat(64);
const line = `gcc -O2 ${'-Wall '.repeat(60)}hello.c`;

const STEPS: readonly (readonly BuilditEvent[])[] = [
  [
    { kind: 'container-started', title: 'hello-1.0.0' },
    { kind: 'package-started', hash: HELLO, label: "package 'app-misc/hello'", platform: 'linux/amd64' },
    { kind: 'package-missed', hash: HELLO, reason: '' },
    { kind: 'task-started', task: 'f', label: 'fetching hello.tar.gz', total: 4_000_000 },
    { kind: 'task-progress', task: 'f', done: 1_000_000 },
    { kind: 'task-started', task: 'b', label: 'building app-misc/hello' },
    { kind: 'task-log', task: 'b', chunk: Buffer.from(`${line}\n`) },
  ],
  [{ kind: 'warning', text: 'the mirror is slow' }],
  [{ kind: 'task-finished', task: 'f', outcome: 'done' }],
  [
    { kind: 'task-finished', task: 'b', outcome: 'done' },
    { kind: 'package-built', hash: HELLO },
  ],
];

let step = 0;
function takeStep(): void {
  for (const event of STEPS[step] ?? []) screen.emit(event);
  step += 1;
  if (step < STEPS.length) return;
  screen.close();
  process.exit();
}

process.stdin.setRawMode(true);
process.stdin.on('data', takeStep);
takeStep();
