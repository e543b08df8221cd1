import type { Command } from 'commander';
import { hashAsUuid } from '../../model/package-hash.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { withSession } from '../session.ts';
import { addPlaceArgument, placeRequest, sharingOptions } from './place-options.ts';

interface RemoveFlags extends CommonOptions {
  readonly force?: true;
}

export function addRemove(binhost: Command, cli: CliContext): void {
  const command = addPlaceArgument(
    binhost
      .command('rm')
      .description('take a package or a container out of the index of a binhost')
      .argument('<what>', 'a HASH, or a container: TITLE, TITLE-VERSION, TITLE:VERSION'),
  );
  addCommonOptions(command)
    .option('--force', 'also what others published')
    .option('--json', 'print {place, generation, packages, containers} as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit binhost rm Sysadmin42/nginx-production:1.7.6-p1', 'nobody finds it any more'],
        [
          'buildit binhost rm 86c8ef43-f4a4-89ba-a0ee-92900211c7b6 && buildit binhost gc',
          'and its files go after a week',
        ],
      ),
    )
    .action((what: string, typed: string | undefined, flags: RemoveFlags) =>
      withSession(cli, flags, async (session) => {
        const { removeFromBinhost } = await import('../../pipeline/binhost-entries.ts');
        const options = await sharingOptions(cli, flags, session);
        const removed = await removeFromBinhost(options, placeRequest(cli, typed), {
          ...{ what, isForced: flags.force === true },
        });
        if (flags.json === true) return session.document(removed);
        session.result([
          ...removed.packages.map(({ name, version, hash }) => `removed ${name}-${version} (${hashAsUuid(hash)})`),
          ...removed.containers.map(({ title, version, platform }) => `removed ${title}-${version} for ${platform}`),
          `generation ${removed.generation} at ${removed.place}`,
        ]);
      }),
    );
}
