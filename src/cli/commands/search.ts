import type { Command } from 'commander';
import { printable } from '../../model/names.ts';
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
    .description('find recipes by their name and description, packages and containers at binhosts by their name')
    .argument('[text]', 'a part of a name, or a whole one with * and ?; everything without it', '');
  addCommonOptions(command)
    .option('--json', 'print {"found": [{kind, name, version, place, …}]}')
    .addHelpText('after', () =>
      examples(
        ['buildit search nginx', 'what has nginx in its name, and recipes that speak of it'],
        ["buildit search 'dev-libs/*'", 'all packages of a category'],
      ),
    )
    .action((text: string, flags: CommonOptions) =>
      withSession(cli, flags, async (session) => {
        const { search } = await import('../../pipeline/search-run.ts');
        const config = await configFor(cli, '.', flags);
        const found = await search({ config, context: session.context, witness: createWitness() }, text);
        if (flags.json === true) session.document({ found });
        else session.result(searchLines(found));
      }),
    );
}

export function searchLines(found: readonly FoundEntry[]): string[] {
  const builds = found.filter((entry): entry is Exclude<FoundEntry, { kind: 'recipe' }> => entry.kind !== 'recipe');
  const recipes = found.filter((entry) => entry.kind === 'recipe');
  const tables = [
    ...(recipes.length === 0 ? [] : [recipeTable(recipes)]),
    ...(builds.length === 0 ? [] : [buildTable(builds)]),
  ];
  return [...tables.flatMap((table, index) => (index === 0 ? table : ['', ...table])), `${found.length} found`];
}

function recipeTable(recipes: readonly Extract<FoundEntry, { kind: 'recipe' }>[]): string[] {
  return textTable(
    [{ title: 'RECIPE' }, { title: 'NEWEST' }, { title: 'OF' }, { title: 'DESCRIPTION' }],
    recipes.map(({ name, version, place, description }) => [name, version, place, printable(description)]),
  );
}

function buildTable(builds: readonly Exclude<FoundEntry, { kind: 'recipe' }>[]): string[] {
  const rows = builds.map((entry) => [
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
  return textTable(columns, rows);
}
