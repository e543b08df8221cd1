import type { Command, CommanderError } from 'commander';
import { didYouMean } from '../document/closest-name.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/** Puts what commander found into buildit's own words, with the name that was most likely meant. */
export function usageError(error: CommanderError, program: Command, argv: readonly string[]): BuilditError {
  const command = program.commands.find((candidate) => candidate.name() === argv[0]);
  if (error.code === 'commander.help') return unknownHelp(argv[1] ?? '', program);
  const said = error.message
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .replace(/ is invalid\. /, ' is invalid: ');
  const help = command === undefined ? 'buildit --help' : `buildit help ${command.name()}`;
  return new BuilditError(
    'usage',
    `Cannot run "buildit${command === undefined ? '' : ` ${command.name()}`}": ${said}`,
    {
      hint: suggestion(error, command ?? program, program) ?? `\`${help}\` lists what there is`,
    },
  );
}

/** `buildit help biuld`, for which commander has no words. */
function unknownHelp(typed: string, program: Command): BuilditError {
  const verbs = program.commands.map((candidate) => candidate.name());
  return new BuilditError('usage', `Cannot print the help of "${printable(typed)}": expected a command, found none`, {
    hint: didYouMean(typed, verbs) ?? '`buildit --help` lists the commands',
  });
}

function suggestion(error: CommanderError, command: Command, program: Command): string | undefined {
  const [, typed] = /'([^']+)'/.exec(error.message) ?? [];
  if (typed === undefined) return undefined;
  if (error.code === 'commander.unknownCommand') {
    return didYouMean(
      typed,
      [...program.commands, ...command.commands].map((candidate) => candidate.name()),
    );
  }
  if (error.code !== 'commander.unknownOption') return undefined;
  const build = program.commands.find((candidate) => candidate.name() === 'build');
  const source = command === program && build !== undefined ? build : command;
  const known = ['--help', ...source.options.flatMap(({ long }) => (typeof long === 'string' ? [long] : []))];
  return didYouMean(typed.replace(/=.*/s, ''), known);
}
