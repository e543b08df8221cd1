import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addContainerOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { sizeText } from '../quantities.ts';
import { withSession } from '../session.ts';
import { type BuildFlags, buildOptions } from './build.ts';

export function addFetchCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('fetch')
    .description('fetch everything a build needs, so that `buildit build --offline` works')
    .argument('<dir...>', 'directories that hold a container.yaml');
  addContainerOptions(command)
    .option('--from-source', 'fetch the sources of every package, whatever a cache holds')
    .option('--json', 'print what was fetched as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit fetch nginx-prod/', 'while there is a network'],
        ['buildit build --offline nginx-prod/', 'when there is none'],
        ['buildit fetch --from-source nginx-prod/', 'for `buildit build --offline --from-source`'],
      ),
    )
    .action((directories: readonly string[], flags: BuildFlags) =>
      withSession(cli, flags, async (session) => {
        const { fetch } = await import('../../pipeline.ts');
        let fetched = 0;
        let bytes = 0;
        for (const directory of directories) {
          const outcome = await fetch(await buildOptions(cli, directory, flags, session));
          fetched += outcome.fetched;
          bytes += outcome.bytes;
        }
        session.screen.close();
        if (flags.json === true) session.document({ fetched, bytes });
        else session.result([fetchedText(fetched, bytes)]);
      }),
    );
}

function fetchedText(count: number, bytes: number): string {
  return count === 0 ? 'everything is there' : `${count} ${count === 1 ? 'file' : 'files'} fetched, ${sizeText(bytes)}`;
}
