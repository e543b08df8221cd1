import { describe, expect, test } from 'vitest';
import { coloursFor } from '../../../src/cli/colours.ts';
import { createScreen } from '../../../src/cli/screen/create-screen.ts';
import { type ProgressMode, progressMode } from '../../../src/cli/screen/progress-mode.ts';
import { recordingStream } from '../../../src/cli/text-stream.ts';
import type { BuilditEvent } from '../../../src/model/events.ts';

const HASH = 'c'.repeat(64);

const RUN: readonly BuilditEvent[] = [
  { kind: 'container-started', title: 'hello-1.0.0' },
  { kind: 'package-started', hash: HASH, label: "package 'app-misc/hello'", platform: 'linux/amd64' },
  { kind: 'package-missed', hash: HASH, reason: 'never built' },
  { kind: 'task-started', task: 'build hello', label: 'building app-misc/hello-2.12.1' },
  { kind: 'task-log', task: 'build hello', chunk: Buffer.from('make: all\n::set-output name=x::y\nhalf') },
  { kind: 'warning', text: 'the mirror is slow', hint: 'name another' },
  { kind: 'task-finished', task: 'build hello', outcome: 'done' },
  { kind: 'package-built', hash: HASH },
];

function shown(
  mode: ProgressMode,
  options: { quiet?: boolean; verbose?: boolean; events?: readonly BuilditEvent[] } = {},
) {
  const stdout = recordingStream();
  const stderr = recordingStream();
  const screen = createScreen({
    mode,
    quiet: options.quiet ?? false,
    verbose: options.verbose ?? false,
    transcript: stdout.stream,
    errors: stderr.stream,
    commands: stderr.stream,
    colours: coloursFor(false, {}),
    unicode: true,
  });
  for (const event of options.events ?? RUN) screen.emit(event);
  screen.close();
  return { stdout: stdout.text(), stderr: stderr.text() };
}

describe('the screen', () => {
  test('in plain mode has the transcript on one stream and messages on the other', () => {
    const { stdout, stderr } = shown('plain');
    expect(stdout.split('\n')).toEqual([
      'Building hello-1.0.0',
      "Processing package 'app-misc/hello' for linux/amd64.",
      'HASH: cccccccc-cccc-8ccc-8ccc-cccccccccccc',
      "Can't find HASH in any known location...",
      'Defaulting to local build... [OK]',
      '',
    ]);
    expect(stderr).toBe('warning: the mirror is slow\n  hint: name another\n');
  });

  test('with -v shows logs as they come, each line with its package, and reasons', () => {
    const { stderr } = shown('plain', { verbose: true });
    expect(stderr.split('\n')).toEqual([
      'reason: never built',
      'building app-misc/hello-2.12.1: started',
      'building app-misc/hello-2.12.1 | make: all',
      'building app-misc/hello-2.12.1 | ::set-output name=x::y',
      'warning: the mirror is slow',
      '  hint: name another',
      'building app-misc/hello-2.12.1 | half',
      'building app-misc/hello-2.12.1: done',
      '',
    ]);
  });

  test('with -q shows nothing', () => {
    expect(shown('plain', { quiet: true })).toEqual({ stdout: '', stderr: '' });
  });

  test('on GitHub folds each log into a group in which the log cannot give commands', () => {
    const { stderr } = shown('github');
    const [word] = /(?<=::stop-commands::)[0-9a-f]{32}/.exec(stderr) ?? [];
    expect(stderr.split('\n')).toEqual([
      '::warning::the mirror is slow',
      '::group::building app-misc/hello-2.12.1',
      `::stop-commands::${word}`,
      'make: all',
      '::set-output name=x::y',
      'half',
      `::${word}::`,
      '::endgroup::',
      '',
    ]);
  });

  test('on GitLab folds each log into a collapsed section', () => {
    const { stderr } = shown('gitlab');
    expect(stderr).toMatch(
      /\u001b\[0Ksection_start:\d+:build_hello\[collapsed=true\]\r\u001b\[0Kbuilding app-misc\/hello-2\.12\.1\n/,
    );
    expect(stderr).toMatch(/\u001b\[0Ksection_end:\d+:build_hello\r\u001b\[0K\n$/);
  });

  test('as JSON is one object a line with every event, logs as text', () => {
    const { stdout, stderr } = shown('json');
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(stdout).toBe('');
    expect(events.map(({ kind }) => kind)).toEqual(RUN.map(({ kind }) => kind));
    expect(events[4]).toMatchObject({
      kind: 'task-log',
      task: 'build hello',
      text: expect.stringContaining('make: all'),
    });
    expect(events[0].time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });
});

test.each<[string, Parameters<typeof progressMode>, ProgressMode]>([
  ['a terminal gets the live view', ['auto', true, { TERM: 'xterm' }], 'tty'],
  ['a dumb terminal gets plain lines', ['auto', true, { TERM: 'dumb' }], 'plain'],
  ['a pipe gets plain lines', ['auto', false, {}], 'plain'],
  ['GitHub Actions gets groups', ['auto', false, { GITHUB_ACTIONS: 'true' }], 'github'],
  ['GitLab CI gets sections', ['auto', false, { GITLAB_CI: 'true' }], 'gitlab'],
  ['a choice counts', ['plain', true, { GITLAB_CI: 'true' }], 'plain'],
])('%s', (_, parameters, mode) => {
  expect(progressMode(...parameters)).toBe(mode);
});
