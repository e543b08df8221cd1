import type { Command } from 'commander';
import { hashAsUuid } from '../../model/package-hash.ts';
import type { FoundEntry } from '../../pipeline/search-run.ts';
import { createWitness } from '../../system/witness.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { sizeText } from '../quantities.ts';
import { configFor, withSession } from '../session.ts';
import { textTable } from '../text-table.ts';

export function addSearchCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('search')
    .description('find packages and containers at the configured binhosts by a part of their name')
    .argument('[text]', 'a part of a name, or a whole one with * and ?; everything without it', '');
  addCommonOptions(command)
    .option('--json', 'print {"found": [{kind, name, version, platform, place, …}]}')
    .addHelpText('after', () =>
      examples(
        ['buildit search nginx', 'what has nginx in its name'],
        ["buildit search 'dev-libs/*'", 'all packages of a category'],
      ),
    )
    .action((text: string, flags: CommonOptions) =>
      withSession(cli, flags, async (session) => {
        const { searchBinhosts } = await import('../../pipeline/search-run.ts');
        const config = await configFor(cli, '.', flags);
        const found = await searchBinhosts({ config, context: session.context, witness: createWitness() }, text);
        if (flags.json === true) session.document({ found });
        else session.result(searchLines(found));
      }),
    );
}

export function searchLines(found: readonly FoundEntry[]): string[] {
  const rows = found.map((entry) => [
    entry.kind,
    `${entry.name}-${entry.version}`,
    entry.platform,
    entry.place,
    entry.kind === 'package' ? hashAsUuid(entry.hash) : entry.publishedAt.slice(0, 16).replace('T', ' '),
    entry.kind === 'package' ? sizeText(entry.size) : '',
    entry.isKnownSigner ? '' : 'signed by a stranger',
  ]);
  const columns = [
    ...['KIND', 'NAME', 'PLATFORM', 'AT', 'HASH OR TIME (UTC)'].map((title) => ({ title })),
    { title: 'SIZE', align: 'right' as const },
    { title: '' },
  ];
  return [...(rows.length === 0 ? [] : textTable(columns, rows)), `${rows.length} found`];
}
