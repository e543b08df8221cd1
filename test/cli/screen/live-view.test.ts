import { expect } from 'vitest';
import { requires } from '../../support/requires.ts';
import { programCommand } from '../../support/run-program.ts';
import { openTerminal } from '../../support/terminal.ts';

const command = programCommand(new URL('programs/live-run.ts', import.meta.url));
const tasksOn = (lines: readonly string[]) => lines.filter((line) => /^\S (fetching|building) /.test(line));

const TRANSCRIPT = [
  'Building hello-1.0.0',
  "Processing package 'app-misc/hello' for linux/amd64.",
  'HASH: aaaaaaaa-aaaa-8aaa-aaaa-aaaaaaaaaaaa',
  "Can't find HASH in any known location...",
];

requires('tmux').test(
  'the live view shows what runs below the transcript and leaves the transcript alone',
  async () => {
    const terminal = openTerminal(command);
    const running = await terminal.until(
      (lines) => tasksOn(lines).length === 2 && lines.some((line) => / 1s /.test(line)),
    );
    expect(running.slice(0, 4)).toEqual(TRANSCRIPT);
    expect(tasksOn(running)[0]).toMatch(/^\S fetching hello\.tar\.gz {2}\ds {2}1\.0 MB\/4\.0 MB 25%/);
    expect(tasksOn(running)[1]).toMatch(/^\S building app-misc\/hello {2}\ds {2}gcc -O2 -Wall .*…$/);
    expect(running).toHaveLength(6);

    terminal.press('x');
    const warned = await terminal.until((lines) => lines.includes('warning: the mirror is slow'));
    expect(warned.slice(0, 5)).toEqual([...TRANSCRIPT, 'warning: the mirror is slow']);
    await terminal.until((lines) => lines.length === 7 && tasksOn(lines).length === 2);

    terminal.press('x');
    await terminal.until((lines) => lines.length === 6 && tasksOn(lines).length === 1);

    terminal.press('x');
    const ended = await terminal.until((lines) => lines.at(-1) === 'exit code 0');
    expect(ended).toEqual([
      ...TRANSCRIPT,
      'warning: the mirror is slow',
      'Defaulting to local build... [OK]',
      'exit code 0',
    ]);
  },
);

requires('tmux').test('the live view fits a terminal that changes its size', async () => {
  const terminal = openTerminal(command);
  await terminal.until((lines) => tasksOn(lines).length === 2);
  for (const [columns, rows] of [
    [40, 20],
    [120, 20],
    [30, 12],
    [80, 24],
  ] as const) {
    terminal.resize(columns, rows);
    const isDrawnAnew = (lines: readonly string[]) =>
      tasksOn(lines).length === 2 && tasksOn(lines)[1]!.length > columns - 12 && lines.at(-1) === tasksOn(lines)[1];
    const lines = await terminal.until(isDrawnAnew);
    for (const line of tasksOn(lines)) expect(line.length).toBeLessThanOrEqual(columns);
  }
});

requires('tmux').test('NO_COLOR keeps colours out of the live view', async () => {
  const terminal = openTerminal([
    'sh',
    '-c',
    `NO_COLOR=1 ${command.map((part) => `'${part}'`).join(' ')} 2>&1 | cat -v`,
  ]);
  terminal.press('x');
  await terminal.until((lines) => lines.some((line) => line.includes('building')));
  expect(terminal.screen().join('\n')).not.toMatch(/\^\[\[\d+m/);
});
