import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { parseAge, sizeText } from '../quantities.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';
import { addPlaceArgument, placeRequest, sharingOptions } from './place-options.ts';

interface CollectFlags extends CommonOptions {
  readonly dryRun?: true;
  readonly minAge: number;
}

const DEFAULT_MINIMUM_AGE = '7d';

export function addCollect(binhost: Command, cli: CliContext): void {
  const command = addPlaceArgument(
    binhost.command('gc').description('free what nothing at a binhost refers to, and fold its index'),
  );
  addCommonOptions(command)
    .option('--dry-run', 'say what would go, and change nothing')
    .addOption(
      new Option('--min-age <age>', "keep what is younger, by the binhost's own clock: it may still be uploaded")
        .argParser(age)
        .default(age(DEFAULT_MINIMUM_AGE), DEFAULT_MINIMUM_AGE),
    )
    .option('--json', 'print the result as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit binhost gc --dry-run', 'what would come free'],
        ['buildit binhost gc', 'once a week; the expiry of the index is renewed too'],
      ),
    )
    .action((typed: string | undefined, flags: CollectFlags) =>
      withSession(cli, flags, async (session) => {
        const { collectBinhost } = await import('../../pipeline/binhost-run.ts');
        const isDryRun = flags.dryRun === true;
        const collected = await collectBinhost(await sharingOptions(cli, flags, session), placeRequest(cli, typed), {
          minimumAgeMs: flags.minAge,
          isDryRun,
        });
        session.screen.close();
        if (flags.json === true) return session.document(collected);
        const rows = collected.categories.map(({ kind, count, bytes }) => [kind, String(count), sizeText(bytes)]);
        const columns = [
          { title: 'KIND' },
          { title: 'COUNT', align: 'right' as const },
          { title: 'SIZE', align: 'right' as const },
        ];
        session.result([
          ...(rows.length === 0 ? [] : textTable(columns, rows)),
          `${sizeText(collected.bytes)} ${isDryRun ? 'would come free' : 'freed'} at ${collected.place}, generation ${collected.generation}`,
        ]);
      }),
    );
}

function age(text: string): number {
  const milliseconds = parseAge(text);
  if (milliseconds === undefined) throw new InvalidArgumentError('expected a time such as 12h, 7d or 8w.');
  return milliseconds;
}
