import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addEditOptions, type EditFlags, runEdit } from '../edit-container.ts';
import { examples } from '../help-text.ts';

export function addRmCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('rm')
    .description('remove packages from a container.yaml, and say what else still needs them')
    .usage('[OPTIONS] [DIR] ATOM...')
    .argument('<atom...>', 'CATEGORY/NAME, debian/NAME or ./pkgs/NAME; a directory before them');
  addEditOptions(command)
    .addHelpText('after', () =>
      examples(
        ['buildit rm nginx-prod/ debian/curl', 'no longer put curl into the image'],
        ['buildit rm ./pkgs/nginx', 'its directory stays'],
      ),
    )
    .action((words: readonly string[], flags: EditFlags) => runEdit(cli, words, flags, 'rm'));
}
