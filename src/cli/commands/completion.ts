import { Argument, type Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { bashCompletion } from '../completion/bash.ts';
import { describeCommands } from '../completion/described-command.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { examples } from '../help-text.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

export function addCompletionCommand(program: Command, cli: CliContext): void {
  program
    .command('completion')
    .description('print a script that completes commands and options in your shell')
    .addArgument(new Argument('<shell>', 'your shell').choices(Object.keys(SHELLS)))
    .addHelpText('after', () =>
      examples(
        ['buildit completion bash > ~/.local/share/bash-completion/completions/buildit', 'for bash'],
        ['buildit completion zsh > ~/.zfunc/_buildit', 'for zsh, with ~/.zfunc in fpath'],
        ['buildit completion fish > ~/.config/fish/completions/buildit.fish', 'for fish'],
      ),
    )
    .action((shell: keyof typeof SHELLS) => {
      cli.stdout.write(SHELLS[shell](describeCommands(program)));
    });
}
