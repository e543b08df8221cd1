import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { examples } from '../help-text.ts';
import { addBuildOptions, type BuildFlags, buildAll } from './build.ts';

export function addPushCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('push')
    .description('build container directories and publish packages, spec and images to the configured repository')
    .argument('<dir...>', 'directories that hold a container.yaml');
  addBuildOptions(command)
    .addHelpText('after', () =>
      examples(
        ['buildit push nginx-prod/', 'the same as `buildit build --push nginx-prod/`'],
        ['buildit push --locked nginx-prod/ redis-prod/', 'what the locks say, from a CI job'],
      ),
    )
    .action((directories: readonly string[], flags: BuildFlags) =>
      buildAll(cli, program, directories, { ...flags, push: true }),
    );
}
