import type { Command } from 'commander';
import { throwCollected } from '../../model/errors.ts';
import type { CliContext } from '../cli-context.ts';
import { addContainerOptions, type ContainerOptions } from '../common-options.ts';
import { containerDirectory } from '../container-directory.ts';
import { examples } from '../help-text.ts';
import { withSession } from '../session.ts';
import { buildOptions } from './build.ts';

export function addTestCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('test')
    .description('test what has been built: packages by their recipes, and the image by its container')
    .argument('<dir>', 'the directory of a container, or of one of its packages')
    .argument('[package...]', 'packages of the container; with none, all of its packages and its image');
  addContainerOptions(command)
    .option('--json', 'print what was tested as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit test nginx-prod/', 'all tests of its packages, then those of its image'],
        ['buildit test nginx-prod/ dev-libs/openssl', 'the tests of one package'],
        ['buildit test nginx-prod/pkgs/nginx', 'the same, by its directory'],
        ['buildit build --no-test nginx-prod/', 'build without testing'],
      ),
    )
    .action((typed: string, packages: readonly string[], flags: ContainerOptions) =>
      withSession(
        cli,
        flags,
        async (session) => {
          const { test } = await import('../../pipeline.ts');
          const { directory, packageName } = containerDirectory(cli.cwd, typed);
          const names = packageName === undefined ? packages : [packageName, ...packages];
          const { tested, failures } = await test(await buildOptions(cli, directory, flags, session), names);
          session.screen.close();
          if (flags.json === true) session.document({ tested });
          else if (tested.length === 0) session.remark(['there are no tests']);
          throwCollected(failures);
        },
        { showsTranscript: true },
      ),
    );
}
