import type { Command, CommanderError } from 'commander';
import { didYouMean } from '../document/closest-name.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/** Verbs and options people know from the design, which this release does not have yet: all of them share packages. */
const SHARING = new Set(['push', 'pull', 'discover', 'search', 'show', 'binhost', 'key']);
const SHARING_OPTION = /^--(push|discover)(=|$)/;

/** Refuses what would share packages, before anything else is looked at. */
export function refuseSharing(argv: readonly string[]): void {
  const asked = SHARING.has(argv[0] ?? '') ? argv[0] : argv.find((argument) => SHARING_OPTION.test(argument));
  if (asked === undefined) return;
  throw new BuilditError(
    'usage',
    `Cannot run "${printable(asked.replace(/=.*/s, ''))}": sharing packages and images is not part of this release`,
    { hint: 'leave it out: the images lie in out/ beside container.yaml' },
  );
}

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
