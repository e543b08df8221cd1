import type { Command } from 'commander';

/** What a completion script knows of one verb; subcommands are verbs of their own: `config show`. */
export interface DescribedCommand {
  /** `['config', 'show']`. */
  readonly words: readonly string[];
  readonly description: string;
  readonly options: readonly DescribedOption[];
  readonly subcommands: readonly string[];
  /** Words its first argument may be; none means files. */
  readonly argumentChoices: readonly string[];
}

export interface DescribedOption {
  readonly long: string;
  readonly short: string | undefined;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** All verbs of a program, depth first. Texts come from this program alone and hold no control characters. */
export function describeCommands(program: Command): readonly DescribedCommand[] {
  return program.commands.flatMap((command) => describe(command, []));
}

function describe(command: Command, above: readonly string[]): DescribedCommand[] {
  const words = [...above, command.name()];
  const own: DescribedCommand = {
    words,
    description: command.description(),
    options: command.options.flatMap((option) =>
      typeof option.long !== 'string'
        ? []
        : [
            {
              long: option.long,
              short: option.short,
              description: option.description,
              takesValue: option.required || option.optional,
              choices: option.argChoices ?? [],
            },
          ],
    ),
    subcommands: command.commands.map((child) => child.name()),
    argumentChoices: command.registeredArguments[0]?.argChoices ?? [],
  };
  return [own, ...command.commands.flatMap((child) => describe(child, words))];
}
