import type { Command } from 'commander';
import { printable } from '../../model/names.ts';
import { hashAsUuid } from '../../model/package-hash.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { withSession } from '../session.ts';
import { addPlaceArgument, placeRequest, sharingOptions } from './place-options.ts';

interface PinFlags extends CommonOptions {
  readonly remove?: true;
}

export function addPin(binhost: Command, cli: CliContext): void {
  const command = addPlaceArgument(
    binhost
      .command('pin')
      .description('keep packages or containers at a binhost, whoever cleans up there')
      .argument('<what>', 'a HASH, or a container: TITLE, TITLE-VERSION, TITLE:VERSION'),
  );
  addCommonOptions(command)
    .option('--remove', 'let go of it again')
    .option('--json', 'print {"pins": [{digest, kind, title}]}')
    .addHelpText('after', () =>
      examples(
        ['buildit binhost pin Sysadmin42/nginx-production-1.7.6-p1', 'this release stays, with all its blobs'],
        ['buildit binhost pin --remove Sysadmin42/nginx-production-1.7.6-p1', 'until now'],
      ),
    )
    .action((what: string, typed: string | undefined, flags: PinFlags) =>
      withSession(cli, flags, async (session) => {
        const { pinAtBinhost } = await import('../../pipeline/binhost-entries.ts');
        const isRemoval = flags.remove === true;
        const options = await sharingOptions(cli, flags, session);
        const pins = await pinAtBinhost(options, placeRequest(cli, typed), { what, isRemoval });
        if (flags.json === true) return session.document({ pins });
        const verb = isRemoval ? 'is pinned no longer' : 'is pinned';
        session.result(pins.map(({ title, digest }) => `${printable(title)} (${hashAsUuid(digest)}) ${verb}`));
      }),
    );
}
