import { type Command, InvalidArgumentError, Option } from 'commander';
import { BuilditError } from '../../model/errors.ts';
import type { CliContext } from '../cli-context.ts';
import type { Finish } from '../command-line.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { exitCodeOf } from '../exit-code.ts';
import { examples } from '../help-text.ts';
import { parseAge, sizeText } from '../quantities.ts';
import { configFor, withSession } from '../session.ts';
import { textTable } from '../text-table.ts';

interface GcFlags extends CommonOptions {
  readonly dryRun?: true;
  readonly maxAge: number;
}

const DEFAULT_MAXIMUM_AGE = '30d';

export function addGcCommand(program: Command, cli: CliContext, finish: Finish): void {
  const command = program.command('gc').description('free what no image and no lock refers to and nobody used lately');
  addCommonOptions(command)
    .option('--dry-run', 'say what would go, and remove nothing')
    .addOption(
      new Option('--max-age <age>', 'keep what was used within this time')
        .argParser(age)
        .default(age(DEFAULT_MAXIMUM_AGE), DEFAULT_MAXIMUM_AGE),
    )
    .option('--json', 'print the result as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit gc --dry-run', 'what would come free'],
        ['buildit gc --max-age 0d', 'keep only what out/ directories and locks refer to'],
      ),
    )
    .action((flags: GcFlags) =>
      withSession(cli, flags, async (session) => {
        const [{ openStore }, { collectGarbage }] = await Promise.all([
          import('../../store/store.ts'),
          import('../../store/collect-garbage.ts'),
        ]);
        const store = await openStore((await configFor(cli, '.', flags)).store);
        const report = await collectGarbage(store, {
          maximumAgeMs: flags.maxAge,
          dryRun: flags.dryRun === true,
          signal: cli.signal,
        });
        if (report.failures.length > 0) finish(exitCodeOf(new BuilditError('cannot-write', 'Cannot remove items')));
        if (flags.json === true) return session.document(report);
        for (const text of report.failures) session.context.emit({ kind: 'warning', text });
        const rows = report.categories.map(({ category, count }) => [category, String(count)]);
        session.result([
          ...(rows.length === 0 ? [] : textTable([{ title: 'KIND' }, { title: 'COUNT', align: 'right' }], rows)),
          `${sizeText(report.bytes)} ${report.dryRun ? 'would come free' : 'freed'} in ${store.directory}`,
        ]);
      }),
    );
}

function age(text: string): number {
  const milliseconds = parseAge(text);
  if (milliseconds === undefined) throw new InvalidArgumentError('expected a time such as 12h, 30d or 8w.');
  return milliseconds;
}
