import type { Command } from 'commander';
import { BuilditError } from '../../model/errors.ts';
import type { CliContext } from '../cli-context.ts';
import type { Finish } from '../command-line.ts';
import { addContainerOptions, type ContainerOptions } from '../common-options.ts';
import { containerDirectory } from '../container-directory.ts';
import { examples } from '../help-text.ts';
import { withSession } from '../session.ts';
import { buildOptions } from './build.ts';

interface ShellFlags extends ContainerOptions {
  readonly phase?: string;
  readonly failed?: true;
  readonly test?: true;
}

export function addShellCommand(program: Command, cli: CliContext, finish: Finish): void {
  const command = program
    .command('shell')
    .description("open a shell in exactly the sandbox of a package's build")
    .argument('<package>', 'the directory of a package, or CATEGORY/NAME of a package of the container here');
  addContainerOptions(command)
    .option(
      '--phase <name>',
      'stop before this phase: unpack, patch, prepare, configure, build, install, licenses, strip or check',
    )
    .option('--failed', 'open what the last failed build left (it was run with --keep-failed)')
    .option('--test', 'open what the package is tested in, after it is built: it and what it needs at run time')
    .addHelpText('after', () =>
      examples(
        ['buildit shell nginx-prod/pkgs/nginx', 'the unpacked, patched source, before it is configured'],
        ['buildit shell nginx-prod/pkgs/nginx --phase=patch', 'the source before the patches'],
        ['buildit shell nginx-prod/pkgs/nginx --failed', 'the tree of the build that failed'],
        ['buildit shell nginx-prod/pkgs/nginx --test', 'what its tests run in'],
      ),
    )
    .action((typed: string, flags: ShellFlags) =>
      withSession(cli, flags, async (session) => {
        if (flags.failed === true && flags.phase !== undefined) {
          throw new BuilditError('usage', 'Cannot open "--failed" at a phase: expected one of --failed and --phase');
        }
        if (flags.test === true && (flags.failed === true || flags.phase !== undefined)) {
          throw new BuilditError('usage', 'Cannot open what is tested at a phase: expected --test alone');
        }
        const { shell } = await import('../../pipeline.ts');
        const { directory, packageName } = containerDirectory(cli.cwd, typed);
        const options = await buildOptions(cli, directory, flags, session);
        finish(
          await shell(options, {
            package: packageName ?? typed,
            phase: flags.phase,
            failed: flags.failed === true,
            test: flags.test === true,
          }),
        );
      }),
    );
}
