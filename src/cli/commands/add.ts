import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addEditOptions, type EditFlags, runEdit } from '../edit-container.ts';
import { examples } from '../help-text.ts';

export function addAddCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('add')
    .description('add packages to a container.yaml, behind the last one; the rest of the file stays as it is')
    .usage('[OPTIONS] [DIR] ATOM...')
    .argument(
      '<atom...>',
      'CATEGORY/NAME[-VERSION or RANGE], debian/NAME[=VERSION] or ./pkgs/NAME; a directory before them',
    );
  addEditOptions(command)
    .addHelpText('after', () =>
      examples(
        ['buildit add nginx-prod/ debian/curl', 'a package of Debian'],
        ['buildit add www-servers/nginx-1.22.1', 'a recipe, for the container here or above'],
        [
          "buildit add 'www-servers/nginx~1.26'",
          'the newest version of a range: ~ ^ = != > >= < <=, more after commas',
        ],
        ['buildit add ./pkgs/nginx', 'a package of your own in the directory of the container'],
        ['buildit add --dry-run debian/curl', 'see what would change'],
      ),
    )
    .action((words: readonly string[], flags: EditFlags) => runEdit(cli, words, flags, 'add'));
}
