import { type Command, InvalidArgumentError } from 'commander';
import { isPublicUrl } from '../../binhost/public-url.ts';
import { isRepositoryName } from '../../model/names.ts';
import { withoutTrailing } from '../../model/without-trailing.ts';
import { isPrincipal } from '../../signing/is-principal.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { withSession } from '../session.ts';
import { addPlaceArgument, placeRequest, sharingOptions } from './place-options.ts';

interface InitFlags extends CommonOptions {
  readonly name?: string;
  readonly url?: string;
  readonly principal?: string;
}

export function addInit(binhost: Command, cli: CliContext): void {
  const command = addPlaceArgument(
    binhost.command('init').description('make a binhost, or say anew what it is called and where the world reads it'),
  );
  addCommonOptions(command)
    .option('--name <name>', 'what it is called; without it as configured, else as the directory', binhostName)
    .option('--url <url>', 'where the world reads it, for the discovery tags of its page', publicUrl)
    .option(
      '--principal <name>',
      "whose key signs, for keys/allowed_signers; what the key's comment says without it",
      owner,
    )
    .option('--json', 'print {place, identity, generation} as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit binhost init', 'the configured repository'],
        ['buildit binhost init --name shelf /srv/containers', 'a directory of this machine'],
        ['buildit binhost init --url https://mysuperbinhost.org/containers', 'with tags for appc clients'],
      ),
    )
    .action((typed: string | undefined, flags: InitFlags) =>
      withSession(cli, flags, async (session) => {
        const { initBinhost } = await import('../../pipeline/binhost-run.ts');
        const { name, url, principal } = flags;
        const options = await sharingOptions(cli, flags, session);
        const made = await initBinhost(options, placeRequest(cli, typed), { name, url, principal });
        if (flags.json === true) return session.document(made);
        session.result([`'${made.identity.name}' at ${made.place}, generation ${made.generation}`]);
        session.remark([
          ...(made.identity.url === undefined ? [] : [`  read at ${made.identity.url}`]),
          '  others believe what you publish after: buildit key export | ssh OTHER buildit key trust -',
        ]);
      }),
    );
}

function binhostName(text: string): string {
  if (!isRepositoryName(text)) throw new InvalidArgumentError('expected small letters, digits, ".", "_" and "-".');
  return text;
}

function publicUrl(text: string): string {
  const url = withoutTrailing(text, '/');
  if (!isPublicUrl(url)) throw new InvalidArgumentError('expected https://HOST/PATH without a query.');
  return url;
}

function owner(text: string): string {
  if (!isPrincipal(text)) throw new InvalidArgumentError('expected a name without spaces, commas and patterns.');
  return text;
}
