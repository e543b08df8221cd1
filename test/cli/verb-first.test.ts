import type { Command, Option } from 'commander';
import { describe, expect, test } from 'vitest';
import type { CliContext } from '../../src/cli/cli-context.ts';
import { createProgram } from '../../src/cli/command-line.ts';
import { recordingStream } from '../../src/cli/text-stream.ts';
import { verbFirst } from '../../src/cli/verb-first.ts';

const { stream } = recordingStream();
const cli = {
  version: '1',
  stdout: stream,
  stderr: stream,
  environment: {},
  argv: [],
  cwd: '/',
} as unknown as CliContext;
const program = createProgram(cli, () => undefined);

interface Declared {
  readonly verb: string;
  readonly option: Option;
}

function declaredBy(command: Command, verb: string): readonly Declared[] {
  return [
    ...command.options.map((option) => ({ verb, option })),
    ...command.commands.flatMap((child) => declaredBy(child, verb)),
  ];
}

const declared = program.commands.flatMap((command) => declaredBy(command, command.name()));
const namesOf = ({ long, short }: Option) => [long, short].filter((name): name is string => typeof name === 'string');

describe('a verb behind its options', () => {
  test('is found whatever option of whatever verb stands before it', () => {
    const wrong = declared.flatMap(({ verb, option }) =>
      namesOf(option).filter((name) => {
        const before = option.required ? [name, 'lint'] : [name];
        const expected = [verb, ...before, 'DIR'];
        return verbFirst([...before, verb, 'DIR'], program).join(' ') !== expected.join(' ');
      }),
    );
    expect(wrong).toEqual([]);
    expect(declared.length).toBeGreaterThan(100);
  });

  test.each([
    [
      ['-kj', '4', 'build', 'x'],
      ['build', '-kj', '4', 'x'],
    ],
    [
      ['-kj4', 'build', 'x'],
      ['build', '-kj4', 'x'],
    ],
    [
      ['-jk', 'plan', 'x'],
      ['plan', '-jk', 'x'],
    ],
    [
      ['--jobs=4', 'plan', 'x'],
      ['plan', '--jobs=4', 'x'],
    ],
    [
      ['--store', 'plan', 'gc'],
      ['gc', '--store', 'plan'],
    ],
    [
      ['--', 'plan', 'x'],
      ['--', 'plan', 'x'],
    ],
    [
      ['x', 'plan'],
      ['x', 'plan'],
    ],
    [['--help'], ['--help']],
    [
      ['-q', 'help', 'plan'],
      ['help', '-q', 'plan'],
    ],
    [
      ['--image', 'pull', 'tiny'],
      ['pull', '--image', 'tiny'],
    ],
    [
      ['--origin', 'config', 'show'],
      ['config', '--origin', 'show'],
    ],
    [
      ['--origin', 'upstream', 'patch', 'new', 'x'],
      ['patch', '--origin', 'upstream', 'new', 'x'],
    ],
    [
      ['--unknown', 'plan', 'x'],
      ['plan', '--unknown', 'x'],
    ],
    [['--store'], ['--store']],
    [['-'], ['-']],
  ])('%j is %j', (argv, expected) => {
    expect(verbFirst(argv, program)).toEqual(expected);
  });
});
