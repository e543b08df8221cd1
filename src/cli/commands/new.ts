import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { examples } from '../help-text.ts';
import { newContainer } from '../new-container.ts';
import { shownPath } from '../render-error.ts';

export function addNewCommand(program: Command, cli: CliContext): void {
  const command = program.command('new').description('write the beginnings of something');
  command
    .command('container')
    .description('write the smallest directory that builds: a container that says hello')
    .argument('<dir>', 'the directory to write; its name is the name of the container')
    .addHelpText('after', () =>
      examples(['buildit new container hello', 'write hello/container.yaml'], ['buildit hello', 'build it']),
    )
    .action(async (directory: string) => {
      const path = resolve(cli.cwd, directory);
      await newContainer(path);
      const shown = shownPath(path, cli.cwd);
      cli.stdout.write(`${shown}/container.yaml written; \`buildit ${shown}\` builds it\n`);
    });
}
