import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addContainerOptions, type ContainerOptions } from '../common-options.ts';
import { containerDirectory } from '../container-directory.ts';
import { examples } from '../help-text.ts';
import { createLogLines } from '../screen/log-lines.ts';
import { withSession } from '../session.ts';
import { buildOptions } from './build.ts';

interface LogFlags extends ContainerOptions {
  readonly raw?: true;
}

export function addLogCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('log')
    .description('print the log of the last build of a package, whether it failed or not')
    .argument('[package]', 'the directory of a package or container, or CATEGORY/NAME', '.');
  addContainerOptions(command)
    .option('--raw', 'print the bytes as the build wrote them, control characters included')
    .addHelpText('after', () =>
      examples(
        ['buildit log nginx-prod/pkgs/nginx', 'the log of this package'],
        ['buildit log nginx-prod/', 'the log of the package that the container builds, or failed to build, last'],
      ),
    )
    .action((typed: string, flags: LogFlags) =>
      withSession(cli, flags, async (session) => {
        const { readLog } = await import('../../pipeline.ts');
        const { directory, packageName } = containerDirectory(cli.cwd, typed);
        const chunks = await readLog(await buildOptions(cli, directory, flags, session), packageName);
        if (flags.raw === true) for await (const chunk of chunks) process.stdout.write(chunk);
        else await printLog(cli, chunks);
      }),
    );
}

async function printLog(cli: CliContext, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const log = createLogLines();
  for await (const chunk of chunks) {
    const lines = log.add(chunk);
    if (lines.length > 0) cli.stdout.write(`${lines.join('\n')}\n`);
  }
  if (log.rest() !== '') cli.stdout.write(`${log.rest()}\n`);
}
